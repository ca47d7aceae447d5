-- Capture: the trigger functions, and the functions that install and remove the triggers.

-- A json column may hold the escape of a character that Postgres cannot have. A backslash before it makes it text
-- like any other.
CREATE FUNCTION orgstream.without_nul(document json) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    slash CONSTANT pg_catalog.text := pg_catalog.chr(92);
    nul CONSTANT pg_catalog.text := slash OPERATOR(pg_catalog.||) 'u0000';
BEGIN
    IF pg_catalog.strpos(document::pg_catalog.text, nul) OPERATOR(pg_catalog.=) 0 THEN
        RETURN document;
    END IF;
    RETURN pg_catalog.regexp_replace(
        document::pg_catalog.text,
        pg_catalog.replace('(?<!/)((?://)*)/u0000', '/', slash OPERATOR(pg_catalog.||) slash),
        slash OPERATOR(pg_catalog.||) '1',
        'g'
    );
END
$$;
COMMENT ON FUNCTION orgstream.without_nul(json) IS 'The document without the escapes of the character 0, which Postgres cannot read.';

CREATE FUNCTION orgstream.identity_of(record json, columns text []) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    nul CONSTANT pg_catalog.text := pg_catalog.chr(92) OPERATOR(pg_catalog.||) 'u0000';
BEGIN
    IF pg_catalog.strpos(record::pg_catalog.text, nul) OPERATOR(pg_catalog.>) 0 THEN
        record := orgstream.without_nul(record);  -- the writer must not fail for it
    END IF;
    IF pg_catalog.cardinality(columns) OPERATOR(pg_catalog.=) 1 THEN  -- the usual case, without a query
        RETURN pg_catalog.json_build_object(columns[1], pg_catalog.json_object_field(record, columns[1]));
    END IF;
    RETURN (
        SELECT pg_catalog.json_object_agg(c.name, pg_catalog.json_object_field(record, c.name) ORDER BY c.place)
        FROM pg_catalog.unnest(columns) WITH ORDINALITY AS c (name, place)
    );
END
$$;
COMMENT ON FUNCTION orgstream.identity_of(json, text []) IS 'The identity columns of a row, as a JSON object in the order given.';

-- SECURITY DEFINER, so that whoever writes to an org's table (Heroku Connect, an application) needs no
-- rights here. It has no SET clause, which would cost each row some microseconds; instead every function,
-- operator and type is named with its schema, so the caller's search_path decides nothing. (IS DISTINCT FROM
-- looks for an operator = along that path, so it is not used.)
CREATE FUNCTION orgstream.capture_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    columns CONSTANT pg_catalog.text [] := TG_ARGV[0]::pg_catalog.text [];
    path CONSTANT pg_catalog.text := pg_catalog.current_setting('orgstream.path', true);
    before pg_catalog.json;
    after pg_catalog.json;
    key pg_catalog.json;
    old_key pg_catalog.json;
BEGIN
    IF TG_OP OPERATOR(pg_catalog.<>) 'INSERT' THEN
        before := pg_catalog.row_to_json(OLD);
        key := orgstream.identity_of(before, columns);
    END IF;
    IF TG_OP OPERATOR(pg_catalog.<>) 'DELETE' THEN
        old_key := key;
        after := pg_catalog.row_to_json(NEW);
        key := orgstream.identity_of(after, columns);
        IF old_key::pg_catalog.text OPERATOR(pg_catalog.=) key::pg_catalog.text THEN
            old_key := NULL;
        END IF;
    END IF;
    INSERT INTO orgstream.change_queue
        (table_schema, table_name, operation, key, old_key, before, after, origin, path)
    VALUES (
        TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP, key, old_key, before, after,
        CASE
            WHEN path OPERATOR(pg_catalog.<>) '' THEN 'orgstream'
            -- Heroku Connect marks its own sessions so; see docs/connect.md.
            WHEN pg_catalog.current_setting('xmlbinary') OPERATOR(pg_catalog.=) 'hex' THEN 'salesforce'
            ELSE 'application'
        END,
        CASE WHEN path OPERATOR(pg_catalog.<>) '' THEN pg_catalog.string_to_array(path, ',') ELSE '{}' END
    );
    IF COALESCE(pg_catalog.pg_sequence_last_value('orgstream.relay_state'), 1) OPERATOR(pg_catalog.<>) 2 THEN
        PERFORM pg_catalog.pg_notify('orgstream_relay', '');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION orgstream.capture_change() IS 'Row trigger: writes one change_queue row. Its argument is the array of identity columns.';

CREATE FUNCTION orgstream.capture_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO orgstream.change_queue (table_schema, table_name, operation, origin)
    VALUES (TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP, 'application');
    PERFORM pg_catalog.pg_notify('orgstream_relay', '');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION orgstream.capture_truncate() IS 'Statement trigger: records that a table was emptied. It sends no deletes.';

CREATE FUNCTION orgstream.remove_triggers(table_schema text, table_name text, triggers text []) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    target regclass := to_regclass(format('%I.%I', table_schema, table_name));
    trigger_name text;
BEGIN
    IF target IS NOT NULL THEN
        FOREACH trigger_name IN ARRAY triggers LOOP
            EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', trigger_name, target);
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION orgstream.remove_triggers(text, text, text []) IS 'Removes triggers from a table, where it is there and has them.';

CREATE FUNCTION orgstream.remove_capture(table_schema text, table_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orgstream.remove_triggers(
        table_schema, table_name, ARRAY['00_orgstream_capture', '00_orgstream_update', '00_orgstream_truncate']
    );
    DELETE FROM orgstream.captured_table AS c
    WHERE c.table_schema = remove_capture.table_schema AND c.table_name = remove_capture.table_name;
END
$$;
COMMENT ON FUNCTION orgstream.remove_capture(text, text) IS 'Removes the capture triggers of a table, where it has them.';

-- The names begin with 00 because triggers fire by name: should a later one write the same record again,
-- that second change is then captured second.
CREATE FUNCTION orgstream.install_capture(table_schema text, table_name text, identity text []) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    target regclass := format('%I.%I', table_schema, table_name)::regclass;
    missing text;
BEGIN
    SELECT c INTO missing
    FROM unnest(identity) AS c
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = c AND NOT a.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE undefined_column USING
            MESSAGE = format('%s has no column %I, which its identity names', target, missing);
    END IF;
    PERFORM orgstream.remove_capture(table_schema, table_name);
    EXECUTE format(
        'CREATE TRIGGER "00_orgstream_capture" AFTER INSERT OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION orgstream.capture_change(%L)', target, identity
    );
    -- *<> compares images, so it knows every type; an update that changes nothing is no change.
    EXECUTE format(
        'CREATE TRIGGER "00_orgstream_update" AFTER UPDATE ON %s'
        ' FOR EACH ROW WHEN (OLD.* OPERATOR(pg_catalog.*<>) NEW.*)'
        ' EXECUTE FUNCTION orgstream.capture_change(%L)', target, identity
    );
    EXECUTE format(
        'CREATE TRIGGER "00_orgstream_truncate" AFTER TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION orgstream.capture_truncate()', target
    );
    INSERT INTO orgstream.captured_table (table_schema, table_name, identity) VALUES ($1, $2, $3);
END
$$;
COMMENT ON FUNCTION orgstream.install_capture(text, text, text []) IS 'Installs the capture triggers on a table, or renews them.';
