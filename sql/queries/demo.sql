-- What the demo keeps beside the pipeline, in a schema of its own: its notes, and an audit of every write.

-- name: install
-- The audit knows our sessions by their application name, not by anything that apply itself sets.
CREATE SCHEMA orgstream_demo;
CREATE TABLE orgstream_demo.write (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    table_schema text NOT NULL,
    table_name text NOT NULL,
    before json,
    after json
);
CREATE TABLE orgstream_demo.phase (phase text NOT NULL);
INSERT INTO orgstream_demo.phase VALUES ('install');
CREATE TABLE orgstream_demo.org (
    name text PRIMARY KEY,
    phase text NOT NULL,
    creates bigint NOT NULL,
    updates bigint NOT NULL,
    deletes bigint NOT NULL,
    refusals bigint NOT NULL,
    outstanding boolean NOT NULL,
    rounds bigint NOT NULL
);
CREATE FUNCTION orgstream_demo.audit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orgstream_demo.write (table_schema, table_name, before, after) VALUES (
        TG_TABLE_SCHEMA, TG_TABLE_NAME,
        CASE WHEN TG_OP <> 'INSERT' THEN row_to_json(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN row_to_json(NEW) END
    );
    RETURN NULL;
END
$$;

-- name: audit
CREATE TRIGGER orgstream_demo_audit AFTER INSERT OR UPDATE OR DELETE ON {table}
FOR EACH ROW WHEN (starts_with(current_setting('application_name'), 'orgstream-'))
EXECUTE FUNCTION orgstream_demo.audit();

-- name: set_phase
UPDATE orgstream_demo.phase SET phase = %(phase)s;

-- name: phase
SELECT phase FROM orgstream_demo.phase;

-- name: note_org
INSERT INTO orgstream_demo.org AS o (name, phase, creates, updates, deletes, refusals, outstanding, rounds)
VALUES (
    %(name)s, %(phase)s, %(creates)s, %(updates)s, %(deletes)s, %(refusals)s, %(outstanding)s, %(rounds)s
)
ON CONFLICT (name) DO UPDATE SET
    phase = excluded.phase,
    creates = excluded.creates,
    updates = excluded.updates,
    deletes = excluded.deletes,
    refusals = excluded.refusals,
    outstanding = excluded.outstanding,
    rounds = excluded.rounds;

-- name: orgs
SELECT
    name,
    phase,
    creates,
    updates,
    deletes,
    refusals,
    outstanding,
    rounds
FROM orgstream_demo.org
ORDER BY name;

-- name: totals
-- Changes captured (the sequence tells without counting), and writes applied.
SELECT
    coalesce(pg_sequence_last_value('orgstream.change_queue_id_seq'), 0),
    (SELECT count(*) FROM orgstream.applied);

-- name: latency
-- From the capture of a change to its apply transaction, for the writes of the latest changes, in seconds.
SELECT
    percentile_cont(0.5) WITHIN GROUP (ORDER BY s.seconds),
    percentile_cont(0.99) WITHIN GROUP (ORDER BY s.seconds)
FROM (
    SELECT extract(EPOCH FROM a.applied_at - c.captured_at)::double precision AS seconds
    FROM orgstream.applied AS a
    INNER JOIN orgstream.change_queue AS c ON a.change_id = c.id
    WHERE a.change_id > %(after)s
    ORDER BY a.change_id DESC
    LIMIT 1000
) AS s;

-- name: summary
SELECT
    (SELECT count(*) FROM orgstream.change_queue),
    (SELECT count(*) FROM orgstream.applied),
    (SELECT count(DISTINCT change_id) FROM orgstream.applied),
    (SELECT count(*) FROM orgstream.dead_letter WHERE resolved_at IS NULL);

-- name: transitions
-- What each change of a source table was to one rule, as Postgres itself reads the rule's expressions:
-- whether the record met the condition before and after, and what the target has to hold for each of the two.
-- Changes that the rule need not act on are left out.
SELECT
    c.id,
    a.image::text AS image,
    coalesce(a.key, b.key)::text AS key,
    coalesce(b.met, false) AS met_before,
    CASE WHEN c.after IS NOT NULL THEN coalesce(a.met, false) END AS met_after,
    CASE WHEN c.after IS NULL THEN b.settled_by_delete ELSE b.settled_by_leaving END::text AS settled
FROM orgstream.change_queue AS c
LEFT JOIN LATERAL (
    SELECT
        {condition} AS met,
        {key_object} AS key,
        {image_object} AS image,
        {on_delete} AS settled_by_delete,
        {on_unmatched} AS settled_by_leaving
    FROM json_populate_record(NULL::{source}, c.before)
) AS b ON c.before IS NOT NULL
LEFT JOIN LATERAL (
    SELECT
        {condition} AS met,
        {key_object} AS key,
        {image_object} AS image
    FROM json_populate_record(NULL::{source}, c.after)
) AS a ON c.after IS NOT NULL
WHERE
    c.table_schema = %(schema)s
    AND c.table_name = %(table)s
    AND c.operation = ANY(%(operations)s)
    AND NOT %(target_org)s = ANY(c.path)
    AND (cardinality(%(origins)s::text []) = 0 OR c.origin = ANY(%(origins)s))
    AND (
        a.met IS DISTINCT FROM b.met AND (a.met OR b.met)
        OR a.met AND b.met AND (a.key, a.image) IS DISTINCT FROM (b.key, b.image)
    )
ORDER BY c.id;

-- name: differences
-- Every record of a source that meets the rule's condition now, against the target row of its key.
WITH wanted AS (
    SELECT
        {key_object} AS key,
        {image_object} AS image
    FROM {source}
    WHERE {condition}
),

held AS (
    SELECT
        {target_key} AS key,
        {target_image} AS image
    FROM {target}
)

SELECT
    wanted.key::text AS key,
    wanted.image::text AS wanted,
    held.image::text AS held
FROM wanted
LEFT JOIN held ON wanted.key = held.key
WHERE held.key IS NULL OR wanted.image <> held.image
ORDER BY wanted.key;

-- name: target_rows
-- The rows of a target, by key, as far as one rule writes them.
SELECT
    {target_key}::text,
    {target_image}::text
FROM {target};

-- name: writes
-- What our sessions wrote to a target, in their order, as far as one rule is concerned.
SELECT
    o.image::text AS before,
    n.image::text AS after,
    coalesce(n.key, o.key)::text AS key,
    (to_jsonb(w.before) - %(kept)s::text []) = (to_jsonb(w.after) - %(kept)s::text []) AS is_same
FROM orgstream_demo.write AS w
LEFT JOIN LATERAL (
    SELECT
        {target_key} AS key,
        {target_image} AS image
    FROM json_populate_record(NULL::{target}, w.before)
) AS o ON w.before IS NOT NULL
LEFT JOIN LATERAL (
    SELECT
        {target_key} AS key,
        {target_image} AS image
    FROM json_populate_record(NULL::{target}, w.after)
) AS n ON w.after IS NOT NULL
WHERE w.table_schema = %(schema)s AND w.table_name = %(table)s
ORDER BY w.id;

-- name: ledger
-- The changes that the ledger holds for one rule, and those set aside as its dead letters.
SELECT change_id
FROM orgstream.applied
WHERE rule_id = %(rule)s
UNION
SELECT change_id
FROM orgstream.dead_letter
WHERE rule = %(name)s AND change_id IS NOT NULL;

-- name: uncaptured
-- Records whose last captured state is not the one that the table holds.
WITH captured AS (
    SELECT DISTINCT ON (c.key::text)
        c.key::text AS key,
        c.after::jsonb AS after
    FROM orgstream.change_queue AS c
    WHERE c.table_schema = %(schema)s AND c.table_name = %(table)s AND c.key IS NOT NULL
    ORDER BY c.key::text ASC, c.id DESC
),

held AS (
    SELECT
        orgstream.identity_of(row_to_json(r), %(identity)s)::text AS key,
        to_jsonb(r) AS after
    FROM {source} AS r
)

SELECT coalesce(captured.key, held.key) AS key
FROM captured
FULL JOIN held ON captured.key = held.key
WHERE captured.after IS DISTINCT FROM held.after
ORDER BY coalesce(captured.key, held.key);

-- name: insert_row
-- What an application does to a table, as any does.
INSERT INTO {table} ({columns}) VALUES ({placeholders});

-- name: update_row
UPDATE {table} SET {sets} WHERE ext_id__c = %(ext_id)s;

-- name: delete_row
DELETE FROM {table} WHERE ext_id__c = %(ext_id)s;
