-- name: lock
-- One migration run at a time; the others wait and then find nothing left to do.
SELECT pg_advisory_lock(hashtext('orgstream.migrate'));

-- name: unlock
SELECT pg_advisory_unlock(hashtext('orgstream.migrate'));

-- name: prepare
-- The table of applied migrations must be there before the first migration.
DO $$
BEGIN
    IF to_regclass('orgstream.migration') IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS orgstream;
        CREATE TABLE orgstream.migration (
            name text PRIMARY KEY,
            sha256 text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            milliseconds integer NOT NULL
        );
        COMMENT ON TABLE orgstream.migration IS 'The migrations applied to this schema.';
        COMMENT ON COLUMN orgstream.migration.name IS 'Name of the file in sql/migrations.';
        COMMENT ON COLUMN orgstream.migration.sha256 IS 'Fingerprint of its text: an applied file never changes.';
        COMMENT ON COLUMN orgstream.migration.applied_at IS 'When it was applied.';
        COMMENT ON COLUMN orgstream.migration.milliseconds IS 'How long it took.';
    END IF;
END
$$;

-- name: exists
SELECT to_regclass('orgstream.migration') IS NOT NULL;

-- name: applied
SELECT
    name,
    sha256
FROM orgstream.migration;

-- name: record
INSERT INTO orgstream.migration (name, sha256, milliseconds) VALUES (%s, %s, %s);
