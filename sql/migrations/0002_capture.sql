-- Capture: the trigger functions, and the functions that install and remove the triggers.

-- SECURITY DEFINER, so that whoever writes to an org's table (Heroku Connect, an application) needs no
-- rights here. It has no SET clause, which would cost each row a few microseconds; instead every function
-- is named with its schema, so the caller's search_path decides nothing.
CREATE FUNCTION orgstream.capture_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    before json;
    after json;
    key json;
    old_key json;
    path text := pg_catalog.current_setting('orgstream.path', true);
BEGIN
    IF TG_OP <> 'INSERT' THEN
        before := pg_catalog.row_to_json(OLD);
        key := orgstream.identity_of(before, TG_ARGV);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        old_key := key;
        after := pg_catalog.row_to_json(NEW);
        key := orgstream.identity_of(after, TG_ARGV);
        IF old_key::text OPERATOR(pg_catalog.=) key::text THEN
            old_key := NULL;
        END IF;
    END IF;
    INSERT INTO orgstream.change_queue
        (table_schema, table_name, operation, key, old_key, before, after, origin, path)
    VALUES (
        TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP, key, old_key, before, after,
        orgstream.origin_of(path), pg_catalog.string_to_array(coalesce(path, ''), ',')
    );
    IF pg_catalog.pg_sequence_last_value('orgstream.relay_state'::regclass) IS DISTINCT FROM 2 THEN
        PERFORM pg_catalog.pg_notify('orgstream_relay', '');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION orgstream.capture_change() IS 'Row trigger: writes one change_queue row. Its arguments are the identity columns.';
