-- Waits: changes that cannot be written before something has happened, such as the arrival of a parent.

-- Drawn from the numbers of dead letters: what is held names either, and a wait that ends as a letter keeps its
-- number.
CREATE TABLE orgstream.waiting (
    id bigint PRIMARY KEY DEFAULT nextval('orgstream.dead_letter_id_seq'),
    change_id bigint NOT NULL,
    partition smallint NOT NULL,
    rule_id integer NOT NULL,
    rule text NOT NULL,
    rule_version integer NOT NULL,
    source_table text NOT NULL,
    key json,
    cause text NOT NULL,
    message text NOT NULL,
    awaits_schema text,
    awaits_table text,
    awaits_key text,
    awaits_take text,
    begun boolean NOT NULL DEFAULT false,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL DEFAULT 'infinity',
    look_at timestamptz NOT NULL DEFAULT 'infinity',
    looks integer NOT NULL DEFAULT 0,
    UNIQUE (change_id, rule_id)
);
CREATE INDEX waiting_by_row ON orgstream.waiting (awaits_schema, awaits_table, awaits_key);
CREATE INDEX waiting_by_look ON orgstream.waiting (look_at);
CREATE INDEX waiting_by_end ON orgstream.waiting (due_at);
COMMENT ON TABLE orgstream.waiting IS 'Changes that wait for something, such as a row they refer to; later changes of their record wait behind them.';
COMMENT ON COLUMN orgstream.waiting.id IS 'The number of the wait; no dead letter has the same, unless it is what became of the wait.';
COMMENT ON COLUMN orgstream.waiting.change_id IS 'The change, in change_queue.';
COMMENT ON COLUMN orgstream.waiting.partition IS 'The partition it came through: whoever holds that releases it.';
COMMENT ON COLUMN orgstream.waiting.rule_id IS 'The rule under which it waits.';
COMMENT ON COLUMN orgstream.waiting.rule IS 'That rule''s name.';
COMMENT ON COLUMN orgstream.waiting.rule_version IS 'The version of the rule that had it wait; another version is asked anew.';
COMMENT ON COLUMN orgstream.waiting.source_table IS 'schema.table of the change.';
COMMENT ON COLUMN orgstream.waiting.key IS 'The record''s identity.';
COMMENT ON COLUMN orgstream.waiting.cause IS 'What it waits for: parent, a row of another record.';
COMMENT ON COLUMN orgstream.waiting.message IS 'The same, for a person.';
COMMENT ON COLUMN orgstream.waiting.awaits_schema IS 'Schema of the table of the row that it waits for.';
COMMENT ON COLUMN orgstream.waiting.awaits_table IS 'That table.';
COMMENT ON COLUMN orgstream.waiting.awaits_key IS 'What recognises the row there, as the text of a JSON object.';
COMMENT ON COLUMN orgstream.waiting.awaits_take IS 'The column that has to have a value; NULL where the row only has to be there.';
COMMENT ON COLUMN orgstream.waiting.begun IS 'Whether the record was written without the reference, because others may wait for it in turn.';
COMMENT ON COLUMN orgstream.waiting.since IS 'Since when it waits.';
COMMENT ON COLUMN orgstream.waiting.due_at IS 'When it becomes a dead letter.';
COMMENT ON COLUMN orgstream.waiting.look_at IS 'When it is looked at again, should nothing tell of the arrival.';
COMMENT ON COLUMN orgstream.waiting.looks IS 'How often it was looked at in vain.';

CREATE TABLE orgstream.arrival (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition smallint NOT NULL,
    awaits_schema text NOT NULL,
    awaits_table text NOT NULL,
    awaits_key text NOT NULL
);
CREATE INDEX arrival_by_partition ON orgstream.arrival (partition, id);
COMMENT ON TABLE orgstream.arrival IS 'Rows that were written while changes waited for them, until those are released.';
COMMENT ON COLUMN orgstream.arrival.id IS 'Rises with time.';
COMMENT ON COLUMN orgstream.arrival.partition IS 'The partition of changes that waited.';
COMMENT ON COLUMN orgstream.arrival.awaits_schema IS 'Schema of the table.';
COMMENT ON COLUMN orgstream.arrival.awaits_table IS 'The table.';
COMMENT ON COLUMN orgstream.arrival.awaits_key IS 'What recognises the row, as in waiting.';

CREATE TABLE orgstream.awaited_table (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    columns text [] NOT NULL,
    PRIMARY KEY (table_schema, table_name, columns)
);
COMMENT ON TABLE orgstream.awaited_table IS 'The tables with triggers that tell of the arrival of rows that changes wait for.';
COMMENT ON COLUMN orgstream.awaited_table.table_schema IS 'Schema of the table.';
COMMENT ON COLUMN orgstream.awaited_table.table_name IS 'The table.';
COMMENT ON COLUMN orgstream.awaited_table.columns IS 'The columns by which its rows are recognised.';

-- What is held names a dead letter or a wait; both keep their row until nothing is held behind them.
ALTER TABLE orgstream.blocked_record DROP CONSTRAINT blocked_record_letter_id_fkey;
ALTER TABLE orgstream.held_change DROP CONSTRAINT held_change_letter_id_fkey;
COMMENT ON TABLE orgstream.blocked_record IS 'The records whose changes wait behind a dead letter, or behind a change that waits itself.';
COMMENT ON COLUMN orgstream.blocked_record.letter_id IS 'The letter, or the wait, that it waits behind.';
COMMENT ON TABLE orgstream.held_change IS 'Changes that wait: behind a dead letter or a wait of their record, or because their rule is paused.';
COMMENT ON COLUMN orgstream.held_change.letter_id IS 'The letter, or the wait, that it waits behind; NULL: its rule is paused.';

CREATE OR REPLACE VIEW orgstream.needed_change AS
SELECT h.change_id FROM orgstream.held_change AS h
UNION ALL
SELECT d.change_id FROM orgstream.dead_letter AS d
WHERE d.resolved_at IS NULL AND d.change_id IS NOT NULL
UNION ALL
SELECT w.change_id FROM orgstream.waiting AS w;

-- SECURITY DEFINER, so that whoever writes to an org's table needs no rights here. While nothing waits for a row
-- of the table it costs one look into an index for each statement, not for each row.
CREATE FUNCTION orgstream.note_arrivals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns text;
BEGIN
    IF NOT EXISTS (
        SELECT FROM orgstream.waiting AS w
        WHERE w.awaits_schema = TG_TABLE_SCHEMA AND w.awaits_table = TG_TABLE_NAME
    ) THEN
        RETURN NULL;
    END IF;
    FOREACH columns IN ARRAY TG_ARGV LOOP
        INSERT INTO orgstream.arrival (partition, awaits_schema, awaits_table, awaits_key)
        SELECT DISTINCT
            w.partition,
            w.awaits_schema,
            w.awaits_table,
            w.awaits_key
        FROM (
            SELECT
                row_to_json(n) AS document,
                orgstream.identity_of(row_to_json(n), columns::text [])::text AS key
            FROM arrived AS n
        ) AS a
        INNER JOIN orgstream.waiting AS w
            ON
                w.awaits_schema = TG_TABLE_SCHEMA AND w.awaits_table = TG_TABLE_NAME AND w.awaits_key = a.key
                AND (w.awaits_take IS NULL OR a.document ->> w.awaits_take IS NOT NULL);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION orgstream.note_arrivals() IS 'Statement trigger: notes rows that changes wait for. Its arguments are arrays of the columns that recognise rows.';

CREATE FUNCTION orgstream.remove_arrivals(table_schema text, table_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orgstream.remove_triggers(
        table_schema, table_name, ARRAY['00_orgstream_arrival', '00_orgstream_arrival_update']
    );
    DELETE FROM orgstream.awaited_table AS a
    WHERE a.table_schema = remove_arrivals.table_schema AND a.table_name = remove_arrivals.table_name;
END
$$;
COMMENT ON FUNCTION orgstream.remove_arrivals(text, text) IS 'Removes the triggers that tell of arrivals in a table, where it has them.';

CREATE FUNCTION orgstream.install_arrivals(table_schema text, table_name text, keys json) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    target regclass := format('%I.%I', table_schema, table_name)::regclass;
    arguments text;
BEGIN
    PERFORM orgstream.remove_arrivals(table_schema, table_name);
    INSERT INTO orgstream.awaited_table (table_schema, table_name, columns)
    SELECT $1, $2, (SELECT array_agg(c.name ORDER BY c.place) FROM json_array_elements_text(k) WITH ORDINALITY AS c (name, place))
    FROM json_array_elements(keys) AS k;
    SELECT string_agg(quote_literal(a.columns), ', ' ORDER BY a.columns) INTO STRICT arguments
    FROM orgstream.awaited_table AS a
    WHERE a.table_schema = install_arrivals.table_schema AND a.table_name = install_arrivals.table_name;
    EXECUTE format(
        'CREATE TRIGGER "00_orgstream_arrival" AFTER INSERT ON %s REFERENCING NEW TABLE AS arrived'
        ' FOR EACH STATEMENT EXECUTE FUNCTION orgstream.note_arrivals(%s)', target, arguments
    );
    EXECUTE format(
        'CREATE TRIGGER "00_orgstream_arrival_update" AFTER UPDATE ON %s REFERENCING NEW TABLE AS arrived'
        ' FOR EACH STATEMENT EXECUTE FUNCTION orgstream.note_arrivals(%s)', target, arguments
    );
END
$$;
COMMENT ON FUNCTION orgstream.install_arrivals(text, text, json) IS 'Installs the triggers that tell of arrivals in a table, or renews them; the keys are arrays of columns.';
