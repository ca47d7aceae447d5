-- What the reader and the writer do to a mapped table. {sets} is `column = incoming.column, ...`.

-- name: refresh
-- The rows that are known by their Salesforce id.
UPDATE {table} AS known
SET {sets}
FROM json_populate_recordset(NULL::{table}, %(rows)s) AS incoming
WHERE known.sfid = incoming.sfid
RETURNING known.sfid;

-- name: recognise
-- Failing that, by the unique identifier.
UPDATE {table} AS known
SET {sets}
FROM json_populate_recordset(NULL::{table}, %(rows)s) AS incoming
WHERE known.{identifier} = incoming.{identifier}
RETURNING known.sfid;

-- name: add
-- Failing that, new. A row that an application is inserting right now conflicts; the reader then looks again.
INSERT INTO {table} ({columns})
SELECT {incoming}
FROM json_populate_recordset(NULL::{table}, %(rows)s) WITH ORDINALITY AS incoming
ORDER BY incoming.ordinality
ON CONFLICT DO NOTHING
RETURNING sfid;

-- name: remove
DELETE FROM {table} WHERE sfid = ANY(%(sfids)s);

-- name: empty_by_truncate
TRUNCATE {table};

-- name: empty_by_delete
DELETE FROM {table};

-- name: restart_ids
SELECT setval({sequence}, 1, false);

-- name: stored
-- The rows as they stand, for an org that starts empty beside a table that is not.
SELECT coalesce(json_agg(row_to_json(known)), '[]')::text FROM {table} AS known WHERE known.sfid IS NOT NULL;

-- name: status_by_sfid
UPDATE {table} AS known
SET _hc_lastop = outcome.lastop, _hc_err = outcome.error
FROM json_to_recordset(%(outcomes)s) AS outcome (id integer, sfid text, lastop text, error text)
WHERE known.sfid = outcome.sfid
RETURNING known.sfid;

-- name: status_by_id
UPDATE {table} AS known
SET sfid = outcome.sfid, _hc_lastop = outcome.lastop, _hc_err = outcome.error
FROM json_to_recordset(%(outcomes)s) AS outcome (id integer, sfid text, lastop text, error text)
WHERE known.id = outcome.id AND known.sfid IS NULL;

-- name: sfids
SELECT
    id,
    sfid
FROM {table}
WHERE id = ANY(%(ids)s);

-- name: whole_row
SELECT public.hstore_to_json(public.hstore(known))::text FROM {table} AS known WHERE id = %(id)s;
