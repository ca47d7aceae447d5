-- Echoes: what was written to Heroku Connect's tables and has yet to come back from Salesforce.

CREATE TABLE orgstream.awaited_echo (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    change_id bigint NOT NULL,
    columns json NOT NULL,
    overtaken boolean NOT NULL DEFAULT false,
    weighed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (table_schema, table_name, key)
) WITH (fillfactor = 70);
CREATE INDEX awaited_echo_by_time ON orgstream.awaited_echo (weighed_at);
CREATE INDEX awaited_echo_overtaken ON orgstream.awaited_echo (table_schema, table_name) WHERE overtaken;
COMMENT ON TABLE orgstream.awaited_echo IS 'The records of tables that are read and written both, with the values that were written and have yet to come back from Salesforce.';
COMMENT ON COLUMN orgstream.awaited_echo.table_schema IS 'Schema of the table.';
COMMENT ON COLUMN orgstream.awaited_echo.table_name IS 'Name of the table.';
COMMENT ON COLUMN orgstream.awaited_echo.key IS 'The record''s identity, as the text of its JSON.';
COMMENT ON COLUMN orgstream.awaited_echo.change_id IS 'The last change of the record that was weighed.';
COMMENT ON COLUMN orgstream.awaited_echo.columns IS 'For each column its outstanding versions, oldest first, as [seconds, value, whether Orgstream wrote it]; and how often in a row Salesforce had another answer.';
COMMENT ON COLUMN orgstream.awaited_echo.overtaken IS 'Whether the row holds an older value that came back over a newer one.';
COMMENT ON COLUMN orgstream.awaited_echo.weighed_at IS 'When it was last changed.';

CREATE TABLE orgstream.echo (
    change_id bigint PRIMARY KEY,
    shown json NOT NULL
);
COMMENT ON TABLE orgstream.echo IS 'The changes that were found to be echoes, whole or in part: whoever carries them again decides the same.';
COMMENT ON COLUMN orgstream.echo.change_id IS 'The change, in change_queue.';
COMMENT ON COLUMN orgstream.echo.shown IS 'The columns that it only repeats, with the value that goes for them before and after it.';
