-- What is looked up for the metrics and the status, beside status.sql. Each runs at every scrape: no scan of
-- what may be large.

-- name: partitions
-- Partitions there are of the stages, and those with a living holder, by stage.
SELECT
    stage,
    count(*) AS there,
    count(*) FILTER (WHERE expires_at > clock_timestamp()) AS held
FROM orgstream.lease
GROUP BY stage;

-- name: processes
-- The living processes by kind.
SELECT
    kind,
    count(*)
FROM orgstream.process
WHERE seen_at > clock_timestamp() - %(seconds)s * interval '1 second'
GROUP BY kind;

-- name: captures
-- Every captured table, and whether a trigger is missing or disabled there.
SELECT
    c.table_schema,
    c.table_name,
    count(t.tgname) < 3 AS broken
FROM orgstream.captured_table AS c
LEFT JOIN pg_catalog.pg_namespace AS n ON c.table_schema = n.nspname
LEFT JOIN pg_catalog.pg_class AS r ON n.oid = r.relnamespace AND c.table_name = r.relname
LEFT JOIN pg_catalog.pg_trigger AS t
    ON
        r.oid = t.tgrelid AND t.tgenabled IN ('O', 'A')
        AND t.tgname IN ('00_orgstream_capture', '00_orgstream_update', '00_orgstream_truncate')
GROUP BY c.table_schema, c.table_name
ORDER BY c.table_schema, c.table_name;

-- name: held
-- Changes that are held, by rule and reason: behind a letter or a wait, for the approval of a mass delete, or
-- because their rule is paused.
SELECT
    coalesce(r.name, '') AS rule,
    h.reason,
    h.changes,
    h.since
FROM (
    SELECT
        c.rule_id,
        CASE
            WHEN c.letter_id IS NULL THEN 'paused'
            WHEN b.letter_id IS NULL THEN 'held'
            ELSE 'approval'
        END AS reason,
        count(*) AS changes,
        min(c.held_at) AS since
    FROM orgstream.held_change AS c
    LEFT JOIN orgstream.delete_burst AS b ON c.letter_id = b.letter_id
    GROUP BY c.rule_id, reason
) AS h
LEFT JOIN LATERAL (
    SELECT v.name
    FROM orgstream.replication_rules AS v
    WHERE v.rule_id = h.rule_id
    ORDER BY v.version DESC
    LIMIT 1
) AS r ON true;

-- name: storage
-- Our own tables with their sizes, partitions counted with the table they belong to.
SELECT
    coalesce(root.relname, r.relname) AS relation,
    sum(pg_total_relation_size(r.oid)) AS bytes,
    sum(coalesce(s.n_live_tup, 0)) AS live_rows,
    sum(coalesce(s.n_dead_tup, 0)) AS dead_rows
FROM pg_catalog.pg_class AS r
LEFT JOIN pg_catalog.pg_class AS root ON root.oid = pg_partition_root(r.oid)
LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON r.oid = s.relid
WHERE r.relnamespace = 'orgstream'::regnamespace AND r.relkind = 'r'
GROUP BY coalesce(root.relname, r.relname)
ORDER BY relation;

-- name: oldest_kept
-- The first change that is still there: ids rise with time but for writers at the same moment.
SELECT captured_at
FROM orgstream.change_queue
ORDER BY id
LIMIT 1;

-- name: connected
-- The schemas of these that hold the logs of Heroku Connect.
SELECT s.name
FROM unnest(%(schemas)s::text []) AS s (name)
WHERE
    to_regclass(format('%%I._trigger_log', s.name)) IS NOT NULL
    AND to_regclass(format('%%I._trigger_log_archive', s.name)) IS NOT NULL;

-- name: connect
-- What Heroku Connect has yet to send of an org, since when, and what failed within the hour. Both counts stop
-- at ten thousand; the indexes are Heroku Connect's own.
SELECT
    (
        SELECT count(*)
        FROM (
            SELECT id
            FROM {schema}._trigger_log
            WHERE state IN ('NEW', 'PENDING')
            ORDER BY id
            LIMIT 10000
        ) AS p
    ) AS pending,
    (
        SELECT min(first.created_at)
        FROM (
            (
                SELECT created_at
                FROM {schema}._trigger_log
                WHERE state = 'NEW'
                ORDER BY id
                LIMIT 1
            )
            UNION ALL
            (
                SELECT created_at
                FROM {schema}._trigger_log
                WHERE state = 'PENDING'
                ORDER BY id
                LIMIT 1
            )
        ) AS first
    ) AS since,
    (
        SELECT count(*)
        FROM (
            SELECT id
            FROM (
                SELECT
                    id,
                    updated_at
                FROM {schema}._trigger_log
                WHERE state = 'FAILED'
                UNION ALL
                SELECT
                    id,
                    updated_at
                FROM {schema}._trigger_log_archive
                WHERE state = 'FAILED'
            ) AS f
            WHERE updated_at > clock_timestamp() - interval '1 hour'
            ORDER BY id
            LIMIT 10000
        ) AS lately
    ) AS failed;

-- name: deliveries
-- By schema: what Salesforce has not answered, since when, and the records of which it refused something.
SELECT
    s.name,
    coalesce(u.pending, 0) AS pending,
    u.since,
    coalesce(u.refused, 0) AS refused
FROM unnest(%(schemas)s::text []) AS s (name)
LEFT JOIN orgstream.undelivered AS u ON s.name = u.table_schema
ORDER BY s.name;
