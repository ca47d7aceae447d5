-- name: share
-- Who writes linked records shares this lock with all others that do, to the end of the transaction.
SELECT pg_advisory_xact_lock_shared(hashtext('orgstream.record_link'));

-- name: exclude
-- Who renames a row that another worker may know by its old key waits for those that are at work.
SELECT pg_advisory_xact_lock(hashtext('orgstream.record_link'));

-- name: known
-- The links that are not as they are asked for, with NULL for what is not there.
SELECT
    a.n,
    l.key,
    l.change_id
FROM json_to_recordset(%(links)s::json) AS a (n integer, source text, target text, record text, key text)
LEFT JOIN orgstream.record_link AS l
    ON a.source = l.source_table AND a.target = l.target_table AND a.record = l.record
WHERE l.key IS DISTINCT FROM a.key;

-- name: take
-- These rows have other records now: whoever had them has them no more.
DELETE FROM orgstream.record_link AS l
USING json_to_recordset(%(links)s::json) AS n (source text, target text, record text, key text)
WHERE l.target_table = n.target AND l.key = n.key AND l.source_table = n.source AND l.record <> n.record;

-- name: end
DELETE FROM orgstream.record_link AS l
USING json_to_recordset(%(links)s::json) AS n (source text, target text, record text)
WHERE l.source_table = n.source AND l.target_table = n.target AND l.record = n.record;

-- name: keep
-- New links, and those that changed: but none that somebody else has made or changed since it was read.
INSERT INTO orgstream.record_link AS l (source_table, target_table, record, key, change_id)
SELECT
    n.source,
    n.target,
    n.record,
    n.key,
    n.change_id
FROM
    json_to_recordset(%(links)s::json)
        AS n (source text, target text, record text, key text, change_id bigint)
ON CONFLICT (record, source_table, target_table) DO UPDATE
    SET key = excluded.key, change_id = excluded.change_id
    WHERE l.change_id = any(%(seen)s::bigint []);
