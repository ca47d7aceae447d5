-- name: lock
-- One `rules apply` at a time, until its transaction ends.
SELECT pg_advisory_xact_lock(hashtext('orgstream.rules'));

-- name: live
SELECT definition::text
FROM orgstream.rule_set
ORDER BY version DESC
LIMIT 1;

-- name: live_version
SELECT coalesce(max(version), 0)
FROM orgstream.rule_set;

-- name: at
SELECT definition::text
FROM orgstream.rule_set
WHERE version = %(version)s;

-- name: latest_rules
-- The newest version of every rule there ever was: a rule that comes back keeps its number.
SELECT DISTINCT ON (name) definition::text
FROM orgstream.replication_rules
ORDER BY name ASC, version DESC;

-- name: add_rule_set
INSERT INTO orgstream.rule_set (version, definition, person, reason, restored)
VALUES (%(version)s, %(definition)s::json, %(person)s, %(reason)s, %(restored)s);

-- name: add_rule
INSERT INTO orgstream.replication_rules (rule_id, version, name, definition, since)
VALUES (%(rule_id)s, %(version)s, %(name)s, %(definition)s::json, %(since)s);

-- name: captured
-- The tables that should carry our triggers, and whether they do: a table made anew has lost them.
SELECT
    c.table_schema,
    c.table_name,
    c.identity,
    coalesce((
        SELECT bool_and(t.tgenabled <> 'D')
        FROM pg_trigger AS t
        INNER JOIN pg_proc AS p ON t.tgfoid = p.oid
        WHERE
            t.tgrelid = to_regclass(format('%I.%I', c.table_schema, c.table_name))
            AND p.pronamespace = 'orgstream'::regnamespace AND p.proname <> 'note_arrivals' AND NOT t.tgisinternal
    ), false) AS is_installed
FROM orgstream.captured_table AS c
ORDER BY c.table_schema, c.table_name;

-- name: install_capture
SELECT orgstream.install_capture(%(schema)s, %(table)s, %(identity)s::text []);

-- name: remove_capture
SELECT orgstream.remove_capture(%(schema)s, %(table)s);

-- name: told_of
-- The tables that should tell of arrivals, by which columns, and whether both triggers are there and enabled.
SELECT
    a.table_schema,
    a.table_name,
    array_agg(to_json(a.columns)) AS keys,
    (
        SELECT count(*) FILTER (WHERE t.tgenabled <> 'D') = 2
        FROM pg_trigger AS t
        INNER JOIN pg_proc AS p ON t.tgfoid = p.oid
        WHERE
            t.tgrelid = to_regclass(format('%I.%I', a.table_schema, a.table_name))
            AND p.pronamespace = 'orgstream'::regnamespace AND p.proname = 'note_arrivals'
    ) AS is_installed
FROM orgstream.awaited_table AS a
GROUP BY a.table_schema, a.table_name
ORDER BY a.table_schema, a.table_name;

-- name: install_arrivals
SELECT orgstream.install_arrivals(%(schema)s, %(table)s, %(keys)s::json);

-- name: remove_arrivals
SELECT orgstream.remove_arrivals(%(schema)s, %(table)s);

-- name: stamped
-- The tables whose stamps are kept, and whether the triggers for it are there.
SELECT
    s.table_schema,
    s.table_name,
    s.key,
    s.columns,
    s.time_column,
    coalesce((
        SELECT bool_and(t.tgenabled <> 'D')
        FROM pg_trigger AS t
        WHERE
            t.tgrelid = to_regclass(format('%I.%I', s.table_schema, s.table_name))
            AND t.tgfoid = 'orgstream.stamp_change'::regproc
    ), false) AS has_trigger
FROM orgstream.stamped_table AS s
ORDER BY s.table_schema, s.table_name;

-- name: keep_stamps
SELECT orgstream.keep_stamps(
    %(schema)s, %(table)s, %(key)s::text [], %(columns)s::text [], %(time)s, %(is_captured)s
);

-- name: forget_stamps
SELECT orgstream.forget_stamps(%(schema)s, %(table)s);

-- name: limit_statement
-- For this transaction only.
SELECT set_config('statement_timeout', %(timeout)s, true);

-- name: count_touched
-- How many records two versions of a rule see differently; the braces are filled in by composition. What is
-- mapped is only computed where both take the record, so that no other record's values can fail.
SELECT
    count(*) FILTER (WHERE r.now AND NOT r.was) AS enter,
    count(*) FILTER (WHERE r.was AND NOT r.now) AS leave,
    count(*) FILTER (WHERE r.changed) AS change
FROM (
    SELECT
        {before} AS was,
        {after} AS now,
        CASE WHEN ({before}) AND ({after}) THEN {changed} ELSE false END AS changed
    FROM {table}
) AS r;

-- name: table_blocks
-- How many blocks a table has on disk.
SELECT
    pg_relation_size(format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass)
    / current_setting('block_size')::bigint AS blocks;

-- name: history
-- The newest rule sets, newest first; all of them without a limit.
SELECT
    version,
    to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS applied_at,
    applied_by,
    person,
    reason,
    restored,
    definition::text
FROM orgstream.rule_set
ORDER BY version DESC
LIMIT %(limit)s;

-- name: earlier
-- The version before the live one; where the live one brought an earlier one back, the version before that.
SELECT coalesce(restored, version) - 1 AS wanted
FROM orgstream.rule_set
ORDER BY version DESC
LIMIT 1;

-- name: written
-- What the ledger holds of each version of a rule.
SELECT
    a.rule_version,
    count(*) AS writes,
    to_char(min(a.applied_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS first_at,
    to_char(max(a.applied_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_at
FROM orgstream.applied AS a
WHERE
    a.rule_id = (
        SELECT min(r.rule_id)
        FROM orgstream.replication_rules AS r
        WHERE r.name = %(rule)s
    )
GROUP BY a.rule_version
ORDER BY a.rule_version DESC;
