-- What the prover keeps beside the pipeline: two orgs, a slot for each key, and a witness of every effect.

-- name: install
-- A slot is a key that a record may have. Its version rises with each change of what stands under the key,
-- in the order of the commits: whoever changes it keeps the row locked to the end of the transaction.
-- The state of a record is its version, two stamps and the hash of a text; every change brings a new stamp
-- into one of the three, so that a change that is passed over shows in the next one.
CREATE SCHEMA emea;
CREATE TABLE emea.account (key text PRIMARY KEY, version bigint, a bigint, b bigint, c text);
CREATE SCHEMA us;
CREATE TABLE us.account (LIKE emea.account INCLUDING ALL);
CREATE SCHEMA orgstream_prove;
CREATE TABLE orgstream_prove.slot (
    key text PRIMARY KEY,
    version bigint NOT NULL DEFAULT 0,
    filled boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
CREATE TABLE orgstream_prove.writer (number integer PRIMARY KEY, signed bigint NOT NULL);
CREATE TABLE orgstream_prove.effect (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    key text NOT NULL,
    state bigint [],
    bound bigint NOT NULL
);

CREATE FUNCTION orgstream_prove.state_of(version bigint, a bigint, b bigint, c text) RETURNS bigint []
LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY[version, a, b, hashtextextended(c, 0)]
$$;

CREATE FUNCTION orgstream_prove.turn(slot_key text, is_filled boolean) RETURNS bigint
LANGUAGE sql AS $$
    UPDATE orgstream_prove.slot AS s SET version = s.version + 1, filled = is_filled
    WHERE s.key = slot_key
    RETURNING s.version
$$;

-- One change of what stands under a key. An empty slot takes an insert, whatever was wished; a key changes
-- to one that is free, or it is an update. What another transaction works on is left alone, unless it waits.
CREATE FUNCTION orgstream_prove.change(
    slot_key text, act text, stamp bigint, size integer, next_key text, waits boolean
) RETURNS TABLE (changes integer, key text, version bigint, a bigint, b bigint, c bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    is_filled boolean;
    is_free boolean;
    new_c text := rpad(stamp::text, greatest(size, length(stamp::text)), md5(stamp::text));
BEGIN
    IF waits THEN
        SELECT filled INTO is_filled FROM orgstream_prove.slot WHERE key = slot_key FOR UPDATE;
    ELSE
        SELECT filled INTO is_filled FROM orgstream_prove.slot WHERE key = slot_key FOR UPDATE SKIP LOCKED;
    END IF;
    IF is_filled IS NULL THEN
        RETURN;
    END IF;
    IF act = 'move' THEN
        SELECT NOT filled INTO is_free FROM orgstream_prove.slot WHERE key = next_key FOR UPDATE SKIP LOCKED;
    END IF;
    IF is_filled AND act IN ('delete', 'replace') THEN
        DELETE FROM emea.account WHERE key = slot_key;
        is_filled := act = 'delete';
        RETURN QUERY SELECT 1, slot_key, orgstream_prove.turn(slot_key, false), NULL::bigint, NULL::bigint, NULL::bigint;
    END IF;
    IF NOT is_filled THEN
        RETURN QUERY
        INSERT INTO emea.account AS e
        VALUES (slot_key, orgstream_prove.turn(slot_key, true), stamp, stamp, new_c)
        RETURNING 1, e.key, e.version, e.a, e.b, hashtextextended(e.c, 0);
    ELSIF act = 'move' AND is_free THEN
        RETURN QUERY SELECT 0, slot_key, orgstream_prove.turn(slot_key, false), NULL::bigint, NULL::bigint, NULL::bigint;
        RETURN QUERY
        UPDATE emea.account AS e
        SET key = next_key, version = orgstream_prove.turn(next_key, true), a = stamp
        WHERE e.key = slot_key
        RETURNING 1, e.key, e.version, e.a, e.b, hashtextextended(e.c, 0);
    ELSIF act <> 'delete' THEN
        RETURN QUERY
        UPDATE emea.account AS e
        SET
            version = orgstream_prove.turn(slot_key, true),
            a = CASE WHEN act IN ('a', 'move') THEN stamp ELSE e.a END,
            b = CASE act WHEN 'b' THEN stamp ELSE e.b END,
            c = CASE act WHEN 'c' THEN new_c ELSE e.c END
        WHERE e.key = slot_key
        RETURNING 1, e.key, e.version, e.a, e.b, hashtextextended(e.c, 0);
    END IF;
END
$$;

-- `bound` is the version that was committed when the effect took place: none may be of a later one.
CREATE FUNCTION orgstream_prove.witness() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND OLD.key <> NEW.key THEN
        INSERT INTO orgstream_prove.effect (key, bound)
        SELECT OLD.key, coalesce((SELECT s.version FROM orgstream_prove.slot AS s WHERE s.key = OLD.key), 0);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO orgstream_prove.effect (key, state, bound)
        SELECT
            NEW.key,
            orgstream_prove.state_of(NEW.version, NEW.a, NEW.b, NEW.c),
            coalesce((SELECT s.version FROM orgstream_prove.slot AS s WHERE s.key = NEW.key), 0);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER orgstream_prove_witness AFTER INSERT OR UPDATE OR DELETE ON us.account
FOR EACH ROW EXECUTE FUNCTION orgstream_prove.witness();

-- name: make_slots
INSERT INTO orgstream_prove.slot (key)
SELECT 'k' || n
FROM generate_series(1, %(slots)s) AS n;

-- name: prepare_writer
-- Writers meet in any order: a deadlock is soon found, and is one more transaction that is rolled back.
SELECT
    set_config('deadlock_timeout', '100ms', false),
    set_config('lock_timeout', '5s', false);

-- name: change
-- Wishes in their order, and what each came to.
SELECT
    d.changes,
    d.key,
    d.version,
    d.a,
    d.b,
    d.c
FROM
    json_to_recordset(%(wishes)s::json)
        AS w (key text, act text, stamp bigint, size integer, next_key text, waits boolean)
CROSS JOIN LATERAL orgstream_prove.change(w.key, w.act, w.stamp, w.size, w.next_key, w.waits) AS d;

-- name: sign
-- Each transaction leaves its number in its writer's row. Transaction ids would not do: after a crash Postgres
-- gives those again of which nothing had come to the disk.
INSERT INTO orgstream_prove.writer (number, signed) VALUES (%(writer)s, %(number)s)
ON CONFLICT (number) DO UPDATE SET signed = excluded.signed;

-- name: signed
-- The last transaction of a writer that has committed; waits for one that is still at it.
SELECT signed
FROM orgstream_prove.writer
WHERE number = %(writer)s
FOR UPDATE;

-- name: effects
SELECT
    id,
    xid::text::bigint AS xid,
    key,
    state,
    bound
FROM orgstream_prove.effect
ORDER BY id;

-- name: forget_effects
DELETE FROM orgstream_prove.effect
WHERE id = any(%(ids)s::bigint []);

-- name: ends
-- What stands under each key in the end: in the source, and in the target.
SELECT
    s.key,
    s.version,
    CASE WHEN e.key IS NOT NULL THEN orgstream_prove.state_of(e.version, e.a, e.b, e.c) END AS source,
    CASE WHEN u.key IS NOT NULL THEN orgstream_prove.state_of(u.version, u.a, u.b, u.c) END AS target
FROM orgstream_prove.slot AS s
LEFT JOIN emea.account AS e ON s.key = e.key
LEFT JOIN us.account AS u ON s.key = u.key;

-- name: strangers
-- Rows of the target under keys that were never given.
SELECT u.key
FROM us.account AS u
WHERE NOT EXISTS (SELECT FROM orgstream_prove.slot AS s WHERE s.key = u.key);

-- name: totals
-- Changes captured, those that the ledger holds, writes in the ledger, open letters, and changes that wait.
SELECT
    (SELECT count(*) FROM orgstream.change_queue),
    (SELECT count(DISTINCT change_id) FROM orgstream.applied),
    (SELECT count(*) FROM orgstream.applied),
    (SELECT count(*) FROM orgstream.dead_letter WHERE resolved_at IS NULL),
    (SELECT count(*) FROM orgstream.held_change);

-- name: progress
-- How far everything has come, in a row that changes as long as anything moves.
SELECT
    (SELECT max(id) FROM orgstream.tick),
    (
        SELECT array_agg((l.position_tick, l.position_ordinal)::text ORDER BY l.partition)
        FROM orgstream.lease AS l
        WHERE l.stage = 'apply'
    );

-- name: behind
-- Partitions that have not applied all that was published, with who holds each.
SELECT
    l.partition,
    coalesce(l.holder, 'nobody'),
    l.position_tick,
    l.position_ordinal
FROM orgstream.lease AS l
WHERE l.stage = 'apply' AND l.position_tick < (SELECT max(t.id) FROM orgstream.tick AS t)
ORDER BY l.partition;

-- name: server_processes
-- Every process of the server, as a crash takes them all.
SELECT pid
FROM pg_stat_activity
WHERE pid <> pg_backend_pid();

-- name: pipeline_sessions
SELECT pid
FROM pg_stat_activity
WHERE starts_with(application_name, 'orgstream-') AND application_name <> 'orgstream-prove';

-- name: cut_session
SELECT pg_terminate_backend(%(pid)s);
