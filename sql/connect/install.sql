-- What one Heroku Connect add-on brings besides its mapped tables. {schema} is the add-on's schema.

-- name: shared
-- Shared by all add-ons of a database. What is there already is left alone: it may be the real one.
CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;
DO $$
BEGIN
    IF to_regprocedure('public.get_xmlbinary()') IS NULL THEN
        CREATE FUNCTION public.get_xmlbinary() RETURNS varchar
        LANGUAGE plpgsql AS $body$
        BEGIN
            -- Heroku Connect looks it up in pg_settings: the same answer, 0.6 ms later, for every row written.
            RETURN current_setting('xmlbinary');
        END
        $body$;
    END IF;
END
$$;
CREATE SCHEMA IF NOT EXISTS {schema};

-- name: logs
CREATE TABLE IF NOT EXISTS {schema}._hcmeta (
    id serial PRIMARY KEY,
    hcver integer,
    org_id varchar(50),
    details text
);

CREATE TABLE IF NOT EXISTS {schema}._sf_event_log (
    id serial PRIMARY KEY,
    table_name varchar(128),
    action varchar(7),
    synced_at timestamptz DEFAULT now(),
    sf_timestamp timestamptz,
    sfid varchar(20),
    record text,
    processed boolean
);
CREATE INDEX IF NOT EXISTS idx__sf_event_log_comp_key ON {schema}._sf_event_log (table_name, synced_at);
CREATE INDEX IF NOT EXISTS idx__sf_event_log_sfid ON {schema}._sf_event_log (sfid);

CREATE TABLE IF NOT EXISTS {schema}._trigger_log (
    id serial PRIMARY KEY,
    txid bigint,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    processed_at timestamptz,
    processed_tx bigint,
    state varchar(8),
    action varchar(7),
    table_name varchar(128),
    record_id integer,
    sfid varchar(18),
    old text,
    "values" text,
    sf_result integer,
    sf_message text
);
CREATE INDEX IF NOT EXISTS _trigger_log_idx_created_at ON {schema}._trigger_log (created_at);
CREATE INDEX IF NOT EXISTS _trigger_log_idx_state_id ON {schema}._trigger_log (state, id);
CREATE INDEX IF NOT EXISTS _trigger_log_idx_state_table_name ON {schema}._trigger_log (state, table_name)
WHERE state = 'NEW' OR state = 'PENDING';

CREATE TABLE IF NOT EXISTS {schema}._trigger_log_archive (
    id integer PRIMARY KEY,
    txid bigint,
    created_at timestamptz,
    updated_at timestamptz,
    processed_at timestamptz,
    processed_tx bigint,
    state varchar(8),
    action varchar(7),
    table_name varchar(128),
    record_id integer,
    sfid varchar(18),
    old text,
    "values" text,
    sf_result integer,
    sf_message text
);
CREATE INDEX IF NOT EXISTS _trigger_log_archive_idx_created_at ON {schema}._trigger_log_archive (created_at);
CREATE INDEX IF NOT EXISTS _trigger_log_archive_idx_record_id ON {schema}._trigger_log_archive (record_id);
CREATE INDEX IF NOT EXISTS _trigger_log_archive_idx_state_table_name
ON {schema}._trigger_log_archive (state, table_name) WHERE state = 'FAILED';

-- name: notify
-- Every captured change wakes the add-on: {channel} is '<schema>.hc_trigger_log'.
CREATE OR REPLACE FUNCTION {schema}.tlog_notify_trigger() RETURNS trigger
LANGUAGE plpgsql AS $connect$
BEGIN
    PERFORM pg_notify({channel}, 'ping');
    RETURN NEW;
END
$connect$;
CREATE OR REPLACE TRIGGER tlog_insert_trigger AFTER INSERT ON {schema}._trigger_log
FOR EACH ROW EXECUTE FUNCTION {schema}.tlog_notify_trigger();

-- name: recapture
-- What clients call to have a row sent again: as an insert, all but some columns; as an update, only some.
CREATE OR REPLACE FUNCTION {schema}.hc_capture_insert_from_row(
    source_row public.hstore, table_name varchar, excluded_cols text [] DEFAULT ARRAY[]::text []
) RETURNS integer
LANGUAGE plpgsql AS $connect$
DECLARE
    never CONSTANT text [] := ARRAY['_hc_lastop', '_hc_err'];
    entry integer;
BEGIN
    IF source_row -> 'id' IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO {schema}._trigger_log (txid, created_at, state, action, table_name, record_id, "values")
    VALUES (
        txid_current(), clock_timestamp(), 'NEW', 'INSERT', table_name, (source_row -> 'id')::integer,
        -- The keys stay, whatever the caller excludes.
        (source_row - array_remove(array_remove(excluded_cols, 'id'), 'sfid') - never)::text
    ) RETURNING id INTO entry;
    RETURN entry;
END
$connect$;

CREATE OR REPLACE FUNCTION {schema}.hc_capture_update_from_row(
    source_row public.hstore, table_name varchar, columns_to_include text [] DEFAULT ARRAY[]::text []
) RETURNS integer
LANGUAGE plpgsql AS $connect$
DECLARE
    never CONSTANT text [] := ARRAY['_hc_lastop', '_hc_err'];
    sent hstore := source_row - never;
    entry integer;
BEGIN
    IF source_row -> 'id' IS NULL THEN
        RETURN NULL;
    END IF;
    IF cardinality(columns_to_include) > 0 THEN  -- it may come as an array of arrays
        sent := slice(sent, ARRAY(SELECT unnest(columns_to_include)));
    END IF;
    INSERT INTO {schema}._trigger_log (txid, created_at, state, action, table_name, record_id, sfid, "values")
    VALUES (
        txid_current(), clock_timestamp(), 'NEW', 'UPDATE', table_name, (source_row -> 'id')::integer,
        source_row -> 'sfid', sent::text
    ) RETURNING id INTO entry;
    RETURN entry;
END
$connect$;

-- name: describe_org
INSERT INTO {schema}._hcmeta (hcver, org_id, details)
SELECT
    4,
    %(org_id)s::varchar,
    %(details)s::text
WHERE NOT EXISTS (SELECT FROM {schema}._hcmeta WHERE org_id = %(org_id)s::varchar);

-- name: one_at_a_time
SELECT pg_advisory_xact_lock(hashtext('heroku connect stand-in'));
