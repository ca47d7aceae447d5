-- name: tell_time
-- Move the clock of retention on: as far as the database's clock moved, but not further than `allowed`
-- seconds, for that one may leap; and never ahead of it.
UPDATE orgstream.retention AS r
SET
    moment = least(
        r.moment + greatest(least(t.now - r.seen_at, %(allowed)s * interval '1 second'), interval '0'), t.now
    ),
    seen_at = t.now
FROM (SELECT clock_timestamp() AS now) AS t;

-- name: drawn
-- The change id last drawn.
SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END
FROM orgstream.change_queue_id_seq AS s;

-- name: open
UPDATE orgstream.change_range AS c
SET opened_at = r.moment
FROM orgstream.retention AS r
WHERE c.opened_at IS NULL AND c.first <= %(drawn)s;

-- name: close
-- `drawn` was read before: whoever drew an id of these ranges had a transaction id by then, a lower one.
-- Where the clock was set back, a range counts from now on.
UPDATE orgstream.change_range AS c
SET
    closed_at = r.moment,
    closed_xid = coalesce(c.closed_xid, pg_current_xact_id()),
    closed_tick = coalesce(c.closed_tick, (SELECT max(f.tick) FROM orgstream.foundation AS f))
FROM orgstream.retention AS r
WHERE (c.closed_at IS NULL AND c.beyond <= %(drawn)s + 1) OR c.closed_at > r.moment;

-- name: wanted_size
-- How many ids the next range is to have, where one is to be made: when ids of the last one are drawn. As
-- many as come in `slice` seconds, but not so much more than the last that one burst makes it endless.
SELECT
    greatest(
        %(least)s,
        least(
            4 * (c.beyond - c.first),
            ceil(
                %(slice)s * (%(drawn)s - o.first)
                / greatest(extract(EPOCH FROM r.moment - o.opened_at), 1)
            )
        )
    )::bigint
FROM orgstream.change_range AS c
CROSS JOIN orgstream.retention AS r
CROSS JOIN
    LATERAL (
        SELECT
            p.first,
            p.opened_at
        FROM orgstream.change_range AS p
        WHERE p.opened_at >= r.moment - %(slice)s * interval '1 second' OR p.first = c.first
        ORDER BY p.first
        LIMIT 1
    ) AS o
WHERE c.first = (SELECT max(l.first) FROM orgstream.change_range AS l) AND c.first <= %(drawn)s;

-- name: reach
SELECT max(first)
FROM orgstream.change_range;

-- name: make
SELECT orgstream.make_range(%(size)s);

-- name: overdue
-- The range whose time is over before its ids are, and how many of these are left; there is one after it.
SELECT
    c.first,
    c.beyond - 1 - %(drawn)s
FROM orgstream.change_range AS c
CROSS JOIN orgstream.retention AS r
WHERE
    c.first <= %(drawn)s
    AND c.beyond > %(drawn)s + 1
    AND c.opened_at <= r.moment - %(slice)s * interval '1 second'
    AND EXISTS (SELECT FROM orgstream.change_range AS n WHERE n.first >= c.beyond);

-- name: skip
-- Draw ids that no change will have. Others draw at the same time; nobody gets the same.
WITH skipped AS (
    SELECT count(nextval('orgstream.change_queue_id_seq')) AS ids
    FROM generate_series(1, %(ids)s::bigint)
),

counted AS (
    UPDATE orgstream.change_range
    SET skipped = skipped + (SELECT s.ids FROM skipped AS s)
    WHERE first = %(first)s
)

UPDATE orgstream.retention
SET skipped = skipped + (SELECT s.ids FROM skipped AS s);

-- name: due
-- The oldest range of which nothing is needed any more, under the relay's lease. That is: it is old enough;
-- the writers of its changes had ended at a tick; that tick, so all of its changes, is applied in every
-- partition; no change of it waits for a person or behind one; and no replay that was begun lately and has not
-- ended may read it.
WITH done AS (
    SELECT
        t.id,
        pg_snapshot_xmin(t.snapshot) AS xmin
    FROM orgstream.tick AS t
    WHERE
        t.published_at IS NOT NULL
        AND (t.id, coalesce(t.changes, 0)) <= (
            SELECT
                l.position_tick,
                l.position_ordinal
            FROM orgstream.lease AS l
            WHERE l.stage = 'apply'
            ORDER BY l.position_tick, l.position_ordinal
            LIMIT 1
        )
    ORDER BY t.id DESC
    LIMIT 1
)

SELECT
    c.first,
    c.beyond,
    c.beyond - c.first - c.skipped AS changes
FROM orgstream.change_range AS c
CROSS JOIN orgstream.retention AS r
CROSS JOIN done AS d
WHERE
    c.emptied_at IS NULL
    AND c.closed_at <= r.moment - %(retention)s * interval '1 second'
    AND c.closed_tick < d.id
    AND c.closed_xid < d.xmin
    AND NOT EXISTS (
        SELECT FROM orgstream.needed_change AS n WHERE n.change_id >= c.first AND n.change_id < c.beyond
    )
    AND NOT EXISTS (
        SELECT
        FROM orgstream.replay AS p
        WHERE
            p.finished_at IS NULL
            AND p.first_change < c.beyond
            AND p.created_at > r.moment - %(retention)s * interval '1 second'
    )
    AND EXISTS (SELECT FROM orgstream.lease AS l WHERE l.stage = 'relay' AND l.term = %(term)s)
ORDER BY c.first
LIMIT 1;

-- name: fence
-- The relay's lease stays its own to the end of the transaction.
SELECT
FROM orgstream.lease
WHERE stage = 'relay' AND partition = 0 AND term = %(term)s
FOR SHARE;

-- name: awaits_tick
-- Whether a range is old enough and only no tick tells yet that its writers have ended, though they have:
-- where nothing is captured any more, none comes by itself.
SELECT EXISTS (
    SELECT
    FROM orgstream.change_range AS c
    CROSS JOIN orgstream.retention AS r
    CROSS JOIN
        LATERAL (
            SELECT
                t.id,
                t.snapshot
            FROM orgstream.tick AS t
            ORDER BY t.id DESC
            LIMIT 1
        ) AS t
    WHERE
        c.emptied_at IS NULL
        AND c.closed_at <= r.moment - %(retention)s * interval '1 second'
        AND (c.closed_tick >= t.id OR c.closed_xid >= pg_snapshot_xmin(t.snapshot))
        AND c.closed_xid < pg_snapshot_xmin(pg_current_snapshot())
);

-- name: empty
SELECT orgstream.empty_range(%(first)s);

-- name: emptied
SELECT first
FROM orgstream.change_range
WHERE emptied_at IS NOT NULL
ORDER BY first
LIMIT 1;

-- name: remove
SELECT orgstream.remove_range(%(first)s);

-- name: forget_ticks
-- Ticks whose changes are gone, oldest first. A rebuild reads from the last one below all positions on.
DELETE FROM orgstream.tick
WHERE id IN (
        SELECT t.id
        FROM orgstream.tick AS t
        WHERE
            t.id < (
                SELECT max(b.id)
                FROM orgstream.tick AS b
                WHERE b.id < (SELECT min(l.position_tick) FROM orgstream.lease AS l WHERE l.stage = 'apply')
            )
            AND t.queue_end < (SELECT min(c.first) FROM orgstream.change_range AS c WHERE c.emptied_at IS NULL)
        ORDER BY t.id
        LIMIT %(rows)s
    );

-- name: forget_letters
-- Letters settled long ago, with their history.
DELETE FROM orgstream.dead_letter
WHERE id IN (
        SELECT d.id
        FROM orgstream.dead_letter AS d
        CROSS JOIN orgstream.retention AS r
        WHERE
            d.resolved_at < r.moment - %(retention)s * interval '1 second'
            AND NOT EXISTS (SELECT FROM orgstream.held_change AS h WHERE h.letter_id = d.id)
            AND NOT EXISTS (SELECT FROM orgstream.blocked_record AS b WHERE b.letter_id = d.id)
        ORDER BY d.resolved_at
        LIMIT %(rows)s
    );

-- name: forget_awaited
-- Records of which nothing was seen for so long that nothing of them is outstanding any more.
DELETE FROM orgstream.awaited_echo
WHERE (table_schema, table_name, key) IN (
        SELECT
            a.table_schema,
            a.table_name,
            a.key
        FROM orgstream.awaited_echo AS a
        CROSS JOIN orgstream.retention AS r
        WHERE a.weighed_at < r.moment - %(retention)s * interval '1 second'
        ORDER BY a.weighed_at
        LIMIT %(rows)s
    );

-- name: forget_echoes
-- Verdicts on changes that are gone.
DELETE FROM orgstream.echo
WHERE change_id IN (
        SELECT e.change_id
        FROM orgstream.echo AS e
        WHERE e.change_id < (SELECT min(c.first) FROM orgstream.change_range AS c WHERE c.emptied_at IS NULL)
        ORDER BY e.change_id
        LIMIT %(rows)s
    );

-- name: forget_links
-- Ended links that were kept so that older changes would not make their rows again: these are gone.
DELETE FROM orgstream.record_link
WHERE (source_table, target_table, record) IN (
        SELECT
            l.source_table,
            l.target_table,
            l.record
        FROM orgstream.record_link AS l
        WHERE
            l.key IS NULL
            AND l.change_id < (SELECT min(c.first) FROM orgstream.change_range AS c WHERE c.emptied_at IS NULL)
        ORDER BY l.change_id
        LIMIT %(rows)s
    );

-- name: forget_stamps
-- What changes that are gone left in their tables, and tombstones that no late change can meet any more.
WITH gone AS (
    DELETE FROM orgstream.change_stamp
    WHERE change_id IN (
            SELECT c.change_id
            FROM orgstream.change_stamp AS c
            WHERE c.change_id < (SELECT min(r.first) FROM orgstream.change_range AS r)
            ORDER BY c.change_id
            LIMIT %(rows)s
        )
)

DELETE FROM orgstream.record_stamp
WHERE (table_schema, table_name, key) IN (
        SELECT
            s.table_schema,
            s.table_name,
            s.key
        FROM orgstream.record_stamp AS s
        CROSS JOIN orgstream.retention AS r
        WHERE s.deleted IS NOT NULL AND s.written_at < r.moment - %(retention)s * interval '1 second'
        ORDER BY s.written_at
        LIMIT %(rows)s
    );

-- name: forget_conflicts
-- Conflicts decided long ago.
DELETE FROM orgstream.conflict
WHERE id IN (
        SELECT c.id
        FROM orgstream.conflict AS c
        CROSS JOIN orgstream.retention AS r
        WHERE c.happened_at < r.moment - %(retention)s * interval '1 second'
        ORDER BY c.happened_at
        LIMIT %(rows)s
    );

-- name: forget_processes
-- Processes that ended without a word.
DELETE FROM orgstream.process
WHERE seen_at < clock_timestamp() - interval '1 hour';

-- name: limit_waits
-- Nobody waits long behind us, should a lock not be free.
SELECT set_config('lock_timeout', %(lock_timeout)s, true);
