-- name: wait
-- Writes waits; the braces are filled in by composition. What recognises the awaited row is written as a row of its
-- table would have it, which is how its arrival is recognised. A wait that goes on keeps its number and its times.
INSERT INTO orgstream.waiting AS e
(
    id, change_id, partition, rule_id, rule, rule_version, source_table, key, cause, message, awaits_schema,
    awaits_table, awaits_key, awaits_take, begun, since, due_at, look_at, looks
)
SELECT
    coalesce(w.id, nextval('orgstream.dead_letter_id_seq')),
    w.change_id,
    w.partition,
    w.rule_id,
    w.rule,
    w.rule_version,
    w.source_table,
    w.key,
    w.cause,
    w.message,
    w.awaits_schema,
    w.awaits_table,
    {awaits_key},
    w.awaits_take,
    w.begun,
    coalesce(w.since, clock_timestamp()),
    coalesce(w.due_at, clock_timestamp() + %(timeout)s * interval '1 second'),
    clock_timestamp() + interval '1 second' * least(60, power(2, least(coalesce(w.looks, 0), 6))),
    coalesce(w.looks + 1, 0)
FROM
    json_to_recordset(%(waits)s::json) AS w (
        id bigint, change_id bigint, partition smallint, rule_id integer, rule text, rule_version integer,
        source_table text, key json, cause text, message text, awaits_schema text, awaits_table text, awaits json,
        awaits_take text, begun boolean, since timestamptz, due_at timestamptz, looks integer
    )
ON CONFLICT (change_id, rule_id) DO UPDATE
    SET
        message = excluded.message,
        awaits_schema = excluded.awaits_schema,
        awaits_table = excluded.awaits_table,
        awaits_key = excluded.awaits_key,
        awaits_take = excluded.awaits_take
RETURNING e.id, e.change_id, e.rule;

-- name: any
SELECT EXISTS (SELECT FROM orgstream.waiting);

-- name: arrivals
-- Rows that arrived, for some partitions, oldest first.
SELECT id
FROM orgstream.arrival
WHERE partition = any(%(partitions)s)
ORDER BY id
LIMIT %(rows)s;

-- name: arrived
-- The waits for rows that arrived, in the order of their numbers; those up to `after` were seen to.
SELECT
    w.id,
    w.partition
FROM orgstream.waiting AS w
WHERE
    w.id > %(after)s
    AND (w.partition, w.awaits_schema, w.awaits_table, w.awaits_key) IN (
        SELECT
            a.partition,
            a.awaits_schema,
            a.awaits_table,
            a.awaits_key
        FROM orgstream.arrival AS a
        WHERE a.id = any(%(arrivals)s)
    )
ORDER BY w.id
LIMIT %(rows)s;

-- name: forget_arrivals
DELETE FROM orgstream.arrival
WHERE id = any(%(arrivals)s);

-- name: to_look_at
-- The waits of some partitions that are to be looked at now, with what they wait for. Where the rule is another by
-- now, or is no more, there is nothing to look for: it is asked anew.
SELECT
    w.id,
    w.partition,
    w.awaits_schema,
    w.awaits_table,
    w.awaits_key,
    w.awaits_take,
    NOT EXISTS (
        SELECT FROM unnest(%(rules)s::integer [], %(versions)s::integer []) AS r (id, version)
        WHERE r.id = w.rule_id AND r.version = w.rule_version
    ) AS outdated
FROM orgstream.waiting AS w
WHERE w.look_at <= clock_timestamp() AND w.partition = any(%(partitions)s)
ORDER BY w.look_at
LIMIT %(rows)s;

-- name: present
-- Which of some awaited rows are there, the column with a value that has to have one; the braces are filled in by
-- composition.
SELECT r.orgstream_n
FROM json_to_recordset(%(keys)s::json) AS r (orgstream_n integer, orgstream_take text, {defined})
WHERE
    EXISTS (
        SELECT FROM {table} AS t
        WHERE {same} AND (r.orgstream_take IS NULL OR row_to_json(t) ->> r.orgstream_take IS NOT NULL)
    );

-- name: look_later
-- In vain: ever later, but not after the wait has to end.
UPDATE orgstream.waiting
SET
    looks = looks + 1,
    look_at = least(due_at, clock_timestamp() + interval '1 second' * least(60, power(2, least(looks, 6))))
WHERE id = any(%(ids)s::bigint []);

-- name: held_behind
-- How many changes wait behind each of some waits.
SELECT
    h.letter_id,
    count(*)
FROM orgstream.held_change AS h
WHERE h.letter_id = any(%(ids)s::bigint [])
GROUP BY h.letter_id;

-- name: end_waits
-- Takes waits, and what is held behind them, out; what goes on waiting is written anew in the same transaction.
-- Rows of kind, change, rule, and of the wait its number and times.
WITH ended AS (
    DELETE FROM orgstream.waiting
    WHERE id = any(%(ids)s::bigint [])
    RETURNING id, change_id, rule_id, since, due_at, looks, begun
),

unblocked AS (
    DELETE FROM orgstream.blocked_record
    WHERE letter_id = any(%(ids)s::bigint [])
),

freed AS (
    DELETE FROM orgstream.held_change
    WHERE letter_id = any(%(ids)s::bigint [])
    RETURNING change_id, rule_id
)

SELECT
    e.change_id,
    e.rule_id,
    e.id,
    e.since::text,
    e.due_at::text,
    e.looks,
    e.begun
FROM ended AS e
UNION ALL
SELECT
    f.change_id,
    f.rule_id,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
FROM freed AS f;

-- name: of_waits
-- The changes of some waits and what is held behind them.
SELECT
    w.change_id,
    w.rule_id,
    w.begun
FROM orgstream.waiting AS w
WHERE w.id = any(%(ids)s::bigint [])
UNION ALL
SELECT
    h.change_id,
    h.rule_id,
    false
FROM orgstream.held_change AS h
WHERE h.letter_id = any(%(ids)s::bigint []);

-- name: give_up
-- Waits that become dead letters, under their numbers, so that what is held behind them stays where it is: those
-- named, or else those whose time is over.
WITH ended AS (
    DELETE FROM orgstream.waiting AS w
    WHERE
        w.id IN (
            SELECT o.id
            FROM orgstream.waiting AS o
            WHERE
                o.partition = any(%(partitions)s)
                AND o.due_at <= CASE WHEN %(ids)s::bigint [] IS NULL THEN clock_timestamp() ELSE 'infinity' END
                AND (%(ids)s::bigint [] IS NULL OR o.id = any(%(ids)s))
            ORDER BY o.due_at
            LIMIT %(rows)s
            FOR UPDATE
        )
    RETURNING w.*
)

INSERT INTO orgstream.dead_letter
(
    id, change_id, partition, rule_id, rule, rule_version, source_table, key, cause, sqlstate, message,
    requested, request_reason
)
OVERRIDING SYSTEM VALUE
SELECT
    e.id,
    e.change_id,
    e.partition,
    e.rule_id,
    e.rule,
    e.rule_version,
    e.source_table,
    e.key,
    %(cause)s,
    %(sqlstate)s,
    coalesce(
        %(message)s,
        e.message || ', which did not come within ' || date_trunc('second', clock_timestamp() - e.since)
    ),
    %(requested)s,
    %(reason)s
FROM ended AS e
RETURNING id, rule;

-- name: lock
-- Nobody has more wait behind these from here on.
SELECT
FROM orgstream.waiting
WHERE id = any(%(ids)s::bigint [])
ORDER BY id
FOR UPDATE;

-- name: types
-- The types of a table's columns.
SELECT
    a.attname::text,
    format_type(a.atttypid, a.atttypmod)
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON a.attrelid = c.oid
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND a.attnum > 0 AND NOT a.attisdropped;
