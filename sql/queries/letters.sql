-- name: select
-- Open letters by what a person names; NULL means any. With how many later changes wait behind each.
SELECT
    d.id,
    d.change_id,
    d.rule_id,
    coalesce(d.rule, '') AS rule,
    coalesce(d.rule_version, 0) AS rule_version,
    d.source_table,
    coalesce(d.key::text, '') AS key,
    d.cause,
    d.sqlstate,
    d.column_name,
    d.constraint_name,
    d.message,
    d.attempts,
    d.created_at::text,
    d.requested,
    (SELECT count(*) FROM orgstream.held_change AS h WHERE h.letter_id = d.id) AS held
FROM orgstream.dead_letter AS d
WHERE
    d.resolved_at IS NULL
    AND (%(ids)s::bigint [] IS NULL OR d.id = any(%(ids)s))
    AND (%(rule)s::text IS NULL OR d.rule = %(rule)s)
    AND (%(table)s::text IS NULL OR d.source_table = %(table)s)
    AND (%(key)s::jsonb IS NULL OR d.key::jsonb = %(key)s::jsonb)
    AND (%(cause)s::text IS NULL OR d.cause = %(cause)s OR d.sqlstate = %(cause)s)
ORDER BY d.id;

-- name: table_of_org
-- The schema.table of an org.table, by the live rules.
SELECT (s.definition -> 'orgs' ->> %(org)s) || '.' || %(name)s
FROM orgstream.rule_set AS s
ORDER BY s.version DESC
LIMIT 1;

-- name: resume
DELETE FROM orgstream.paused_rule AS p
USING orgstream.replication_rules AS r
WHERE r.rule_id = p.rule_id AND r.name = %(rule)s;

-- name: change
-- The change of a letter, as the queue holds it.
SELECT
    c.operation,
    c.origin,
    c.captured_at::text,
    c.path,
    coalesce(c.key::text, 'null') AS key,
    coalesce(c.old_key::text, 'null') AS old_key,
    coalesce(c.before::text, 'null') AS before,
    coalesce(c.after::text, 'null') AS after
FROM orgstream.change_queue AS c
WHERE c.id = %(change)s;

-- name: held
-- What waits behind a letter, in order; of a mass delete the first of it.
SELECT
    h.change_id,
    coalesce(c.operation, '') AS operation,
    coalesce(c.captured_at::text, '') AS captured_at,
    h.held_at::text
FROM orgstream.held_change AS h
LEFT JOIN orgstream.change_queue AS c ON h.change_id = c.id
WHERE h.letter_id = %(id)s
ORDER BY h.change_id
LIMIT 1000;

-- name: payload
SELECT payload::text
FROM orgstream.dead_letter
WHERE id = %(id)s AND payload IS NOT NULL;

-- name: audit
-- What was asked for a letter and what came of it.
SELECT
    a.happened_at::text,
    a.event,
    a.how,
    a.reason,
    a.actor,
    a.database_user,
    host(a.client) AS client,
    coalesce(a.before::text, 'null') AS before,
    coalesce(a.after::text, 'null') AS after
FROM orgstream.letter_audit AS a
WHERE a.letter_id = %(id)s
ORDER BY a.id;
