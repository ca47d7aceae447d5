-- name: schemas
-- Every schema that could be an org's.
SELECT nspname::text
FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname;

-- name: table_names
-- All that looks like a table in some schemas, to find out what was probably meant.
SELECT
    n.nspname::text,
    c.relname::text
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
WHERE n.nspname = ANY(%(schemas)s::text []) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY n.nspname, c.relname;

-- name: tables
-- The named tables, with what shows Heroku Connect. A read-only mapping's log trigger notes its rows as
-- READONLY, or the mapping has no column for the state of its writes.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    (
        SELECT count(*) = 2 FROM pg_class AS o
        WHERE o.relnamespace = n.oid AND o.relname IN ('_trigger_log', '_hcmeta')
    ) AS in_mapped_schema,
    EXISTS (
        SELECT FROM pg_trigger AS t
        INNER JOIN pg_proc AS p ON t.tgfoid = p.oid
        WHERE t.tgrelid = c.oid AND t.tgname ~ '^hc_.*_logtrigger$' AND p.prosrc ~ '''READONLY'''
    ) AS logged_as_read_only
FROM unnest(%(schemas)s::text [], %(names)s::text []) AS named (schema_name, table_name)
INNER JOIN pg_namespace AS n ON named.schema_name = n.nspname
INNER JOIN pg_class AS c ON n.oid = c.relnamespace AND named.table_name = c.relname
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f');

-- name: columns
-- The columns of the named tables, in their order. A domain may bring a default or forbid NULL.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS table_name,
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    NOT (a.attnotnull OR t.typnotnull) AS nullable,
    (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS has_default,
    a.attgenerated = '' AND a.attidentity <> 'a' AS writable
FROM unnest(%(schemas)s::text [], %(names)s::text []) AS named (schema_name, table_name)
INNER JOIN pg_namespace AS n ON named.schema_name = n.nspname
INNER JOIN pg_class AS c ON n.oid = c.relnamespace AND named.table_name = c.relname
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid
INNER JOIN pg_type AS t ON a.atttypid = t.oid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY n.nspname, c.relname, a.attnum;

-- name: unique_indexes
-- The unique indexes of the named tables that cover every row by plain columns. A deferrable one cannot
-- serve ON CONFLICT, but a primary key identifies records all the same.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS table_name,
    i.indisprimary AS is_primary,
    i.indimmediate AS is_usable,
    (
        SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
        INNER JOIN pg_attribute AS a ON i.indrelid = a.attrelid AND k.number = a.attnum
        WHERE k.place <= i.indnkeyatts
    ) AS columns
FROM unnest(%(schemas)s::text [], %(names)s::text []) AS named (schema_name, table_name)
INNER JOIN pg_namespace AS n ON named.schema_name = n.nspname
INNER JOIN pg_class AS c ON n.oid = c.relnamespace AND named.table_name = c.relname
INNER JOIN pg_index AS i ON c.oid = i.indrelid
INNER JOIN pg_class AS x ON i.indexrelid = x.oid
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY n.nspname, c.relname, x.relname;

-- name: references
-- The foreign keys of the named tables.
SELECT
    n.nspname::text AS schema,
    c.relname::text AS table_name,
    f.conname::text AS name,
    fn.nspname::text AS to_schema,
    fc.relname::text AS to_table,
    (
        SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
        INNER JOIN pg_attribute AS a ON c.oid = a.attrelid AND k.number = a.attnum
    ) AS columns,
    (
        SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(f.confkey) WITH ORDINALITY AS k (number, place)
        INNER JOIN pg_attribute AS a ON fc.oid = a.attrelid AND k.number = a.attnum
    ) AS to_columns
FROM unnest(%(schemas)s::text [], %(names)s::text []) AS named (schema_name, table_name)
INNER JOIN pg_namespace AS n ON named.schema_name = n.nspname
INNER JOIN pg_class AS c ON n.oid = c.relnamespace AND named.table_name = c.relname
INNER JOIN pg_constraint AS f ON c.oid = f.conrelid
INNER JOIN pg_class AS fc ON f.confrelid = fc.oid
INNER JOIN pg_namespace AS fn ON fc.relnamespace = fn.oid
WHERE f.contype = 'f'
ORDER BY n.nspname, c.relname, f.conname;
