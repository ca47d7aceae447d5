-- name: now
SELECT clock_timestamp();

-- name: without_limit
-- For a selection, of which there may be much.
SELECT set_config('statement_timeout', '0', true);

-- name: edges
-- What the queue holds: its first change and when that was captured.
SELECT
    c.id,
    c.captured_at
FROM orgstream.change_queue AS c
ORDER BY c.id
LIMIT 1;

-- name: last_id
SELECT coalesce(max(id), 0)
FROM orgstream.change_queue;

-- name: captured_from
-- When the first change from an id on was captured.
SELECT c.captured_at
FROM orgstream.change_queue AS c
WHERE c.id >= %(id)s
ORDER BY c.id
LIMIT 1;

-- name: kept_from
-- The change id from which on the queue is whole.
SELECT min(r.first)
FROM orgstream.change_range AS r
WHERE r.emptied_at IS NULL;

-- name: missing
-- Which of these changes the queue does not hold.
SELECT i.id
FROM unnest(%(ids)s::bigint []) AS i (id)
WHERE NOT EXISTS (SELECT FROM orgstream.change_queue AS c WHERE c.id = i.id)
ORDER BY i.id;

-- name: create
INSERT INTO orgstream.replay (actor, selection, force, first_change, snapshot)
VALUES (%(actor)s, %(selection)s, %(force)s, 0, pg_current_snapshot())
RETURNING id;

-- name: select
-- The next changes that are meant, with the rules under which they are: where nothing is forced, those under
-- which the ledger does not have them.
WITH meant AS MATERIALIZED (
    SELECT
        r.table_schema,
        r.table_name,
        r.rule_id
    FROM json_to_recordset(%(rules)s::json) AS r (table_schema text, table_name text, rule_id integer)
)

SELECT
    c.id,
    w.rules
FROM orgstream.change_queue AS c
CROSS JOIN
    LATERAL (
        SELECT array_agg(m.rule_id) AS rules
        FROM meant AS m
        LEFT JOIN orgstream.applied AS a ON c.id = a.change_id AND m.rule_id = a.rule_id
        WHERE
            m.table_schema = c.table_schema
            AND m.table_name = c.table_name
            AND CASE
                WHEN %(rule_version)s::integer IS NOT NULL THEN a.rule_version = %(rule_version)s
                ELSE %(force)s OR a.change_id IS NULL
            END
    ) AS w
WHERE
    c.id > %(after)s
    AND w.rules IS NOT NULL
    AND c.operation <> 'TRUNCATE'
    AND (%(ids)s::bigint [] IS NULL OR c.id = any(%(ids)s))
    AND (%(since)s::timestamptz IS NULL OR c.captured_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR c.captured_at < %(until)s)
    AND (%(key)s::jsonb IS NULL OR %(key)s::jsonb IN (c.key::jsonb, c.old_key::jsonb))
ORDER BY c.id
LIMIT %(rows)s;

-- name: add_candidates
-- Changes that are to be replayed, under both keys of a change of identity.
WITH candidate AS (
    SELECT
        v.record,
        c.id,
        s.rules
    FROM json_to_recordset(%(candidates)s::json) AS s (change_id bigint, rules integer [])
    INNER JOIN orgstream.change_queue AS c ON s.change_id = c.id
    CROSS JOIN
        LATERAL (
            VALUES
            (orgstream.record_hash(c.table_schema, c.table_name, c.key)),
            (orgstream.record_hash(c.table_schema, c.table_name, c.old_key))
        ) AS v (record)
    WHERE v.record IS NOT NULL
),

marked AS (
    INSERT INTO orgstream.replay_change (replay_id, record, change_id, rules)
    SELECT DISTINCT ON (record, id)
        %(replay)s::bigint,
        record,
        id,
        rules
    FROM candidate
)

INSERT INTO orgstream.replay_record AS r (replay_id, record, todo)
SELECT
    %(replay)s,
    record,
    min(id)
FROM candidate
GROUP BY record
ON CONFLICT (replay_id, record) DO UPDATE SET todo = least(r.todo, excluded.todo);

-- name: selected
-- The selection is complete: how much it is.
UPDATE orgstream.replay AS p
SET
    selected = %(selected)s,
    first_change = %(first)s,
    records = (SELECT count(*) FROM orgstream.replay_record AS r WHERE r.replay_id = p.id AND r.todo IS NOT NULL)
WHERE p.id = %(replay)s;

-- name: gather
-- The history of records whose history is not gathered yet.
INSERT INTO orgstream.replay_change (replay_id, record, change_id)
SELECT
    %(replay)s,
    v.record,
    h.id
FROM (
    SELECT
        c.id,
        orgstream.record_hash(c.table_schema, c.table_name, c.key) AS record,
        orgstream.record_hash(c.table_schema, c.table_name, c.old_key) AS old_record
    FROM orgstream.change_queue AS c
    WHERE c.id >= %(first)s
) AS h
CROSS JOIN LATERAL (VALUES (h.record), (h.old_record)) AS v (record)
WHERE
    v.record IS NOT NULL
    AND (
        h.record IN (
            SELECT r.record FROM orgstream.replay_record AS r WHERE r.replay_id = %(replay)s AND NOT r.gathered
        )
        OR h.old_record IN (
            SELECT r.record FROM orgstream.replay_record AS r WHERE r.replay_id = %(replay)s AND NOT r.gathered
        )
    )
ON CONFLICT DO NOTHING;

-- name: extend
-- What was committed since the history was gathered, of the same records; returns the number of records that
-- changes of identity among it lead to. A transaction that had not ended then drew its change ids above the
-- position of the newest tick that is older than all of these.
WITH before AS (
    SELECT
        p.snapshot,
        greatest(
            p.first_change - 1,
            (SELECT max(t.queue_position) FROM orgstream.tick AS t WHERE t.xid < pg_snapshot_xmin(p.snapshot))
        ) AS position
    FROM orgstream.replay AS p
    WHERE p.id = %(replay)s
),

moved AS (
    UPDATE orgstream.replay AS p
    SET snapshot = pg_current_snapshot()
    WHERE p.id = %(replay)s
),

later AS (
    INSERT INTO orgstream.replay_change (replay_id, record, change_id)
    SELECT
        %(replay)s,
        v.record,
        h.id
    FROM before
    CROSS JOIN
        LATERAL (
            SELECT
                c.id,
                orgstream.record_hash(c.table_schema, c.table_name, c.key) AS record,
                orgstream.record_hash(c.table_schema, c.table_name, c.old_key) AS old_record
            FROM orgstream.change_queue AS c
            WHERE c.id > before.position AND NOT pg_visible_in_snapshot(c.xid, before.snapshot)
        ) AS h
    CROSS JOIN LATERAL (VALUES (h.record), (h.old_record)) AS v (record)
    WHERE
        v.record IS NOT NULL
        AND EXISTS (
            SELECT FROM orgstream.replay_record AS r
            WHERE r.replay_id = %(replay)s AND r.gathered AND r.record IN (h.record, h.old_record)
        )
    ON CONFLICT DO NOTHING
    RETURNING record
)

INSERT INTO orgstream.replay_record (replay_id, record)
SELECT DISTINCT
    %(replay)s::bigint,
    l.record
FROM later AS l
ON CONFLICT DO NOTHING;

-- name: analyze
-- Tables that were just filled are unknown to the planner, which would read the whole of them for each step.
ANALYZE (SKIP_LOCKED) orgstream.replay_record, orgstream.replay_change;

-- name: gathered
UPDATE orgstream.replay_record
SET gathered = true
WHERE replay_id = %(replay)s AND NOT gathered;

-- name: discover
-- Records that a change of identity leads to or from.
INSERT INTO orgstream.replay_record (replay_id, record)
SELECT DISTINCT
    c.replay_id,
    c.record
FROM orgstream.replay_change AS c
LEFT JOIN orgstream.replay_record AS r ON c.replay_id = r.replay_id AND c.record = r.record
WHERE c.replay_id = %(replay)s AND r.record IS NULL;

-- name: todo
-- The next records to do, in the order of their first change.
SELECT
    record,
    todo
FROM orgstream.replay_record
WHERE replay_id = %(replay)s AND todo > %(after)s
ORDER BY todo
LIMIT %(rows)s;

-- name: history
-- All changes of these records, and of those that changes of identity bind to them.
WITH RECURSIVE reached (record) AS (
    SELECT r.record
    FROM unnest(%(records)s::bigint []) AS r (record)
    UNION
    SELECT b.record
    FROM reached AS r
    INNER JOIN orgstream.replay_change AS a ON r.record = a.record AND a.replay_id = %(replay)s
    INNER JOIN orgstream.replay_change AS b ON a.change_id = b.change_id AND b.replay_id = %(replay)s
)

SELECT
    c.record,
    c.change_id,
    c.rules
FROM reached AS r
INNER JOIN orgstream.replay_change AS c ON r.record = c.record AND c.replay_id = %(replay)s
ORDER BY c.change_id;

-- name: keys
-- Under which tables and identities changes stand.
SELECT DISTINCT
    c.table_schema || '.' || c.table_name AS source_table,
    k.key
FROM orgstream.change_queue AS c
CROSS JOIN LATERAL (VALUES (c.key::text), (c.old_key::text)) AS k (key)
WHERE c.id = any(%(changes)s::bigint []) AND k.key IS NOT NULL;

-- name: lock
-- Keeps the partitions' apply transactions, and each release of held changes, out until we have committed.
SELECT
FROM orgstream.lease
WHERE stage = 'apply' AND partition = any(%(partitions)s::smallint [])
ORDER BY partition
FOR NO KEY UPDATE;

-- name: ledger
SELECT
    change_id,
    rule_id
FROM orgstream.applied
WHERE change_id = any(%(changes)s::bigint []);

-- name: record_writes
INSERT INTO orgstream.applied AS a (change_id, rule_id, rule_version)
SELECT
    l.change_id,
    l.rule_id,
    l.rule_version
FROM
    unnest(%(changes)s::bigint [], %(rules)s::integer [], %(versions)s::integer [])
        AS l (change_id, rule_id, rule_version)
ON CONFLICT (change_id, rule_id) DO UPDATE
    SET rule_version = excluded.rule_version, applied_at = excluded.applied_at
    WHERE %(force)s;

-- name: held
-- Changes that wait already, under which rule; 0 is every rule.
SELECT
    change_id,
    rule_id
FROM orgstream.held_change
WHERE change_id = any(%(changes)s::bigint []);

-- name: blocked
-- Which of these records wait behind a letter, under which rule.
SELECT
    b.rule_id,
    b.source_table,
    b.key
FROM orgstream.blocked_record AS b
INNER JOIN
    unnest(%(tables)s::text [], %(keys)s::text []) AS k (source_table, key)
    ON b.source_table = k.source_table AND b.key = k.key;

-- name: bound
-- Which of these changes are of such records, under which rule.
SELECT
    c.id,
    b.rule_id
FROM orgstream.change_queue AS c
CROSS JOIN LATERAL (VALUES (c.key::text), (c.old_key::text)) AS k (key)
INNER JOIN
    unnest(%(rules)s::integer [], %(tables)s::text [], %(keys)s::text []) AS b (rule_id, source_table, key)
    ON b.source_table = c.table_schema || '.' || c.table_name AND k.key = b.key
WHERE c.id = any(%(changes)s::bigint []);

-- name: paused
SELECT rule_id
FROM orgstream.paused_rule;

-- name: fail
INSERT INTO orgstream.replay_failure (replay_id, change_id, rule_id, cause, sqlstate, message)
VALUES (%(replay)s, %(change)s, %(rule)s, %(cause)s, %(sqlstate)s, %(message)s)
ON CONFLICT (replay_id, change_id, rule_id) DO UPDATE
    SET cause = excluded.cause, sqlstate = excluded.sqlstate, message = excluded.message;

-- name: done
-- These records are done; what that came to.
WITH finished AS (
    UPDATE orgstream.replay_record
    SET todo = NULL
    WHERE replay_id = %(replay)s AND record = any(%(records)s::bigint []) AND todo IS NOT NULL
    RETURNING record
)

UPDATE orgstream.replay
SET
    done = done + (SELECT count(*) FROM finished),
    applied = applied + %(applied)s,
    held = held + %(held)s,
    failed = failed + %(failed)s
WHERE id = %(replay)s;

-- name: finish
-- The end: what was gathered is needed no more.
WITH records AS (
    DELETE FROM orgstream.replay_record
    WHERE replay_id = %(replay)s
),

changes AS (
    DELETE FROM orgstream.replay_change
    WHERE replay_id = %(replay)s
)

UPDATE orgstream.replay
SET finished_at = clock_timestamp()
WHERE id = %(replay)s AND finished_at IS NULL;

-- name: job
SELECT
    p.id,
    p.created_at::text,
    p.actor,
    p.database_user,
    p.selection::text,
    p.force,
    p.first_change,
    p.selected,
    p.records,
    p.done,
    p.applied,
    p.held,
    p.failed,
    CASE
        WHEN p.finished_at IS NOT NULL THEN 'finished'
        WHEN EXISTS (
                SELECT FROM pg_locks AS l
                WHERE
                    l.locktype = 'advisory'
                    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                    AND l.classid::bigint = hashtext('orgstream.replay') & 4294967295::bigint
                    AND l.objid::bigint = p.id
                    AND l.objsubid = 2
            ) THEN 'running'
        ELSE 'interrupted'
    END AS state
FROM orgstream.replay AS p
WHERE %(id)s::bigint IS NULL OR p.id = %(id)s
ORDER BY p.id DESC
LIMIT 100;

-- name: own
-- One process at a time works on a replay; the lock goes with its session.
SELECT pg_advisory_lock(hashtext('orgstream.replay'), %(id)s::integer);

-- name: disown
SELECT pg_advisory_unlock(hashtext('orgstream.replay'), %(id)s::integer);

-- name: failures
SELECT
    f.change_id,
    coalesce(r.name, '') AS rule,
    f.cause,
    f.sqlstate,
    f.message
FROM orgstream.replay_failure AS f
LEFT JOIN LATERAL (
    SELECT x.name
    FROM orgstream.replication_rules AS x
    WHERE x.rule_id = f.rule_id
    ORDER BY x.version DESC
    LIMIT 1
) AS r ON true
WHERE f.replay_id = %(replay)s
ORDER BY f.change_id, f.rule_id
LIMIT 1000;
