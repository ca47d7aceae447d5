-- name: share
-- Who writes linked records shares this lock with all others that do, to the end of the transaction.
SELECT pg_advisory_xact_lock_shared(hashtext('orgstream.record_link'));

-- name: exclude
-- Who renames a row that another worker may know by its old key waits for those that are at work.
SELECT pg_advisory_xact_lock(hashtext('orgstream.record_link'));

-- name: known
SELECT
    a.n,
    l.key,
    l.change_id
FROM
    json_to_recordset(%(asked)s::json) AS a (n integer, source_table text, target_table text, record text)
INNER JOIN orgstream.record_link AS l
    ON a.source_table = l.source_table AND a.target_table = l.target_table AND a.record = l.record;

-- name: take
-- These rows have other records now: whoever had them has them no more.
DELETE FROM orgstream.record_link AS l
USING
    json_to_recordset(%(taken)s::json) AS t (source_table text, target_table text, record text, key text)
WHERE
    l.target_table = t.target_table AND l.key = t.key AND l.source_table = t.source_table
    AND l.record <> t.record;

-- name: end
DELETE FROM orgstream.record_link AS l
USING json_to_recordset(%(ended)s::json) AS e (source_table text, target_table text, record text)
WHERE l.source_table = e.source_table AND l.target_table = e.target_table AND l.record = e.record;

-- name: keep
-- New links, and those that changed: but none that somebody else has made or changed since it was read.
INSERT INTO orgstream.record_link AS l (source_table, target_table, record, key, change_id)
SELECT
    k.source_table,
    k.target_table,
    k.record,
    k.key,
    k.change_id
FROM
    json_to_recordset(%(links)s::json)
        AS k (source_table text, target_table text, record text, key text, change_id bigint)
ON CONFLICT (source_table, target_table, record) DO UPDATE
    SET key = excluded.key, change_id = excluded.change_id
    WHERE l.change_id = any(%(seen)s::bigint []);
