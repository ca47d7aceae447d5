-- Who applied a rule set, and why; and which earlier one it brought back.

ALTER TABLE orgstream.rule_set
ADD COLUMN person text,
ADD COLUMN reason text,
ADD COLUMN restored integer REFERENCES orgstream.rule_set (version);
COMMENT ON COLUMN orgstream.rule_set.person IS 'The user of the machine where the command ran: several people may share a database role.';
COMMENT ON COLUMN orgstream.rule_set.reason IS 'Why, in the words of who applied it.';
COMMENT ON COLUMN orgstream.rule_set.restored IS 'The earlier rule set that `rules rollback` made live again; NULL where it came from a file.';
