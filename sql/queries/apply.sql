-- name: record_writes
-- The ledger: one row for each write of this transaction. One that stands there already ends it: to look for
-- those in the insert itself (ON CONFLICT DO NOTHING) takes twice as long, and there are hardly ever any.
INSERT INTO orgstream.applied (change_id, rule_id, rule_version)
SELECT
    l.change_id,
    l.rule_id,
    l.rule_version
FROM
    unnest(%(changes)s::bigint [], %(rules)s::integer [], %(versions)s::integer [])
        AS l (change_id, rule_id, rule_version);

-- name: recorded_writes
-- Which of these writes the ledger holds.
SELECT
    a.change_id,
    a.rule_id
FROM unnest(%(changes)s::bigint [], %(rules)s::integer []) AS l (change_id, rule_id)
INNER JOIN orgstream.applied AS a ON l.change_id = a.change_id AND l.rule_id = a.rule_id;

-- name: write_letters
-- A letter for each rejected change; one that is open already counts another attempt.
INSERT INTO orgstream.dead_letter AS d
(
    change_id, partition, rule_id, rule, rule_version, source_table, key, cause, sqlstate, message, column_name,
    constraint_name, payload
)
SELECT
    r.change_id,
    r.partition,
    r.rule_id,
    r.rule,
    r.rule_version,
    r.source_table,
    r.key,
    r.cause,
    r.sqlstate,
    r.message,
    r.column_name,
    r.constraint_name,
    to_json(r.payload)
FROM
    json_to_recordset(%(letters)s::json) AS r (
        change_id bigint, partition smallint, rule_id integer, rule text, rule_version integer, source_table text,
        key json, cause text, sqlstate text, message text, column_name text, constraint_name text, payload text
    )
ON CONFLICT (change_id, rule) WHERE resolved_at IS NULL AND change_id IS NOT NULL
DO UPDATE
    SET
        attempts = d.attempts + 1,
        cause = excluded.cause,
        sqlstate = excluded.sqlstate,
        message = excluded.message,
        column_name = excluded.column_name,
        constraint_name = excluded.constraint_name
RETURNING d.id, d.change_id, d.rule;

-- name: set_path
-- Marks what this transaction writes from here on as ours, with the orgs it came through.
SELECT set_config('orgstream.path', %(path)s, true);

-- name: check_now
-- Constraints that would be checked at the commit.
SET CONSTRAINTS ALL IMMEDIATE;
