-- One mapped table. {table} is its name, {column} one of its columns.

-- name: create
CREATE TABLE IF NOT EXISTS {schema}.{table} (id serial PRIMARY KEY);

-- name: extend
ALTER TABLE {schema}.{table} ADD COLUMN IF NOT EXISTS {column} {column_type};

-- name: index
CREATE INDEX IF NOT EXISTS {index} ON {schema}.{table} ({column});

-- name: unique_index
CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {schema}.{table} ({column});

-- name: capture
-- {state} is compiled in: NEW for a read-write mapping, READONLY for a read-only one.
-- hstore() and get_xmlbinary() are found by the writer's search_path, as in the original.
CREATE OR REPLACE FUNCTION {schema}.{logger}() RETURNS trigger
LANGUAGE plpgsql AS $connect$
DECLARE
    never CONSTANT text [] := ARRAY['_hc_lastop', '_hc_err'];
    entry {schema}._trigger_log;
BEGIN
    entry.id := nextval({sequence});
    entry.txid := txid_current();
    entry.created_at := clock_timestamp();
    entry.state := {state};
    entry.action := TG_OP;
    entry.table_name := TG_TABLE_NAME;
    IF TG_OP = 'INSERT' THEN
        entry.record_id := NEW.id;
        entry."values" := (hstore(NEW) - never)::text;
    ELSE
        entry.record_id := OLD.id;
        entry.sfid := OLD.sfid;
        entry.old := (hstore(OLD) - never)::text;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        entry.record_id := NEW.id;
        entry."values" := (hstore(NEW) - hstore(OLD) - never)::text;
        IF entry.state = 'NEW' AND entry."values" = '' THEN
            entry.state := 'IGNORE';  -- nothing changed
        END IF;
    ELSIF TG_OP = 'DELETE' AND entry.state = 'NEW' AND OLD.sfid IS NULL THEN
        entry.state := 'IGNORE';  -- Salesforce never had it, or its insert is still under way
    END IF;
    INSERT INTO {schema}._trigger_log VALUES (entry.*);
    RETURN NULL;
END
$connect$;
CREATE OR REPLACE TRIGGER {logtrigger} AFTER INSERT OR UPDATE OR DELETE ON {schema}.{table}
FOR EACH ROW WHEN (public.get_xmlbinary() = 'base64') EXECUTE FUNCTION {schema}.{logger}();

-- name: status
CREATE OR REPLACE FUNCTION {schema}.{status}() RETURNS trigger
LANGUAGE plpgsql AS $connect$
BEGIN
    IF get_xmlbinary() = 'base64' THEN  -- an application wrote
        NEW._hc_lastop := 'PENDING';
        NEW._hc_err := NULL;
    ELSIF TG_OP = 'UPDATE' AND NEW._hc_lastop <> OLD._hc_lastop THEN
        NULL;  -- Heroku Connect wrote a new status: it stays
    ELSE  -- also when it wrote the status that was there, FAILED over FAILED too
        NEW._hc_lastop := 'SYNCED';
        NEW._hc_err := NULL;
    END IF;
    RETURN NEW;
END
$connect$;
CREATE OR REPLACE TRIGGER {status_trigger} BEFORE INSERT OR UPDATE ON {schema}.{table}
FOR EACH ROW EXECUTE FUNCTION {schema}.{status}();

-- name: no_status
DROP TRIGGER IF EXISTS {status_trigger} ON {schema}.{table};
