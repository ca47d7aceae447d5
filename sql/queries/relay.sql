-- name: last_published
-- The tick up to whose snapshot everything stands in Redis, and the ones taken but not yet published.
SELECT
    id,
    snapshot::text,
    queue_position,
    published_at IS NOT NULL AS published,
    coalesce(changes, 0) AS changes,
    xid::text::bigint AS xid,
    coalesce(
        (SELECT min(f.boundary) FROM orgstream.foundation AS f WHERE f.tick > tick.id), 9223372036854775807
    ) AS upto
FROM orgstream.tick
WHERE id >= (SELECT max(t.id) FROM orgstream.tick AS t WHERE t.published_at IS NOT NULL)
ORDER BY id;

-- name: from_tick
-- Every tick from one on (or from the last one before it), for a rebuild of the streams.
SELECT
    id,
    snapshot::text,
    queue_position,
    published_at IS NOT NULL AS published,
    coalesce(changes, 0) AS changes,
    xid::text::bigint AS xid,
    coalesce(
        (SELECT min(f.boundary) FROM orgstream.foundation AS f WHERE f.tick > tick.id), 9223372036854775807
    ) AS upto
FROM orgstream.tick
WHERE id >= (SELECT coalesce(max(t.id), 0) FROM orgstream.tick AS t WHERE t.id <= %(id)s)
ORDER BY id;

-- name: peek
-- Where the sequence stands, what is committed now, and whether a transaction that began after the last
-- tick has brought changes. The statement's own snapshot hides what is not committed.
SELECT
    (SELECT last_value FROM orgstream.change_queue_id_seq),
    pg_current_snapshot()::text,
    EXISTS (
        SELECT FROM orgstream.change_queue AS c
        WHERE c.id > %(position)s AND NOT pg_visible_in_snapshot(c.xid, %(last)s::pg_snapshot)
    );

-- name: late_news
-- Whether transactions that were open at the last tick wrote changes.
SELECT
    EXISTS (
        SELECT FROM orgstream.change_queue AS c
        WHERE c.id > %(after)s AND c.id <= %(position)s AND c.xid = any(%(xids)s::xid8 [])
    );

-- name: take_tick
-- The lease is checked and locked in the statement, so that a relay that lost it takes no tick. The
-- position was read before: transactions with a higher xid than this one drew higher change ids.
INSERT INTO orgstream.tick (id, snapshot, queue_position, queue_end, xid)
SELECT
    %(id)s,
    pg_current_snapshot(),
    %(position)s,
    (SELECT last_value FROM orgstream.change_queue_id_seq),
    pg_current_xact_id()
FROM orgstream.lease AS l
WHERE l.stage = 'relay' AND l.partition = 0 AND l.term = %(term)s
FOR SHARE OF l
RETURNING snapshot::text, xid::text::bigint;

-- name: position_before
-- A transaction draws its change ids after it got its xid. So all ids of transactions from `xid` on lie
-- above the sequence's position at the newest tick whose own xid is lower.
SELECT coalesce(max(queue_position), 0)
FROM orgstream.tick
WHERE id <= %(tick)s AND xid < %(xid)s::xid8;

-- name: batch
-- The next changes of a tick's batch: what its snapshot sees and the one before does not, by id; a number
-- of rows and an amount of bytes at most, but one at least. `upto` keeps the ticks of a place where the
-- database lived before to the changes of that place. The entry's JSON is put together here, once, of
-- parts that are JSON already; concat does that in less than half the time of row_to_json. It runs outside
-- of the subquery, so that rows beyond the bytes are not read from their toast.
SELECT
    c.id,
    convert_to(concat(c.table_schema, '.', c.table_name, c.key), 'UTF8') AS route,
    CASE
        WHEN c.old_key IS NOT NULL
            THEN convert_to(concat(c.table_schema, '.', c.table_name, c.old_key), 'UTF8')
    END AS old_route,
    convert_to(
        concat(
            '{"id":', c.id,
            ',"schema":', to_json(c.table_schema),
            ',"table":', to_json(c.table_name),
            ',"operation":"', c.operation,
            '","origin":"', c.origin,
            '","captured_at":"', c.captured_at,
            '","key":', coalesce(c.key, 'null'),
            CASE WHEN c.old_key IS NOT NULL THEN concat(',"old_key":', c.old_key) END,
            ',"before":', coalesce(c.before, 'null'),
            ',"after":', coalesce(c.after, 'null'),
            CASE WHEN c.path <> '{}' THEN concat(',"path":', to_json(c.path)) END,
            '}'
        ),
        'UTF8'
    ) AS document
FROM (
    SELECT
        q.*,
        sum(coalesce(pg_column_size(q.before), 0) + coalesce(pg_column_size(q.after), 0))
            OVER (ORDER BY q.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM orgstream.change_queue AS q
    WHERE
        q.id > %(after)s AND q.id <= %(upto)s
        AND pg_visible_in_snapshot(q.xid, %(snapshot)s::pg_snapshot)
        AND NOT pg_visible_in_snapshot(q.xid, %(last)s::pg_snapshot)
    ORDER BY q.id
    LIMIT %(rows)s
) AS c
WHERE coalesce(c.bytes_before, 0) < %(bytes)s
ORDER BY c.id;

-- name: change_at
-- The id of the change at a place of a tick's batch.
SELECT q.id
FROM orgstream.change_queue AS q
WHERE
    q.id > %(after)s AND q.id <= %(upto)s
    AND pg_visible_in_snapshot(q.xid, %(snapshot)s::pg_snapshot)
    AND NOT pg_visible_in_snapshot(q.xid, %(last)s::pg_snapshot)
ORDER BY q.id
LIMIT 1 OFFSET %(place)s - 1;

-- name: mark_published
-- Its commit does not wait for the disk, where the worker's commit of the same changes is waiting: should a
-- crash lose it, the tick is published again, and Redis refuses every entry that it has.
UPDATE orgstream.tick
SET published_at = clock_timestamp(), changes = %(changes)s
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS for_this_statement
WHERE id = %(id)s AND published_at IS NULL;

-- name: sleep
SELECT setval('orgstream.relay_state', 1);

-- name: wake
SELECT setval('orgstream.relay_state', 2);

-- name: backlog
-- Changes not yet in Redis, and when the oldest of them was captured.
SELECT
    count(*),
    min(c.captured_at)
FROM orgstream.change_queue AS c
WHERE c.id > %(position)s AND NOT pg_visible_in_snapshot(c.xid, %(last)s::pg_snapshot);

-- name: listen
LISTEN orgstream_relay;

-- name: taken_at
SELECT created_at
FROM orgstream.tick
WHERE id = %(id)s;

-- name: read_by_id
-- The batch has one right plan: along the primary key. The planner cannot guess how many rows a snapshot
-- sees, and would sort the whole backlog for each piece of it.
SELECT
    set_config('enable_seqscan', 'off', false),
    set_config('enable_bitmapscan', 'off', false),
    set_config('enable_sort', 'off', false);
