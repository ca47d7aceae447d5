-- The trigger log's life: NEW, then PENDING while the writer has it, then its end state in the archive.

-- name: reopen
-- Entries that an earlier run took and never finished.
UPDATE {schema}._trigger_log SET state = 'NEW' WHERE state = 'PENDING';

-- name: requeue
-- Archived entries that somebody marked REQUEUE come back as new ones.
WITH marked AS (
    UPDATE {schema}._trigger_log_archive SET state = 'REQUEUED', updated_at = %(now)s
    WHERE state = 'REQUEUE'
    RETURNING *
)

INSERT INTO {schema}._trigger_log (txid, created_at, state, action, table_name, record_id, sfid, old, "values")
SELECT
    txid,
    created_at,
    'NEW',
    action,
    table_name,
    record_id,
    sfid,
    old,
    "values"
FROM marked
ORDER BY id;

-- name: claim
WITH due AS (
    SELECT id FROM {schema}._trigger_log
    WHERE state = 'NEW'
    ORDER BY id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)

UPDATE {schema}._trigger_log AS log
SET state = 'PENDING', updated_at = %(now)s
FROM due
WHERE log.id = due.id
RETURNING
    log.id,
    log.table_name,
    log.action,
    log.record_id,
    log.sfid,
    coalesce(public.hstore_to_json(log."values"::public.hstore)::text, '{{}}');

-- name: again
UPDATE {schema}._trigger_log SET state = 'NEW' WHERE id = ANY(%(ids)s);

-- name: archive
WITH ended AS (
    SELECT * FROM json_to_recordset(%(ended)s) AS ended (id integer, state text, sfid text, message text)
),

gone AS (
    DELETE FROM {schema}._trigger_log AS log USING ended
    WHERE log.id = ended.id
    RETURNING log.*, ended.state AS end_state, ended.sfid AS end_sfid, ended.message
)

INSERT INTO {schema}._trigger_log_archive
SELECT
    id,
    txid,
    created_at,
    %(now)s,
    %(now)s,
    txid_current(),
    end_state,
    action,
    table_name,
    record_id,
    coalesce(sfid, end_sfid),
    old,
    "values",
    sf_result,
    message
FROM gone;

-- name: archive_unsent
-- What the capture marked as not to be sent.
WITH gone AS (
    DELETE FROM {schema}._trigger_log
    WHERE state IN ('IGNORE', 'IGNORED', 'READONLY', 'SUCCESS', 'MERGED', 'FAILED', 'REQUEUED')
    RETURNING *
)

INSERT INTO {schema}._trigger_log_archive
SELECT
    id,
    txid,
    created_at,
    %(now)s,
    %(now)s,
    txid_current(),
    CASE state WHEN 'IGNORE' THEN 'IGNORED' ELSE state END,
    action,
    table_name,
    record_id,
    sfid,
    old,
    "values",
    sf_result,
    sf_message
FROM gone;

-- name: purge
DELETE FROM {schema}._trigger_log_archive WHERE processed_at < %(before)s;

-- name: outstanding
SELECT
    EXISTS (SELECT FROM {schema}._trigger_log)
    OR EXISTS (SELECT FROM {schema}._trigger_log_archive WHERE state = 'REQUEUE');
