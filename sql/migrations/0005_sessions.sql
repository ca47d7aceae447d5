-- Each process tells by which session it works: when that is gone, whatever it held can be taken at once.

ALTER TABLE orgstream.process
ADD COLUMN backend_pid integer,
ADD COLUMN backend_start timestamptz;
COMMENT ON COLUMN orgstream.process.backend_pid IS 'The Postgres process of the session it works by.';
COMMENT ON COLUMN orgstream.process.backend_start IS 'When that session began: process ids are used again.';

CREATE FUNCTION orgstream.session_ended(backend_pid integer, backend_start timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE
AS $$
    SELECT
        $1 IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM pg_stat_get_activity($1) AS a
            WHERE a.backend_start = $2 OR a.backend_start IS NULL
        )
$$;
COMMENT ON FUNCTION orgstream.session_ended IS
'Whether a session is gone, so that nothing can be committed through it any more. Where the start of another role''s session may not be seen, it counts as there; so does a session that nobody named.';
