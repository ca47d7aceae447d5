-- The delete guard: deletes that come in a mass wait for a person behind one letter for each rule and burst.

CREATE TABLE orgstream.delete_burst (
    letter_id bigint PRIMARY KEY REFERENCES orgstream.dead_letter (id) ON DELETE CASCADE,
    rule_id integer NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL CHECK (until >= since)
);
CREATE INDEX delete_burst_by_rule ON orgstream.delete_burst (rule_id, until);
COMMENT ON TABLE orgstream.delete_burst IS 'The mass deletes that were held for approval, each with the letter that it waits behind.';
COMMENT ON COLUMN orgstream.delete_burst.letter_id IS 'The letter: retrying it approves the deletes, skipping it refuses them.';
COMMENT ON COLUMN orgstream.delete_burst.rule_id IS 'The rule that would carry them.';
COMMENT ON COLUMN orgstream.delete_burst.since IS 'When the first of them was captured, to the second.';
COMMENT ON COLUMN orgstream.delete_burst.until IS 'When the last of them was captured, as far as it was known.';

CREATE TABLE orgstream.delete_tally (
    rule_id integer NOT NULL,
    captured_at timestamptz NOT NULL,
    deletes integer NOT NULL,
    PRIMARY KEY (rule_id, captured_at)
);
COMMENT ON TABLE orgstream.delete_tally IS 'How many target rows a rule deleted because their records left it: the queue does not tell of those.';
COMMENT ON COLUMN orgstream.delete_tally.rule_id IS 'The rule, with on_unmatched = "delete".';
COMMENT ON COLUMN orgstream.delete_tally.captured_at IS 'The second in which the changes were captured.';
COMMENT ON COLUMN orgstream.delete_tally.deletes IS 'How many.';

ALTER TABLE orgstream.blocked_record ADD COLUMN change_id bigint;
COMMENT ON COLUMN orgstream.blocked_record.change_id IS 'A held delete that nothing waits behind yet: should the record come back, it is cancelled. NULL otherwise.';

-- How many deletes came within a minute has to be known before the first of them takes effect.
CREATE INDEX change_queue_deletes ON orgstream.change_queue (table_schema, table_name, captured_at)
WHERE operation = 'DELETE';

ALTER TABLE orgstream.paused_rule
ADD COLUMN cause text NOT NULL DEFAULT 'failures' CHECK (cause IN ('failures', 'schema'));
COMMENT ON COLUMN orgstream.paused_rule.cause IS 'failures: of record after record, until `rules resume`; schema: a table was altered, until the rule fits again.';
