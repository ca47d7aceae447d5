-- name: change_stamps
-- The stamps that changes left in their own tables.
SELECT
    c.change_id,
    c.stamps::text
FROM orgstream.change_stamp AS c
WHERE c.change_id = any(%(ids)s::bigint []);

-- name: keep_stamps
-- Before the rows are written: the trigger of a captured table finds them, and sends them on with its change.
INSERT INTO orgstream.record_stamp (table_schema, table_name, key, stamps, deleted)
SELECT
    r.table_schema,
    r.table_name,
    r.key,
    r.stamps,
    r.deleted
FROM
    json_to_recordset(%(records)s::json) AS r (
        table_schema text, table_name text, key text, stamps jsonb, deleted jsonb
    )
ON CONFLICT (table_schema, table_name, key) DO UPDATE
    SET
        stamps = excluded.stamps,
        deleted = excluded.deleted,
        xid = excluded.xid,
        written_at = excluded.written_at;

-- name: drop_stamps
-- Of records that took another key.
DELETE FROM orgstream.record_stamp AS s
USING json_to_recordset(%(records)s::json) AS r (table_schema text, table_name text, key text)
WHERE s.table_schema = r.table_schema AND s.table_name = r.table_name AND s.key = r.key;

-- name: note_conflicts
INSERT INTO orgstream.conflict
(
    change_id, rule_id, rule, target_table, key, column_name, source_value, target_value, winner, policy, why,
    source_edited_at, source_edited_in, target_edited_at, target_edited_in
)
SELECT
    r.change_id,
    r.rule_id,
    r.rule,
    r.target_table,
    r.key,
    r.column_name,
    r.source_value,
    r.target_value,
    r.winner,
    r.policy,
    r.why,
    r.source_edited_at,
    r.source_edited_in,
    r.target_edited_at,
    r.target_edited_in
FROM
    json_to_recordset(%(conflicts)s::json) AS r (
        change_id bigint, rule_id integer, rule text, target_table text, key json, column_name text,
        source_value json, target_value json, winner text, policy text, why text,
        source_edited_at timestamptz, source_edited_in text, target_edited_at timestamptz, target_edited_in text
    );

-- name: tell
SELECT orgstream.tell(%(answers)s::json);
