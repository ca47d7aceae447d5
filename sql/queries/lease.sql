-- name: prepare
-- A row for every partition of every stage; they stay for good.
INSERT INTO orgstream.lease (stage, partition)
SELECT
    s.stage,
    p.partition
FROM unnest(%(stages)s::text []) AS s (stage), generate_series(0, %(partitions)s::smallint - 1) AS p (partition)
ON CONFLICT DO NOTHING;

-- name: partitions
-- How many partitions this database was begun with; none before the first worker.
SELECT count(*)
FROM orgstream.lease
WHERE stage = 'apply';

-- name: serialise
-- Grants are made one process at a time, so that a partition is granted with all its stages or not at all.
SELECT pg_advisory_xact_lock(hashtext('orgstream.lease'));

-- name: grant
-- Free ones of some partitions, all wanted stages of each, with a new term. Free is also what a process holds
-- whose session is gone: it was killed, and can commit nothing more. Should it live and only have lost its
-- connection, the term refuses it like any other former holder. What is locked is not free, whatever its end
-- says: its holder is in the middle of a transaction that the fence has let in, and that cannot last for ever.
WITH gone AS (
    SELECT id
    FROM orgstream.process
    WHERE orgstream.session_ended(backend_pid, backend_start)
),

free AS (
    SELECT
        stage,
        partition
    FROM orgstream.lease
    WHERE
        stage = ANY(%(stages)s) AND partition = ANY(%(partitions)s)
        AND (
            holder IS NULL OR holder = %(holder)s OR expires_at < clock_timestamp()
            OR holder IN (SELECT gone.id FROM gone)
        )
    FOR UPDATE SKIP LOCKED
),

whole AS (
    SELECT partition
    FROM free
    GROUP BY partition
    HAVING count(*) = cardinality(%(stages)s::text [])
    ORDER BY partition
    LIMIT %(count)s
)

UPDATE orgstream.lease AS l
SET
    holder = %(holder)s,
    term = l.term + 1,
    expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
FROM whole
WHERE l.stage = ANY(%(stages)s) AND l.partition = whole.partition
RETURNING l.stage, l.partition, l.term, l.position_tick, l.position_ordinal;

-- name: renew
-- What of our leases is still ours.
UPDATE orgstream.lease
SET expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
WHERE holder = %(holder)s AND stage = ANY(%(stages)s)
RETURNING stage, partition, term;

-- name: release
UPDATE orgstream.lease
SET holder = NULL, expires_at = '-infinity'
WHERE holder = %(holder)s AND stage = ANY(%(stages)s) AND partition = ANY(%(partitions)s);

-- name: advance
-- The fence of the apply transaction: it moves the positions of the partitions it applies, and the row
-- locks last to its end. Fewer rows than partitions means that a lease is lost. A position never goes back:
-- entries may come again. It tells the epoch of what is held, as of the transaction.
UPDATE orgstream.lease AS l
SET
    position_tick = greatest(a.tick, l.position_tick),
    position_ordinal = CASE
        WHEN a.tick > l.position_tick THEN a.ordinal
        WHEN a.tick = l.position_tick THEN greatest(a.ordinal, l.position_ordinal)
        ELSE l.position_ordinal
    END,
    position_captured_at = coalesce(a.captured_at, l.position_captured_at)
FROM
    unnest(
        %(partitions)s::smallint [], %(terms)s::bigint [], %(ticks)s::bigint [], %(ordinals)s::bigint [],
        %(captured_at)s::timestamptz []
    ) AS a (partition, term, tick, ordinal, captured_at)
WHERE l.stage = 'apply' AND l.partition = a.partition AND l.term = a.term AND l.holder = %(holder)s
RETURNING (SELECT h.epoch FROM orgstream.hold_epoch AS h);

-- name: positions
-- How far each partition is applied.
SELECT
    partition,
    position_tick,
    position_ordinal
FROM orgstream.lease
WHERE stage = 'apply';

-- name: newest_tick
SELECT coalesce(max(id), 0)
FROM orgstream.tick;

-- name: announce
-- That a process lives, what it does, and by which session.
INSERT INTO orgstream.process (id, kind, host, pid, stages, metrics_address, backend_pid, backend_start)
SELECT
    %(id)s,
    %(kind)s,
    %(host)s,
    %(pid)s,
    %(stages)s,
    %(metrics_address)s,
    a.pid AS backend_pid,
    a.backend_start
FROM pg_stat_get_activity(pg_backend_pid()) AS a
ON CONFLICT (id) DO UPDATE SET
    seen_at = clock_timestamp(),
    metrics_address = excluded.metrics_address,
    backend_pid = excluded.backend_pid,
    backend_start = excluded.backend_start;

-- name: forget
-- A process that ends, and any that ended without a word.
DELETE FROM orgstream.process
WHERE id = %(id)s OR seen_at < clock_timestamp() - interval '1 hour';

-- name: sharers
-- The living processes of each stage, the oldest first.
SELECT
    s.stage,
    array_agg(p.id ORDER BY p.started_at, p.id)
FROM unnest(%(stages)s::text []) AS s (stage)
INNER JOIN orgstream.process AS p ON s.stage = any(p.stages)
WHERE
    p.seen_at > clock_timestamp() - %(seconds)s * interval '1 second'
    AND NOT orgstream.session_ended(p.backend_pid, p.backend_start)
GROUP BY s.stage;
