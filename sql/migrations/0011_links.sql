-- Links: which target row a source record has, whatever its key is now.

CREATE TABLE orgstream.record_link (
    source_table text COLLATE "C" NOT NULL,
    target_table text COLLATE "C" NOT NULL,
    record text COLLATE "C" NOT NULL,
    key text COLLATE "C",
    change_id bigint NOT NULL,
    PRIMARY KEY (record, source_table, target_table) -- what tells most comes first: fewer texts are compared
) WITH (fillfactor = 90);
CREATE INDEX record_link_by_key ON orgstream.record_link (key, target_table, source_table);
CREATE INDEX record_link_ended ON orgstream.record_link (change_id) WHERE key IS NULL;
COMMENT ON TABLE orgstream.record_link IS 'Which target row belongs to which source record, where the record has a name that outlasts a change of its key.';
COMMENT ON COLUMN orgstream.record_link.source_table IS 'The source record''s table, as schema.table.';
COMMENT ON COLUMN orgstream.record_link.target_table IS 'The target row''s table, as schema.table.';
COMMENT ON COLUMN orgstream.record_link.record IS 'What names the source record for good, as the text of its JSON: its sfid, or the primary key of a plain table. Never Heroku Connect''s id.';
COMMENT ON COLUMN orgstream.record_link.key IS 'The key of the target row, as the text of its JSON; NULL where a delete under another key ended the link: until older changes are gone, they must not make the row again.';
COMMENT ON COLUMN orgstream.record_link.change_id IS 'The change that gave the row this key, or deleted it: an older one does not give it another.';
