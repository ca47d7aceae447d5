-- name: limit_statement
-- For this transaction, or the part of it that ends with its savepoint, only.
SELECT set_config('statement_timeout', %(timeout)s, true);

-- name: record
-- A record of a source table as capture would write it, and its identity; the braces are filled in by
-- composition. Two rows are enough to know that it is not one.
SELECT
    row_to_json(s)::text AS record,
    orgstream.identity_of(row_to_json(s), %(identity)s::text [])::text AS key
FROM {table} AS s
WHERE {sets}
LIMIT 2; -- noqa: AM09

-- name: identity
-- The identity as capture would write it, of a record of which only some columns are known.
SELECT
    orgstream.identity_of(
        row_to_json(json_populate_record(NULL::{table}, %(record)s::json)), %(identity)s::text []
    )::text AS key;

-- name: last_change
-- The newest change of a record that the queue still has.
SELECT
    c.id,
    c.operation,
    c.origin,
    c.captured_at::text,
    c.path,
    coalesce(c.key::text, 'null') AS key,
    coalesce(c.old_key::text, 'null') AS old_key,
    coalesce(c.before::text, 'null') AS before,
    coalesce(c.after::text, 'null') AS after
FROM orgstream.change_queue AS c
WHERE
    c.table_schema = %(schema)s AND c.table_name = %(table)s
    AND (c.key::text = %(key)s OR c.old_key::text = %(key)s)
ORDER BY c.id DESC
LIMIT 1;

-- name: ledger
-- The write of a change under a rule, if it was done.
SELECT
    a.rule_version,
    a.applied_at::text
FROM orgstream.applied AS a
WHERE a.change_id = %(change)s AND a.rule_id = %(rule_id)s;

-- name: link
-- The target row that a record is linked to.
SELECT
    l.key,
    l.change_id
FROM orgstream.record_link AS l
WHERE l.source_table = %(source)s AND l.target_table = %(target)s AND l.record = %(record)s;

-- name: letters
-- The open letters of a record, of this rule or of all rules.
SELECT
    d.id,
    d.change_id,
    d.rule_version,
    d.cause,
    d.message,
    d.created_at::text,
    (SELECT count(*) FROM orgstream.held_change AS h WHERE h.letter_id = d.id) AS held
FROM orgstream.dead_letter AS d
WHERE
    d.resolved_at IS NULL AND d.source_table = %(source)s AND d.key::text = %(key)s
    AND (d.rule = %(rule)s OR d.rule IS NULL)
ORDER BY d.id;

-- name: waits
-- The changes of a record that wait for a row, under this rule.
SELECT
    w.id,
    w.change_id,
    w.message,
    w.since::text,
    w.due_at::text,
    (SELECT count(*) FROM orgstream.held_change AS h WHERE h.letter_id = w.id) AS held
FROM orgstream.waiting AS w
WHERE w.rule_id = %(rule_id)s AND w.source_table = %(source)s AND w.key::text = %(key)s
ORDER BY w.change_id;

-- name: blocked
-- The letter that a record waits behind, under this rule or every rule.
SELECT b.letter_id
FROM orgstream.blocked_record AS b
WHERE b.rule_id IN (%(rule_id)s, 0) AND b.source_table = %(source)s AND b.key = %(key)s
ORDER BY b.rule_id DESC
LIMIT 1;

-- name: paused
-- Why a rule is paused, if it is.
SELECT
    p.reason,
    p.paused_at::text
FROM orgstream.paused_rule AS p
WHERE p.rule_id = %(rule_id)s;
