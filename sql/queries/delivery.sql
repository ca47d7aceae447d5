-- What becomes of our writes in Salesforce: {log} and {archive} are an org's trigger log of Heroku Connect.

-- name: logs
-- Whether this schema has the logs of Heroku Connect, and we may read them.
SELECT
    coalesce(bool_and(has_table_privilege(l.oid, 'SELECT')), false)
    AND count(l.oid) = 2
FROM unnest(ARRAY['_trigger_log', '_trigger_log_archive']) AS n (name)
LEFT JOIN pg_catalog.pg_namespace AS s ON s.nspname = %(schema)s
LEFT JOIN pg_catalog.pg_class AS l ON s.oid = l.relnamespace AND n.name = l.relname;

-- name: newest_entry
-- Our transaction's own entries will all lie above.
SELECT coalesce(max(id), 0)
FROM {log};

-- name: newest_entry_alone
-- The same, and no other bulk of ours is written for this org until we have committed: entries of two would
-- alternate in the log, and Heroku Connect would send them one by one.
WITH alone AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtextextended('orgstream delivery ' || %(schema)s, 0)) IS NULL AS waited
)

SELECT CASE WHEN NOT a.waited THEN (SELECT coalesce(max(l.id), 0) FROM {log} AS l) END
FROM alone AS a;

-- name: remember
-- A row for each table that our transaction wrote by a rule and Heroku Connect captured. Writes that changed
-- nothing were not captured.
INSERT INTO orgstream.delivery
(table_schema, table_name, xid, rules, first_change, last_change, first_entry, last_entry, entries)
SELECT
    %(schema)s,
    l.table_name,
    l.txid,
    %(rules)s::integer [],
    %(first_change)s,
    %(last_change)s,
    min(l.id),
    max(l.id),
    count(*)
FROM {log} AS l
WHERE
    l.id > %(after)s
    AND l.txid = pg_current_xact_id()::text::bigint
    AND l.table_name = any(%(tables)s::text [])
GROUP BY l.table_name, l.txid;

-- name: orgs
-- The schemas in which something is pending, or refused and not settled; found by leaps through the index.
WITH RECURSIVE pending (table_schema) AS (
    (
        SELECT d.table_schema
        FROM orgstream.delivery AS d
        WHERE d.state = 'pending'
        ORDER BY d.table_schema
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT d.table_schema
        FROM orgstream.delivery AS d
        WHERE d.state = 'pending' AND d.table_schema > p.table_schema
        ORDER BY d.table_schema
        LIMIT 1
    )
    FROM pending AS p
    WHERE p.table_schema IS NOT NULL
)

SELECT table_schema
FROM pending
WHERE table_schema IS NOT NULL
UNION
SELECT table_schema
FROM orgstream.refused_record;

-- name: ended
-- Pending transactions that Heroku Connect is done with, oldest first. It works in the order of its log, so
-- most are told by the first entry that it has yet to send, from `begin` on; of one page, from `after` on, each
-- is looked at by itself, in case an older entry is stuck.
WITH outstanding AS (
    SELECT coalesce(min(o.id), 9223372036854775807) AS first
    FROM (
        (
            SELECT n.id
            FROM {log} AS n
            WHERE n.state = 'NEW'
            ORDER BY n.id
            LIMIT 1
        )
        UNION ALL
        (
            SELECT p.id
            FROM {log} AS p
            WHERE p.state = 'PENDING'
            ORDER BY p.id
            LIMIT 1
        )
    ) AS o
),

before AS (
    SELECT
        d.id,
        d.last_entry,
        d.entries
    FROM orgstream.delivery AS d
    WHERE
        d.state = 'pending'
        AND d.table_schema = %(schema)s
        AND d.last_entry > %(begin)s
        AND d.last_entry < (SELECT o.first FROM outstanding AS o)
    ORDER BY d.last_entry
    LIMIT %(rows)s
),

page AS (
    SELECT
        d.id,
        d.xid,
        d.first_entry,
        d.last_entry,
        d.entries
    FROM orgstream.delivery AS d
    WHERE
        d.state = 'pending'
        AND d.table_schema = %(schema)s
        AND d.last_entry > %(after)s
        AND d.last_entry >= (SELECT o.first FROM outstanding AS o)
    ORDER BY d.last_entry
    LIMIT %(rows)s
)

SELECT
    b.id,
    b.last_entry,
    b.entries,
    true AS in_order,
    true AS done
FROM before AS b
UNION ALL
SELECT
    p.id,
    p.last_entry,
    p.entries,
    false AS in_order,
    NOT EXISTS (
        SELECT
        FROM {log} AS l
        WHERE
            l.id >= p.first_entry
            AND l.id <= p.last_entry
            AND l.txid = p.xid
            AND l.state IN ('NEW', 'PENDING')
    ) AS done
FROM page AS p
ORDER BY last_entry;

-- name: tally
-- How the entries of transactions ended.
SELECT
    d.id,
    d.entries - count(e.id) AS missing,
    count(e.id) FILTER (
        WHERE e.state IN ('FAILED', 'READONLY', 'REQUEUE', 'REQUEUED') AND e.id > d.told_entry
    ) AS failed,
    d.refused,
    d.written_at < clock_timestamp() - interval '1 day' AS old
FROM orgstream.delivery AS d
LEFT JOIN LATERAL (
    SELECT
        a.id,
        a.state
    FROM {archive} AS a
    WHERE a.id >= d.first_entry AND a.id <= d.last_entry AND a.txid = d.xid AND a.table_name = d.table_name
    UNION ALL
    SELECT
        l.id,
        l.state
    FROM {log} AS l
    WHERE l.id >= d.first_entry AND l.id <= d.last_entry AND l.txid = d.xid AND l.table_name = d.table_name
) AS e ON true
WHERE d.id = any(%(ids)s) AND d.state = 'pending'
GROUP BY d.id
ORDER BY d.last_entry;

-- name: settle
UPDATE orgstream.delivery AS d
SET
    state = s.state,
    accepted = d.entries - d.refused - s.missing,
    settled_at = clock_timestamp()
FROM unnest(%(ids)s::bigint [], %(states)s::text [], %(missing)s::bigint []) AS s (id, state, missing)
WHERE d.id = s.id AND d.state = 'pending'
RETURNING d.accepted;

-- name: failed
-- The entries of a transaction that Salesforce refused, from where the letters end.
SELECT
    e.id,
    e.action,
    e.state,
    e.record_id,
    coalesce(e.sf_message, '') AS message,
    coalesce(e.old, '') AS old,
    coalesce(e."values", '') AS written
FROM orgstream.delivery AS d
INNER JOIN LATERAL (
    SELECT
        a.id,
        a.txid,
        a.table_name,
        a.action,
        a.state,
        a.record_id,
        a.sf_message,
        a.old,
        a."values"
    FROM {archive} AS a
    WHERE a.id > d.told_entry AND a.id >= d.first_entry AND a.id <= d.last_entry
    UNION ALL
    SELECT
        l.id,
        l.txid,
        l.table_name,
        l.action,
        l.state,
        l.record_id,
        l.sf_message,
        l.old,
        l."values"
    FROM {log} AS l
    WHERE l.id > d.told_entry AND l.id >= d.first_entry AND l.id <= d.last_entry
) AS e ON d.xid = e.txid AND d.table_name = e.table_name
WHERE d.id = %(id)s AND e.state IN ('FAILED', 'READONLY', 'REQUEUE', 'REQUEUED')
ORDER BY e.id
LIMIT %(rows)s;

-- name: told
UPDATE orgstream.delivery
SET told_entry = %(entry)s, refused = refused + %(refused)s
WHERE id = %(id)s;

-- name: fence
-- The relay's lease stays its own to the end of the transaction.
SELECT
FROM orgstream.lease
WHERE stage = 'relay' AND partition = 0 AND term = %(term)s
FOR SHARE;

-- name: limit_waits
SELECT
    set_config('lock_timeout', %(lock_timeout)s, true),
    set_config('statement_timeout', %(statement_timeout)s, true);

-- name: written_by
-- Which table a transaction wrote by which rules, and which changes it may have carried.
SELECT
    table_name,
    rules,
    first_change,
    last_change
FROM orgstream.delivery
WHERE id = %(id)s;

-- name: changes_of
-- Changes that were written under a rule, the latest first.
SELECT change_id
FROM orgstream.applied
WHERE change_id >= %(first)s AND change_id < %(below)s AND rule_id = %(rule)s
ORDER BY change_id DESC
LIMIT %(rows)s;

-- name: sfids
-- The Salesforce ids that rows have by now.
SELECT
    t.id,
    t.sfid
FROM {table} AS t
WHERE t.id = any(%(ids)s) AND t.sfid IS NOT NULL;

-- name: unwatch
-- Letters that a person skipped need no watching.
DELETE FROM orgstream.refused_record AS r
USING orgstream.dead_letter AS d
WHERE r.letter_id = d.id AND d.resolved_at IS NOT NULL;

-- name: watched
-- Of these records, those that have an open letter already.
SELECT key
FROM orgstream.refused_record
WHERE table_schema = %(schema)s AND table_name = %(table)s AND key = any(%(keys)s);

-- name: write_letters
-- Letters for records that Salesforce refused, each with what is to be watched for. A change that has an open
-- letter under the rule is not named twice.
WITH refused AS MATERIALIZED (
    SELECT
        r.*,
        nextval('orgstream.dead_letter_id_seq') AS letter_id,
        o.id IS NULL AS is_first
    FROM
        json_to_recordset(%(letters)s::json) AS r (
            change_id bigint, partition smallint, rule_id integer, rule text, rule_version integer,
            source_table text, key json, message text, record_id bigint, sfid text, record_key text,
            entry bigint, action text, columns text []
        )
    LEFT JOIN orgstream.dead_letter AS o
        ON r.change_id = o.change_id AND r.rule = o.rule AND o.resolved_at IS NULL
),

written AS (
    INSERT INTO orgstream.dead_letter
    (id, change_id, partition, rule_id, rule, rule_version, source_table, key, cause, message)
    OVERRIDING SYSTEM VALUE
    SELECT
        letter_id,
        CASE WHEN is_first THEN change_id END,
        partition,
        rule_id,
        rule,
        rule_version,
        source_table,
        key,
        %(cause)s,
        message
    FROM refused
)

INSERT INTO orgstream.refused_record
(letter_id, table_schema, table_name, record_id, sfid, key, entry, action, columns)
SELECT
    letter_id,
    %(schema)s,
    %(table)s,
    record_id,
    sfid,
    record_key,
    entry,
    action,
    columns
FROM refused;

-- name: followed
-- What became of refused records since, in the order of the log.
SELECT
    r.letter_id,
    r.key,
    r.action AS refused,
    r.columns,
    a.id,
    a.action,
    a.state,
    a.record_id,
    coalesce(a.sf_message, '') AS message,
    coalesce(a.old, '') AS old,
    coalesce(a."values", '') AS written
FROM (
    SELECT o.*
    FROM orgstream.refused_record AS o
    WHERE o.table_schema = %(schema)s AND o.letter_id > %(after)s
    ORDER BY o.letter_id
    LIMIT %(rows)s
) AS r
LEFT JOIN {archive} AS a
    ON r.record_id = a.record_id AND r.table_name = a.table_name AND r.entry < a.id
ORDER BY r.letter_id, a.id;

-- name: note_followed
-- How far the log was looked at for refused records, and what is refused still.
UPDATE orgstream.refused_record AS r
SET entry = f.entry, columns = f.columns
FROM
    json_to_recordset(%(followed)s::json) AS f (letter_id bigint, entry bigint, columns text [])
WHERE r.letter_id = f.letter_id;

-- name: refused_again
UPDATE orgstream.dead_letter AS d
SET attempts = d.attempts + f.attempts, message = coalesce(f.message, d.message)
FROM json_to_recordset(%(followed)s::json) AS f (letter_id bigint, attempts integer, message text)
WHERE d.id = f.letter_id AND d.resolved_at IS NULL;

-- name: accept
-- Letters of records that Salesforce has accepted since.
WITH settled AS (
    UPDATE orgstream.dead_letter
    SET
        resolved_at = clock_timestamp(),
        resolution = 'accepted by Salesforce',
        requested = NULL,
        edit = NULL
    WHERE id = any(%(letters)s) AND resolved_at IS NULL
    RETURNING id
)

INSERT INTO orgstream.letter_audit (letter_id, event, how, reason, actor)
SELECT
    s.id,
    'settled',
    'accepted',
    'Salesforce accepted the record',
    'relay'
FROM settled AS s;

-- name: forget
-- What was settled long ago.
DELETE FROM orgstream.delivery
WHERE id IN (
        SELECT d.id
        FROM orgstream.delivery AS d
        WHERE d.state <> 'pending' AND d.settled_at < clock_timestamp() - %(retention)s * interval '1 second'
        ORDER BY d.settled_at
        LIMIT %(rows)s
    );

-- name: refused_record
SELECT
    table_schema,
    table_name,
    key,
    action,
    columns,
    entry
FROM orgstream.refused_record
WHERE letter_id = %(letter)s
FOR UPDATE;

-- name: capture_again
-- Have Heroku Connect's own functions capture a row: as an insert where Salesforce never had it, else the
-- columns that it refused.
SELECT
    t.id,
    CASE
        WHEN t.sfid IS NULL THEN {insert}(hstore(t.*), %(table)s::varchar, '{{}}'::text [])
        ELSE {update}(hstore(t.*), %(table)s::varchar, %(columns)s::text [])
    END AS entry
FROM {table} AS t
WHERE {same};

-- name: requeue
-- A delete leaves no row: Heroku Connect copies an archived entry so marked back into its log.
UPDATE {archive}
SET state = 'REQUEUE'
WHERE id = %(entry)s;

-- name: written_again
WITH again AS (
    UPDATE orgstream.refused_record
    SET record_id = %(record)s, written_again_at = clock_timestamp()
    WHERE letter_id = %(letter)s
)

INSERT INTO orgstream.delivery
(table_schema, table_name, xid, rules, first_change, last_change, first_entry, last_entry, entries)
VALUES (
    %(schema)s,
    %(table)s,
    pg_current_xact_id()::text::bigint,
    ARRAY[%(rule)s::integer],
    %(change)s,
    %(change)s,
    %(entry)s,
    %(entry)s,
    1
);
