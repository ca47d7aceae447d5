-- Conflicts: when and where the values of contested records were edited, and what was decided between two edits.

CREATE TABLE orgstream.stamped_table (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    key text [] NOT NULL CHECK (cardinality(key) > 0),
    columns text [] NOT NULL,
    time_column text,
    PRIMARY KEY (table_schema, table_name)
);
COMMENT ON TABLE orgstream.stamped_table IS 'The tables whose records can meet edits of several orgs, so that their stamps are kept.';
COMMENT ON COLUMN orgstream.stamped_table.table_schema IS 'Schema of the table.';
COMMENT ON COLUMN orgstream.stamped_table.table_name IS 'Name of the table.';
COMMENT ON COLUMN orgstream.stamped_table.key IS 'The columns by which the stamps of its records are found.';
COMMENT ON COLUMN orgstream.stamped_table.columns IS 'The columns that rules read or write: edits of others are not noted.';
COMMENT ON COLUMN orgstream.stamped_table.time_column IS 'The column in which Salesforce says when the record was edited; NULL for plain tables.';

CREATE TABLE orgstream.record_stamp (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    stamps jsonb NOT NULL DEFAULT '{}',
    deleted jsonb,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (table_schema, table_name, key)
) WITH (fillfactor = 70);
CREATE INDEX record_stamp_tombstone ON orgstream.record_stamp (written_at) WHERE deleted IS NOT NULL;
COMMENT ON TABLE orgstream.record_stamp IS 'When and where the present values of contested records were edited, and the tombstones of those deleted.';
COMMENT ON COLUMN orgstream.record_stamp.table_schema IS 'Schema of the record''s table.';
COMMENT ON COLUMN orgstream.record_stamp.table_name IS 'The record''s table.';
COMMENT ON COLUMN orgstream.record_stamp.key IS 'The record''s key (stamped_table.key), as the text of its JSON.';
COMMENT ON COLUMN orgstream.record_stamp.stamps IS 'Column -> [microseconds since 1970, schema.table of the edit]; "*" is of every column that has none.';
COMMENT ON COLUMN orgstream.record_stamp.deleted IS 'The stamp of its delete, while the record is not there. Kept as long as changes are.';
COMMENT ON COLUMN orgstream.record_stamp.xid IS 'The transaction that wrote it: by that the trigger knows what apply wrote just now.';
COMMENT ON COLUMN orgstream.record_stamp.written_at IS 'When it was written.';

CREATE TABLE orgstream.change_stamp (
    change_id bigint PRIMARY KEY,
    stamps jsonb NOT NULL
);
COMMENT ON TABLE orgstream.change_stamp IS 'The stamps of a contested record as a change left them: they travel with the change. Kept as long as changes are.';
COMMENT ON COLUMN orgstream.change_stamp.change_id IS 'The change, in change_queue.';
COMMENT ON COLUMN orgstream.change_stamp.stamps IS 'As in record_stamp; of a delete, its own stamp under "*".';

CREATE TABLE orgstream.conflict (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    change_id bigint NOT NULL,
    rule_id integer NOT NULL,
    rule text NOT NULL,
    target_table text NOT NULL,
    key json NOT NULL,
    column_name text,
    source_value json,
    target_value json,
    winner text NOT NULL CHECK (winner IN ('source', 'target', 'nobody')),
    policy text NOT NULL,
    why text NOT NULL,
    source_edited_at timestamptz,
    source_edited_in text NOT NULL,
    target_edited_at timestamptz,
    target_edited_in text NOT NULL
);
CREATE INDEX conflict_happened ON orgstream.conflict (happened_at);
COMMENT ON TABLE orgstream.conflict IS 'Every conflict between an edit of the source and one of the target, and how it was decided. Losing values are kept here only.';
COMMENT ON COLUMN orgstream.conflict.id IS 'Rises with time.';
COMMENT ON COLUMN orgstream.conflict.happened_at IS 'When it was decided.';
COMMENT ON COLUMN orgstream.conflict.change_id IS 'The change of the source, in change_queue.';
COMMENT ON COLUMN orgstream.conflict.rule_id IS 'The number of the rule.';
COMMENT ON COLUMN orgstream.conflict.rule IS 'The rule that carried the change.';
COMMENT ON COLUMN orgstream.conflict.target_table IS 'schema.table of the target record.';
COMMENT ON COLUMN orgstream.conflict.key IS 'The target record''s key.';
COMMENT ON COLUMN orgstream.conflict.column_name IS 'The target column; NULL where one side deleted the record.';
COMMENT ON COLUMN orgstream.conflict.source_value IS 'The value that the rule would write.';
COMMENT ON COLUMN orgstream.conflict.target_value IS 'The value that was there.';
COMMENT ON COLUMN orgstream.conflict.winner IS 'source, target, or nobody: a dead letter waits for a person.';
COMMENT ON COLUMN orgstream.conflict.policy IS 'The policy that decided.';
COMMENT ON COLUMN orgstream.conflict.why IS 'Why, in words.';
COMMENT ON COLUMN orgstream.conflict.source_edited_at IS 'When the source''s value was edited; NULL where that is not known.';
COMMENT ON COLUMN orgstream.conflict.source_edited_in IS 'schema.table of that edit.';
COMMENT ON COLUMN orgstream.conflict.target_edited_at IS 'When the target''s value was edited; NULL where that is not known.';
COMMENT ON COLUMN orgstream.conflict.target_edited_in IS 'schema.table of that edit.';

CREATE FUNCTION orgstream.as_agreed(value json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    said CONSTANT text := value #>> '{}';
    number numeric;
BEGIN
    IF json_typeof(value) = 'number' THEN
        number := said::numeric;
        IF number <> 0 THEN
            number := round(number, 14 - floor(log(abs(number)))::integer);
        END IF;
        RETURN trim_scale(number)::text;
    END IF;
    IF said ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]+$' THEN
        RETURN left(said, 19);
    END IF;
    RETURN nullif(btrim(said), '');
END
$$;
COMMENT ON FUNCTION orgstream.as_agreed(json) IS 'A value as Salesforce keeps it: trimmed, without empty texts, with 15 digits and whole seconds.';

-- Runs after capture (by its name), for the same row. A writer that holds the record's row lock is the only one
-- to write its stamps. An edit made on top of another one is later than it, whatever the clocks say.
CREATE FUNCTION orgstream.stamp_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key_columns CONSTANT text [] := TG_ARGV[0]::text [];
    columns CONSTANT text [] := TG_ARGV[1]::text [];
    time_column CONSTANT text := nullif(TG_ARGV[2], '');
    own CONSTANT text := TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
    is_ours CONSTANT boolean := coalesce(current_setting('orgstream.path', true), '') <> '';
    is_salesforce CONSTANT boolean := current_setting('xmlbinary') = 'hex';
    before json;
    after json;
    old_key text;
    new_key text;
    known orgstream.record_stamp;
    moved jsonb;
    edited bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    fresh jsonb;
    found jsonb;
BEGIN
    -- Where somebody has disabled capture, there is no change that the stamps could travel with.
    IF NOT EXISTS (
        SELECT
        FROM pg_trigger AS t
        WHERE
            t.tgrelid = TG_RELID AND t.tgenabled IN ('O', 'A')
            AND t.tgname = CASE TG_OP WHEN 'UPDATE' THEN '00_orgstream_update' ELSE '00_orgstream_capture' END
    ) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        before := orgstream.without_nul(row_to_json(OLD));
        old_key := orgstream.identity_of(before, key_columns)::text;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := orgstream.without_nul(row_to_json(NEW));
        new_key := orgstream.identity_of(after, key_columns)::text;
        IF (after ->> time_column) <> '' AND (before ->> time_column) IS DISTINCT FROM (after ->> time_column) THEN
            edited := (extract(epoch FROM (after ->> time_column)::timestamp AT TIME ZONE 'UTC') * 1000000)::bigint;
        END IF;
    END IF;
    IF EXISTS (SELECT FROM unnest(key_columns) AS c WHERE (before ->> c) IS NULL) THEN
        old_key := NULL;  -- until now it could not be recognised
    END IF;
    IF EXISTS (SELECT FROM unnest(key_columns) AS c WHERE (after ->> c) IS NULL) THEN
        new_key := NULL;
    END IF;
    IF old_key <> new_key OR (new_key IS NULL AND TG_OP = 'UPDATE') THEN
        DELETE FROM orgstream.record_stamp AS s
        WHERE s.table_schema = TG_TABLE_SCHEMA AND s.table_name = TG_TABLE_NAME AND s.key = old_key
        RETURNING s.stamps INTO moved;
    END IF;
    IF new_key IS NULL AND (TG_OP <> 'DELETE' OR old_key IS NULL) THEN
        RETURN NULL;
    END IF;
    SELECT s.* INTO known
    FROM orgstream.record_stamp AS s
    WHERE s.table_schema = TG_TABLE_SCHEMA AND s.table_name = TG_TABLE_NAME AND s.key = coalesce(new_key, old_key);
    found := coalesce(moved, '{}') || coalesce(known.stamps, '{}');
    IF is_ours AND known.xid = pg_current_xact_id() THEN
        IF TG_OP = 'DELETE' AND known.deleted IS NULL THEN
            -- The same transaction makes the record again: it is to find its stamps, which are all above this one.
            INSERT INTO orgstream.change_stamp (change_id, stamps)
            SELECT
                currval('orgstream.change_queue_id_seq'),
                jsonb_build_object('*', jsonb_build_array(coalesce(min((e.value ->> 0)::bigint), edited) - 1, own))
            FROM jsonb_each(found) AS e;
            RETURN NULL;
        END IF;
        IF TG_OP = 'DELETE' THEN
            found := jsonb_build_object('*', known.deleted);
        END IF;
        fresh := found;
    ELSIF TG_OP = 'INSERT' THEN
        edited := greatest(edited, (known.deleted ->> 0)::bigint + 1);
        found := jsonb_build_object('*', jsonb_build_array(edited, own));
        fresh := found;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT greatest(edited, max((e.value ->> 0)::bigint) + 1) INTO edited FROM jsonb_each(found) AS e;
        fresh := jsonb_build_object('*', jsonb_build_array(edited, own));
        found := fresh;
    ELSE
        SELECT jsonb_object_agg(
            c, jsonb_build_array(greatest(edited, (coalesce(found -> c, found -> '*') ->> 0)::bigint + 1), own)
        ) INTO fresh
        FROM unnest(columns) AS c
        WHERE
            (before -> c)::text IS DISTINCT FROM (after -> c)::text
            AND NOT (is_salesforce AND orgstream.as_agreed(before -> c) IS NOT DISTINCT FROM orgstream.as_agreed(after -> c));
        found := found || coalesce(fresh, '{}');
    END IF;
    IF fresh IS NULL AND moved IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO orgstream.record_stamp AS s (table_schema, table_name, key, stamps, deleted)
    VALUES (
        TG_TABLE_SCHEMA, TG_TABLE_NAME, coalesce(new_key, old_key),
        CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE found END,
        CASE WHEN TG_OP = 'DELETE' THEN found -> '*' END
    )
    ON CONFLICT (table_schema, table_name, key) DO UPDATE
        SET stamps = excluded.stamps, deleted = excluded.deleted, xid = excluded.xid, written_at = excluded.written_at
        WHERE (s.stamps, s.deleted) IS DISTINCT FROM (excluded.stamps, excluded.deleted);
    INSERT INTO orgstream.change_stamp (change_id, stamps)
    VALUES (currval('orgstream.change_queue_id_seq'), found);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION orgstream.stamp_change() IS 'Row trigger of contested tables: notes when and where the changed columns were edited. Its arguments are those of stamped_table.';

CREATE FUNCTION orgstream.forget_stamps(table_schema text, table_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orgstream.remove_triggers(
        table_schema, table_name, ARRAY['00_orgstream_z_stamp', '00_orgstream_z_stamp_update']
    );
    DELETE FROM orgstream.stamped_table AS s
    WHERE s.table_schema = forget_stamps.table_schema AND s.table_name = forget_stamps.table_name;
    DELETE FROM orgstream.record_stamp AS s
    WHERE s.table_schema = forget_stamps.table_schema AND s.table_name = forget_stamps.table_name;
END
$$;
COMMENT ON FUNCTION orgstream.forget_stamps(text, text) IS 'Keeps no stamps of a table any more, and drops those there are.';

CREATE FUNCTION orgstream.keep_stamps(
    table_schema text, table_name text, key text [], columns text [], time_column text, is_captured boolean
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    target regclass := format('%I.%I', table_schema, table_name)::regclass;
BEGIN
    PERFORM orgstream.remove_triggers(
        table_schema, table_name, ARRAY['00_orgstream_z_stamp', '00_orgstream_z_stamp_update']
    );
    IF is_captured THEN
        EXECUTE format(
            'CREATE TRIGGER "00_orgstream_z_stamp" AFTER INSERT OR DELETE ON %s'
            ' FOR EACH ROW EXECUTE FUNCTION orgstream.stamp_change(%L, %L, %L)',
            target, key, columns, coalesce(time_column, '')
        );
        EXECUTE format(
            'CREATE TRIGGER "00_orgstream_z_stamp_update" AFTER UPDATE ON %s'
            ' FOR EACH ROW WHEN (OLD.* OPERATOR(pg_catalog.*<>) NEW.*)'
            ' EXECUTE FUNCTION orgstream.stamp_change(%L, %L, %L)',
            target, key, columns, coalesce(time_column, '')
        );
    END IF;
    -- By other columns the stamps that there are would not be found again.
    DELETE FROM orgstream.record_stamp AS s
    USING orgstream.stamped_table AS t
    WHERE
        t.table_schema = keep_stamps.table_schema AND t.table_name = keep_stamps.table_name
        AND s.table_schema = t.table_schema AND s.table_name = t.table_name AND t.key <> keep_stamps.key;
    INSERT INTO orgstream.stamped_table VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT stamped_table_pkey DO UPDATE
        SET key = excluded.key, columns = excluded.columns, time_column = excluded.time_column;
END
$$;
COMMENT ON FUNCTION orgstream.keep_stamps(text, text, text [], text [], text, boolean) IS 'Keeps the stamps of a table: by a trigger where it is captured, else by apply alone.';

CREATE FUNCTION orgstream.tell(answers json) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    a record;
    drawn bigint;
BEGIN
    FOR a IN
        SELECT r.*, c.identity
        FROM json_to_recordset(answers) AS r (
            table_schema text, table_name text, operation text, before json, after json, stamps jsonb
        )
        INNER JOIN orgstream.captured_table AS c USING (table_schema, table_name)
    LOOP
        INSERT INTO orgstream.change_queue (table_schema, table_name, operation, key, before, after, origin)
        VALUES (
            a.table_schema, a.table_name, a.operation, orgstream.identity_of(coalesce(a.after, a.before), a.identity),
            a.before, a.after, 'orgstream'
        )
        RETURNING id INTO drawn;
        INSERT INTO orgstream.change_stamp (change_id, stamps) VALUES (drawn, a.stamps);
    END LOOP;
    IF coalesce(pg_sequence_last_value('orgstream.relay_state'), 1) <> 2 THEN
        PERFORM pg_notify('orgstream_relay', '');
    END IF;
END
$$;
COMMENT ON FUNCTION orgstream.tell(json) IS 'Queues records once more, as they stand: for those whose older edits lost against them.';
