-- name: epoch
SELECT epoch
FROM orgstream.hold_epoch;

-- name: raise_epoch
-- With the change of what is held, in its transaction: whoever sees the number sees the change.
UPDATE orgstream.hold_epoch
SET epoch = epoch + 1
RETURNING epoch;

-- name: blocks
-- But for those of mass deletes, which may be very many: they are looked up by the batch.
SELECT
    b.rule_id,
    b.source_table,
    b.key,
    b.letter_id
FROM orgstream.blocked_record AS b
WHERE NOT EXISTS (SELECT FROM orgstream.delete_burst AS d WHERE d.letter_id = b.letter_id);

-- name: paused
-- The paused rules, and the (rule, partition) in which changes still wait though their rule is paused no more.
SELECT
    p.rule_id,
    NULL AS partition,
    p.cause
FROM orgstream.paused_rule AS p
UNION ALL
SELECT DISTINCT
    h.rule_id,
    h.partition,
    '' AS cause
FROM orgstream.held_change AS h
WHERE h.letter_id IS NULL;

-- name: block
INSERT INTO orgstream.blocked_record (rule_id, source_table, key, letter_id)
SELECT
    b.rule_id,
    b.source_table,
    b.key,
    b.letter_id
FROM
    json_to_recordset(%(blocks)s::json) AS b (rule_id integer, source_table text, key text, letter_id bigint)
ON CONFLICT DO NOTHING;

-- name: keep_open
-- A letter that is settled, or a wait that ends, in the meantime must not gather changes again: its row is locked
-- against that.
WITH letters AS (
    SELECT id
    FROM orgstream.dead_letter
    WHERE id = any(%(ids)s) AND resolved_at IS NULL
    FOR KEY SHARE
),

waits AS (
    SELECT id
    FROM orgstream.waiting
    WHERE id = any(%(ids)s)
    FOR KEY SHARE
)

SELECT id
FROM letters
UNION ALL
SELECT id
FROM waits;

-- name: hold
INSERT INTO orgstream.held_change (change_id, rule_id, partition, letter_id)
SELECT
    h.change_id,
    h.rule_id,
    h.partition,
    h.letter_id
FROM
    json_to_recordset(%(held)s::json) AS h (change_id bigint, rule_id integer, partition smallint, letter_id bigint)
ON CONFLICT (change_id, rule_id) DO UPDATE SET letter_id = excluded.letter_id;

-- name: pause
INSERT INTO orgstream.paused_rule (rule_id, reason, cause)
VALUES (%(rule)s, %(reason)s, %(cause)s)
ON CONFLICT DO NOTHING;

-- name: mended
-- The rule fits its tables again.
DELETE FROM orgstream.paused_rule
WHERE rule_id = %(rule)s AND cause = 'schema';

-- name: requested
-- Letters of these partitions that a person wants settled, oldest first. Whoever has partition 0 sees to the
-- entries that nobody could read.
SELECT
    id,
    coalesce(partition, 0),
    change_id,
    coalesce(rule_id, 0),
    requested,
    coalesce(request_reason, ''),
    edit::text,
    cause
FROM orgstream.dead_letter
WHERE requested IS NOT NULL AND resolved_at IS NULL AND coalesce(partition, 0) = any(%(partitions)s)
ORDER BY id
LIMIT 100;

-- name: lock_letter
SELECT
    resolved_at IS NULL,
    requested,
    edit::text,
    resolution
FROM orgstream.dead_letter
WHERE id = %(id)s
FOR UPDATE;

-- name: begin
UPDATE orgstream.dead_letter
SET resolution = %(resolution)s
WHERE id = %(id)s;

-- name: audit
-- What came of it; an edit's values are those that were asked for last.
INSERT INTO orgstream.letter_audit (letter_id, event, how, reason, actor, before, after)
SELECT
    %(letter)s,
    %(event)s,
    %(how)s,
    %(reason)s,
    %(actor)s,
    a.before,
    a.after
FROM (SELECT %(letter)s::bigint AS letter_id) AS l
LEFT JOIN LATERAL (
    SELECT
        x.before,
        x.after
    FROM orgstream.letter_audit AS x
    WHERE x.letter_id = l.letter_id AND x.event = 'asked' AND x.how = %(how)s
    ORDER BY x.id DESC
    LIMIT 1
) AS a ON true;

-- name: behind_letter
-- The changes that wait behind a letter, in the order in which they were made.
SELECT
    h.change_id,
    h.rule_id
FROM orgstream.held_change AS h
WHERE h.letter_id = %(id)s
ORDER BY h.change_id
LIMIT %(rows)s;

-- name: behind_pause
-- The changes of a partition that wait only because their rule was paused, and is no more.
SELECT
    h.change_id,
    h.rule_id
FROM orgstream.held_change AS h
WHERE
    h.letter_id IS NULL
    AND h.partition = %(partition)s
    AND NOT EXISTS (SELECT FROM orgstream.paused_rule AS p WHERE p.rule_id = h.rule_id)
ORDER BY h.change_id
LIMIT %(rows)s;

-- name: changes
-- Changes by id, as the relay publishes them; and what of each was found to be an echo.
SELECT
    c.id,
    row_to_json(d)::text,
    e.shown::text
FROM orgstream.change_queue AS c
LEFT JOIN orgstream.echo AS e ON c.id = e.change_id,
    LATERAL (
        SELECT
            c.id,
            c.table_schema AS "schema",
            c.table_name AS "table",
            c.operation,
            c.origin,
            c.captured_at,
            c.key,
            c.old_key,
            c.before,
            c.after,
            c.path
    ) AS d
WHERE c.id = any(%(ids)s)
ORDER BY c.id;

-- name: release
DELETE FROM orgstream.held_change AS h
USING unnest(%(changes)s::bigint [], %(rules)s::integer []) AS r (change_id, rule_id)
WHERE h.change_id = r.change_id AND h.rule_id = r.rule_id;

-- name: forget
DELETE FROM orgstream.held_change AS h
USING unnest(%(changes)s::bigint [], %(rules)s::integer []) AS r (change_id, rule_id)
WHERE
    h.change_id = r.change_id
    AND h.rule_id = r.rule_id
    AND h.letter_id IS NULL
    AND h.partition = %(partition)s;

-- name: unhold
-- What a pause held; what fails now is held again, behind a letter.
DELETE FROM orgstream.held_change
WHERE change_id = any(%(changes)s::bigint []) AND letter_id IS NULL;

-- name: settle
-- The letter is dealt with; what still waits behind it waits behind `behind` from now on, or not at all.
WITH unblocked AS (
    DELETE FROM orgstream.blocked_record
    WHERE letter_id = %(id)s AND %(behind)s::bigint IS NULL
),

moved AS (
    UPDATE orgstream.blocked_record
    SET letter_id = %(behind)s
    WHERE letter_id = %(id)s AND %(behind)s::bigint IS NOT NULL
),

waiting AS (
    UPDATE orgstream.held_change
    SET letter_id = %(behind)s
    WHERE letter_id = %(id)s AND %(behind)s::bigint IS NOT NULL
)

UPDATE orgstream.dead_letter
SET
    resolved_at = clock_timestamp(),
    resolution = coalesce(resolution, %(resolution)s),
    requested = NULL,
    edit = NULL
WHERE id = %(id)s;

-- name: done
-- What was asked for is done, and the letter stays open all the same.
UPDATE orgstream.dead_letter
SET requested = NULL, edit = NULL
WHERE id = %(id)s;

-- name: failed_again
UPDATE orgstream.dead_letter
SET
    attempts = attempts + 1,
    requested = NULL,
    edit = NULL,
    cause = %(cause)s,
    sqlstate = %(sqlstate)s,
    message = %(message)s,
    column_name = %(column_name)s,
    constraint_name = %(constraint_name)s
WHERE id = %(id)s;

-- name: confirm
-- The fence of a release: the lease stays ours to the end of the transaction.
SELECT
FROM orgstream.lease
WHERE stage = 'apply' AND partition = %(partition)s AND term = %(term)s AND holder = %(holder)s
FOR SHARE;

-- name: request
-- Ask the workers to settle letters: those that are not being settled already. An entry that nobody could read
-- can only be skipped, and a mass delete cannot be edited.
WITH asked AS (
    UPDATE orgstream.dead_letter
    SET requested = %(requested)s, request_reason = %(reason)s, edit = %(after)s::json
    WHERE
        id = any(%(ids)s)
        AND resolved_at IS NULL
        AND resolution IS NULL
        AND (
            change_id IS NOT NULL
            OR %(requested)s = 'skip'
            OR (cause = 'mass-delete' AND %(requested)s = 'retry')
        )
    RETURNING id
)

INSERT INTO orgstream.letter_audit (letter_id, event, how, reason, actor, before, after)
SELECT
    id,
    'asked',
    %(requested)s,
    %(reason)s,
    %(actor)s,
    %(before)s::json,
    %(after)s::json
FROM asked
ORDER BY id
RETURNING letter_id;

-- name: letter_for_held
-- A letter for a change that waited behind another and failed when it was released.
WITH newest AS (
    SELECT DISTINCT ON (rule_id)
        rule_id,
        name,
        version
    FROM orgstream.replication_rules
    ORDER BY rule_id ASC, version DESC
)

INSERT INTO orgstream.dead_letter
(
    change_id, partition, rule_id, rule, rule_version, source_table, key, cause, sqlstate, message, column_name,
    constraint_name
)
SELECT
    c.id,
    l.partition,
    r.rule_id,
    r.name,
    r.version,
    l.source_table,
    c.key,
    %(cause)s,
    %(sqlstate)s,
    %(message)s,
    %(column_name)s,
    %(constraint_name)s
FROM orgstream.dead_letter AS l
INNER JOIN orgstream.change_queue AS c ON c.id = %(change)s
LEFT JOIN newest AS r ON r.rule_id = %(rule)s
WHERE l.id = %(letter)s
RETURNING id;
