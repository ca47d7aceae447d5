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
-- Changes that wait, by rule and by whether they wait behind a letter or for a paused rule.
SELECT
    coalesce(r.name, '') AS rule,
    h.behind,
    h.changes,
    h.since
FROM (
    SELECT
        rule_id,
        letter_id IS NOT NULL AS behind,
        count(*) AS changes,
        min(held_at) AS since
    FROM orgstream.held_change
    GROUP BY rule_id, letter_id IS NOT NULL
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
WITH pending AS (
    SELECT
        table_schema,
        sum(entries) AS entries,
        min(written_at) AS since
    FROM orgstream.delivery
    WHERE state = 'pending'
    GROUP BY table_schema
),

refused AS (
    SELECT
        table_schema,
        count(*) AS records
    FROM orgstream.refused_record
    GROUP BY table_schema
)

SELECT
    s.name,
    coalesce(p.entries, 0)::bigint AS pending,
    p.since,
    coalesce(r.records, 0) AS refused
FROM unnest(%(schemas)s::text []) AS s (name)
LEFT JOIN pending AS p ON s.name = p.table_schema
LEFT JOIN refused AS r ON s.name = r.table_schema
ORDER BY s.name;
