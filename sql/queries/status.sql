-- name: backlog
-- Changes that no published tick has seen, and when the oldest of them was captured. Transactions still
-- open at the last tick drew their ids after the newest tick that knew none of them.
WITH last AS (
    SELECT
        t.id,
        t.snapshot,
        (
            SELECT coalesce(max(e.queue_position), 0)
            FROM orgstream.tick AS e
            WHERE e.id <= t.id AND e.xid < pg_snapshot_xmin(t.snapshot)
        ) AS position
    FROM orgstream.tick AS t
    WHERE t.published_at IS NOT NULL
    ORDER BY t.id DESC
    LIMIT 1
)

SELECT
    count(c.id),
    min(c.captured_at)
FROM last
LEFT JOIN orgstream.change_queue AS c
    ON last.position < c.id AND NOT pg_visible_in_snapshot(c.xid, last.snapshot);

-- name: progress
-- The last published tick, and how far each partition is applied; `applied` when it is past that tick.
SELECT
    t.id,
    t.changes,
    l.partition,
    l.holder,
    l.position_tick,
    l.position_ordinal,
    l.position_captured_at,
    (l.position_tick, l.position_ordinal) > (t.id, t.changes) OR t.id = 0 AS applied
FROM (
    SELECT
        id,
        changes
    FROM orgstream.tick
    WHERE published_at IS NOT NULL
    ORDER BY id DESC
    LIMIT 1
) AS t
LEFT JOIN orgstream.lease AS l ON l.stage = 'apply'
ORDER BY l.partition;

-- name: now
SELECT clock_timestamp();

-- name: goal
-- A published tick that saw everything committed before a moment.
SELECT
    id,
    coalesce(changes, 0)
FROM orgstream.tick
WHERE published_at IS NOT NULL AND (created_at >= %(since)s OR %(last)s)
ORDER BY CASE WHEN %(last)s THEN -id ELSE id END
LIMIT 1;

-- name: reached
-- Whether every partition is applied beyond an entry.
SELECT coalesce(bool_and((position_tick, position_ordinal) >= (%(tick)s, %(ordinal)s)), true)
FROM orgstream.lease
WHERE stage = 'apply' AND partition < %(partitions)s;

-- name: processes
-- The processes that said lately that they live, and what they hold.
SELECT
    p.id,
    p.kind,
    p.stages,
    p.metrics_address,
    extract(EPOCH FROM clock_timestamp() - p.started_at)::double precision AS uptime_seconds,
    count(DISTINCT l.partition) AS partitions
FROM orgstream.process AS p
LEFT JOIN orgstream.lease AS l ON p.id = l.holder AND l.expires_at > clock_timestamp()
WHERE p.seen_at > clock_timestamp() - %(seconds)s * interval '1 second'
GROUP BY p.id
ORDER BY p.kind, p.id;

-- name: letters
-- Open dead letters by rule and cause.
SELECT
    coalesce(rule, ''),
    cause,
    count(*)
FROM orgstream.dead_letter
WHERE resolved_at IS NULL
GROUP BY rule, cause
ORDER BY count(*) DESC;

-- name: last_letter
-- When the last one was written, in microseconds. Its number would not do: a change that waited keeps its own.
SELECT coalesce(max((extract(EPOCH FROM created_at) * 1000000)::bigint), 0)
FROM orgstream.dead_letter;

-- name: letters_since
-- But for mass deletes, which wait for approval and have failed in nothing.
SELECT count(*)
FROM orgstream.dead_letter
WHERE (extract(EPOCH FROM created_at) * 1000000)::bigint > %(id)s AND cause <> 'mass-delete';

-- name: rules
-- The live rules, and what the ledger holds of each.
SELECT
    s.version,
    s.applied_at,
    (SELECT count(*) FROM json_array_elements(s.definition -> 'rules')) AS rules
FROM orgstream.rule_set AS s
ORDER BY s.version DESC
LIMIT 1;

-- name: totals
-- Changes captured so far, by the ids drawn for them, and how many are held behind letters or waits, held by paused
-- rules, and wait themselves.
SELECT
    (SELECT CASE WHEN q.is_called THEN q.last_value ELSE 0 END FROM orgstream.change_queue_id_seq AS q)
    - (SELECT r.skipped FROM orgstream.retention AS r) AS captured,
    (SELECT count(*) FROM orgstream.held_change AS h WHERE h.letter_id IS NOT NULL) AS held,
    (SELECT count(*) FROM orgstream.held_change AS h WHERE h.letter_id IS NULL) AS paused,
    (SELECT count(*) FROM orgstream.waiting) AS waiting;

-- name: waiting
-- Changes that wait for a record they refer to, by rule.
SELECT
    rule,
    count(*)
FROM orgstream.waiting
GROUP BY rule;

-- name: paused
-- The paused rules, and why.
SELECT DISTINCT
    r.name,
    p.reason
FROM orgstream.paused_rule AS p
INNER JOIN orgstream.replication_rules AS r ON p.rule_id = r.rule_id
ORDER BY r.name;

-- name: deliveries
-- Each org that rules write through Heroku Connect, by the live rules: what Salesforce has not answered, since
-- when, and the records of which it refused something.
WITH live AS (
    SELECT s.definition
    FROM orgstream.rule_set AS s
    ORDER BY s.version DESC
    LIMIT 1
),

written AS (
    SELECT DISTINCT
        r.value -> 'target' ->> 'schema' AS table_schema,
        r.value -> 'target' ->> 'name' AS table_name
    FROM live AS l
    CROSS JOIN LATERAL json_array_elements(l.definition -> 'rules') AS r
),

mapped AS (
    SELECT
        t.value -> 'name' ->> 'org' AS org,
        t.value -> 'name' ->> 'schema' AS table_schema,
        t.value -> 'name' ->> 'name' AS table_name
    FROM live AS l
    CROSS JOIN LATERAL json_array_elements(l.definition -> 'tables') AS t
    WHERE t.value ->> 'connector' = 'heroku-connect'
),

connected AS (
    SELECT DISTINCT
        m.org,
        m.table_schema
    FROM mapped AS m
    INNER JOIN written AS w ON m.table_schema = w.table_schema AND m.table_name = w.table_name
)

SELECT
    c.org,
    coalesce(u.pending, 0) AS pending,
    extract(EPOCH FROM clock_timestamp() - u.since)::double precision AS oldest_seconds,
    coalesce(u.refused, 0) AS refused
FROM connected AS c
LEFT JOIN orgstream.undelivered AS u ON c.table_schema = u.table_schema
ORDER BY c.org;
