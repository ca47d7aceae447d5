-- name: known
-- What is remembered of these records, and of these changes.
SELECT
    n.table_schema,
    n.table_name,
    n.key,
    a.change_id AS last_change,
    a.columns::text,
    n.change_id,
    e.shown::text
FROM
    unnest(%(schemas)s::text [], %(tables)s::text [], %(keys)s::text [], %(changes)s::bigint [])
        AS n (table_schema, table_name, key, change_id)
LEFT JOIN orgstream.awaited_echo AS a
    ON n.table_schema = a.table_schema AND n.table_name = a.table_name AND n.key = a.key
LEFT JOIN orgstream.echo AS e ON n.change_id = e.change_id
WHERE a.key IS NOT NULL OR e.change_id IS NOT NULL;

-- name: forget
-- Records of which nothing is outstanding, and names that records have no more.
DELETE FROM orgstream.awaited_echo AS a
USING json_to_recordset(%(names)s::json) AS n (schema text, "table" text, key text)
WHERE a.table_schema = n.schema AND a.table_name = n.table AND a.key = n.key;

-- name: remember
INSERT INTO orgstream.awaited_echo AS a (table_schema, table_name, key, change_id, columns, overtaken)
SELECT
    n.schema,
    n.table,
    n.key,
    n.change_id,
    n.columns,
    n.overtaken
FROM
    json_to_recordset(%(records)s::json)
        AS n (schema text, "table" text, key text, change_id bigint, columns json, overtaken boolean)
ON CONFLICT (table_schema, table_name, key) DO UPDATE
    SET
        change_id = excluded.change_id,
        columns = excluded.columns,
        overtaken = excluded.overtaken,
        weighed_at = clock_timestamp();

-- name: any_overtaken
-- Whether a table has rows that hold an older value which came back over a newer one; mostly it has none.
SELECT EXISTS (
    SELECT FROM orgstream.awaited_echo
    WHERE overtaken AND table_schema = %(schema)s AND table_name = %(table)s
);

-- name: decide
INSERT INTO orgstream.echo (change_id, shown)
SELECT
    n.change_id,
    n.shown
FROM json_to_recordset(%(changes)s::json) AS n (change_id bigint, shown json)
ON CONFLICT DO NOTHING;

-- name: stamps_put_back
-- The trigger is to find the stamps of the versions that are put back, not to take them for edits of this moment.
UPDATE orgstream.record_stamp AS s
SET
    stamps = s.stamps || r.stamps,
    xid = pg_current_xact_id()
FROM (
    SELECT
        v.schema,
        v."table",
        v.key,
        jsonb_strip_nulls(
            jsonb_object_agg(v."column", coalesce(c.stamps -> v."column", c.stamps -> '*'))
        ) AS stamps
    FROM
        json_to_recordset(%(versions)s::json)
            AS v (schema text, "table" text, key text, "column" text, change_id bigint)
    LEFT JOIN orgstream.change_stamp AS c ON v.change_id = c.change_id
    GROUP BY v.schema, v."table", v.key
) AS r
WHERE s.table_schema = r.schema AND s.table_name = r."table" AND s.key = r.key;
