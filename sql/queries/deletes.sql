-- name: bursts
-- The mass deletes of which something may still come: those that wait, and those settled lately.
SELECT
    b.letter_id,
    b.rule_id,
    extract(EPOCH FROM b.since)::bigint AS since,
    extract(EPOCH FROM b.until)::bigint AS until,
    CASE
        WHEN d.resolved_at IS NULL THEN 'open'
        WHEN starts_with(d.resolution, 'retry:') THEN 'approved'
        ELSE 'closed'
    END AS state
FROM orgstream.delete_burst AS b
INNER JOIN orgstream.dead_letter AS d ON b.letter_id = d.id
WHERE d.resolved_at IS NULL OR d.resolved_at > clock_timestamp() - interval '7 days'
ORDER BY b.letter_id;

-- name: waiting
-- Which of these records wait behind a burst, and the delete that a return would cancel.
SELECT
    b.rule_id,
    b.source_table,
    b.key,
    b.letter_id,
    h.change_id
FROM json_to_recordset(%(records)s::json) AS r (rule_id integer, source_table text, key text)
INNER JOIN orgstream.blocked_record AS b
    ON r.rule_id = b.rule_id AND r.source_table = b.source_table AND r.key = b.key
INNER JOIN orgstream.delete_burst AS d ON b.letter_id = d.letter_id
LEFT JOIN orgstream.held_change AS h ON b.change_id = h.change_id AND b.rule_id = h.rule_id;

-- name: tally
-- Deletes that the queue does not tell, because their records left the rule. What is old is forgotten.
WITH gone AS (
    DELETE FROM orgstream.delete_tally
    WHERE captured_at < to_timestamp(%(oldest)s) - interval '7 days'
)

INSERT INTO orgstream.delete_tally AS d (rule_id, captured_at, deletes)
SELECT
    t.rule_id,
    to_timestamp(t.second),
    t.deletes
FROM unnest(%(rules)s::integer [], %(seconds)s::bigint [], %(deletes)s::integer []) AS t (rule_id, second, deletes)
ORDER BY t.rule_id, t.second
ON CONFLICT (rule_id, captured_at) DO UPDATE SET deletes = d.deletes + excluded.deletes;

-- name: count
-- How many deletes came near these times, for each rule; no further than to `most` of the queue's.
SELECT
    w.rule_id,
    (
        SELECT count(*)
        FROM (
            SELECT
            FROM orgstream.change_queue AS c
            WHERE
                c.operation = 'DELETE'
                AND c.table_schema = w.table_schema
                AND c.table_name = w.table_name
                AND c.captured_at >= to_timestamp(w.since)
                AND c.captured_at < to_timestamp(w.until)
                AND NOT w.org = any(c.path)
                AND (cardinality(w.origins) = 0 OR c.origin = any(w.origins))
            ORDER BY c.captured_at
            LIMIT w.most
        ) AS found
    ) + (
        SELECT coalesce(sum(t.deletes), 0)
        FROM orgstream.delete_tally AS t
        WHERE
            t.rule_id = w.rule_id
            AND t.captured_at >= to_timestamp(w.since)
            AND t.captured_at < to_timestamp(w.until)
    ) AS deletes
FROM
    json_to_recordset(%(windows)s::json) AS w (
        rule_id integer, table_schema text, table_name text, org text, origins text [], since bigint, until bigint,
        most bigint
    );

-- name: by_second
-- The deletes of a table that a rule heeds, by the second of their capture.
SELECT
    floor(extract(EPOCH FROM c.captured_at))::bigint AS second,
    count(*) AS deletes
FROM orgstream.change_queue AS c
WHERE
    c.operation = 'DELETE'
    AND c.table_schema = %(table_schema)s
    AND c.table_name = %(table_name)s
    AND c.captured_at >= to_timestamp(%(since)s)
    AND c.captured_at < to_timestamp(%(until)s)
    AND NOT %(org)s = any(c.path)
    AND (cardinality(%(origins)s::text []) = 0 OR c.origin = any(%(origins)s::text []))
GROUP BY floor(extract(EPOCH FROM c.captured_at))::bigint;

-- name: tallied
SELECT
    extract(EPOCH FROM t.captured_at)::bigint AS second,
    t.deletes::bigint
FROM orgstream.delete_tally AS t
WHERE
    t.rule_id = %(rule_id)s
    AND t.captured_at >= to_timestamp(%(since)s)
    AND t.captured_at < to_timestamp(%(until)s);

-- name: take_turns
-- Workers that find a mass delete of one rule at the same time shall make one burst of it.
SELECT pg_advisory_xact_lock(hashtext('orgstream.delete_burst'), %(rule)s);

-- name: extend
UPDATE orgstream.delete_burst
SET
    since = least(since, to_timestamp(%(since)s)),
    until = greatest(until, to_timestamp(%(until)s))
WHERE letter_id = %(letter)s;

-- name: open
WITH letter AS (
    INSERT INTO orgstream.dead_letter
    (partition, rule_id, rule, rule_version, source_table, cause, message)
    VALUES (
        %(partition)s, %(rule_id)s, %(rule)s, %(rule_version)s, %(source_table)s, 'mass-delete', %(message)s
    )
    RETURNING id
)

INSERT INTO orgstream.delete_burst (letter_id, rule_id, since, until)
SELECT
    l.id,
    %(rule_id)s,
    to_timestamp(%(since)s),
    to_timestamp(%(until)s)
FROM letter AS l
RETURNING letter_id;

-- name: block
-- The records whose deletes wait.
INSERT INTO orgstream.blocked_record AS b (rule_id, source_table, key, letter_id, change_id)
SELECT
    r.rule_id,
    r.source_table,
    r.key,
    r.letter_id,
    r.change_id
FROM
    json_to_recordset(%(blocks)s::json)
        AS r (rule_id integer, source_table text, key text, letter_id bigint, change_id bigint)
ON CONFLICT (rule_id, source_table, key) DO UPDATE
    SET change_id = excluded.change_id
    WHERE b.letter_id = excluded.letter_id;

-- name: cancel
-- The record came back: its delete waits no longer, nor does what comes now.
WITH gone AS (
    DELETE FROM orgstream.held_change AS h
    USING json_to_recordset(%(cancelled)s::json) AS r (change_id bigint, rule_id integer)
    WHERE h.change_id = r.change_id AND h.rule_id = r.rule_id
)

DELETE FROM orgstream.blocked_record AS b
USING
    json_to_recordset(%(cancelled)s::json)
        AS r (change_id bigint, rule_id integer, source_table text, key text)
WHERE
    b.rule_id = r.rule_id
    AND b.source_table = r.source_table
    AND b.key = r.key
    AND b.change_id = r.change_id;

-- name: images
-- The rows that deletes took away, and those that came back.
SELECT
    c.id,
    coalesce(c.before::text, 'null') AS before,
    coalesce(c.after::text, 'null') AS after
FROM orgstream.change_queue AS c
WHERE c.id = any(%(ids)s::bigint []);

-- name: emptied
-- Bursts of these partitions of which every record came back, and that nobody has asked anything for.
SELECT d.id
FROM orgstream.delete_burst AS b
INNER JOIN orgstream.dead_letter AS d ON b.letter_id = d.id
WHERE
    d.resolved_at IS NULL
    AND d.requested IS NULL
    AND d.partition = any(%(partitions)s)
    AND NOT EXISTS (SELECT FROM orgstream.held_change AS h WHERE h.letter_id = d.id);

-- name: part
-- A held change of a burst that was approved and then refused has a letter of its own from now on, and what
-- came after it for its record waits behind that one.
WITH failed AS (
    SELECT
        c.key,
        c.table_schema || '.' || c.table_name AS source_table
    FROM orgstream.change_queue AS c
    WHERE c.id = %(change)s
),

moved AS (
    UPDATE orgstream.blocked_record AS b
    SET letter_id = %(own)s, change_id = NULL
    FROM failed AS f
    WHERE
        b.letter_id = %(letter)s
        AND b.rule_id = %(rule)s
        AND b.source_table = f.source_table
        AND b.key = f.key::text
)

UPDATE orgstream.held_change AS h
SET letter_id = %(own)s
FROM orgstream.change_queue AS c, failed AS f
WHERE
    h.letter_id = %(letter)s
    AND h.rule_id = %(rule)s
    AND h.change_id > %(change)s
    AND c.id = h.change_id
    AND c.table_schema || '.' || c.table_name = f.source_table
    AND f.key::text IN (c.key::text, c.old_key::text);
