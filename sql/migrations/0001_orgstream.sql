-- The control schema: the outbox, its ticks, the rules, the ledger and what the processes agree by.
-- Postgres alone is durable; everything in Redis can be made again from these tables.

CREATE SCHEMA IF NOT EXISTS orgstream;
COMMENT ON SCHEMA orgstream IS 'Orgstream''s own tables. The orgs'' schemas hold only their rows and the capture triggers.';

-- Rules ------------------------------------------------------------------------------------------------

CREATE TABLE orgstream.rule_set (
    version integer PRIMARY KEY CHECK (version > 0),
    definition json NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_by text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE orgstream.rule_set IS 'Every rule set ever applied, whole; the highest version is live. Rows are never updated.';
COMMENT ON COLUMN orgstream.rule_set.version IS 'Rises by one with each `rules apply`; each change is decided by one version.';
COMMENT ON COLUMN orgstream.rule_set.definition IS 'The orgs, the tables with their columns and identities, and the rules, as workers read them.';
COMMENT ON COLUMN orgstream.rule_set.applied_at IS 'When it became live.';
COMMENT ON COLUMN orgstream.rule_set.applied_by IS 'The database role that applied it.';

CREATE TABLE orgstream.replication_rules (
    rule_id integer NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    name text NOT NULL,
    definition json NOT NULL,
    since integer NOT NULL REFERENCES orgstream.rule_set (version),
    PRIMARY KEY (rule_id, version),
    UNIQUE (name, version)
);
COMMENT ON TABLE orgstream.replication_rules IS 'Every version of every rule. A changed rule is a new row; rows are never updated.';
COMMENT ON COLUMN orgstream.replication_rules.rule_id IS 'The rule''s number, the same for all versions of one name; the ledger refers to it.';
COMMENT ON COLUMN orgstream.replication_rules.version IS 'Rises by one when the rule''s definition changes.';
COMMENT ON COLUMN orgstream.replication_rules.name IS 'The rule''s unique name in the rules file.';
COMMENT ON COLUMN orgstream.replication_rules.definition IS 'The rule as JSON, with every default written out.';
COMMENT ON COLUMN orgstream.replication_rules.since IS 'The rule set that brought this version.';

CREATE TABLE orgstream.captured_table (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    identity text [] NOT NULL CHECK (cardinality(identity) > 0),
    installed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (table_schema, table_name)
);
COMMENT ON TABLE orgstream.captured_table IS 'The tables that carry capture triggers.';
COMMENT ON COLUMN orgstream.captured_table.table_schema IS 'Schema of the table.';
COMMENT ON COLUMN orgstream.captured_table.table_name IS 'Name of the table.';
COMMENT ON COLUMN orgstream.captured_table.identity IS 'The columns that identify a record: they decide its partition, its order and its ledger rows.';
COMMENT ON COLUMN orgstream.captured_table.installed_at IS 'When the triggers were installed or last changed.';

-- The outbox -------------------------------------------------------------------------------------------

CREATE TABLE orgstream.change_queue (
    -- CACHE 1 (the default): ids then rise in commit order for each record, because a later writer of the
    -- record waits for the row lock before it draws its id.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    captured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    table_schema text NOT NULL,
    table_name text NOT NULL,
    operation text NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    key json,
    old_key json,
    before json,
    after json,
    origin text NOT NULL,
    path text [] NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
-- Not compressed: then a row's size is known without reading it, which is how the relay bounds its memory.
ALTER TABLE orgstream.change_queue
ALTER COLUMN before SET STORAGE EXTERNAL,
ALTER COLUMN after SET STORAGE EXTERNAL;
COMMENT ON TABLE orgstream.change_queue IS 'The outbox: one row per changed record, written by the capture trigger in the writer''s transaction.';
COMMENT ON COLUMN orgstream.change_queue.id IS 'The change id. It rises per record; across records it is not the commit order.';
COMMENT ON COLUMN orgstream.change_queue.xid IS 'The writer''s transaction: what ticks compare with their snapshots.';
COMMENT ON COLUMN orgstream.change_queue.captured_at IS 'When the trigger ran, by the wall clock.';
COMMENT ON COLUMN orgstream.change_queue.table_schema IS 'Schema of the changed table.';
COMMENT ON COLUMN orgstream.change_queue.table_name IS 'The changed table.';
COMMENT ON COLUMN orgstream.change_queue.operation IS 'INSERT, UPDATE, DELETE, or TRUNCATE (which names no record).';
COMMENT ON COLUMN orgstream.change_queue.key IS 'The record''s identity after the change (before it, for a delete), as a JSON object.';
COMMENT ON COLUMN orgstream.change_queue.old_key IS 'The identity before the change, where the change changed it.';
COMMENT ON COLUMN orgstream.change_queue.before IS 'The whole row before the change; NULL for an insert.';
COMMENT ON COLUMN orgstream.change_queue.after IS 'The whole row after the change; NULL for a delete.';
COMMENT ON COLUMN orgstream.change_queue.origin IS 'Who wrote: salesforce (Heroku Connect''s own session), orgstream (our apply), or application.';
COMMENT ON COLUMN orgstream.change_queue.path IS 'The orgs the change came through before this one, first hop first.';

CREATE TABLE orgstream.tick (
    id bigint PRIMARY KEY,
    snapshot pg_snapshot NOT NULL,
    queue_position bigint NOT NULL,
    queue_end bigint NOT NULL,
    xid xid8 NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changes bigint,
    published_at timestamptz
);
INSERT INTO orgstream.tick (id, snapshot, queue_position, queue_end, xid, changes, published_at)
VALUES (0, '1:1:', 0, 0, '1', 0, clock_timestamp());
COMMENT ON TABLE orgstream.tick IS 'Snapshots that cut the outbox into batches: a tick''s batch is what its snapshot sees and the one before does not.';
COMMENT ON COLUMN orgstream.tick.id IS 'Rises by one. It is the first half of the stream ids of its batch.';
COMMENT ON COLUMN orgstream.tick.snapshot IS 'pg_current_snapshot(), committed before its batch is published.';
COMMENT ON COLUMN orgstream.tick.queue_position IS 'The change id last drawn before the snapshot: transactions that begin later draw higher ones.';
COMMENT ON COLUMN orgstream.tick.queue_end IS 'The change id last drawn after the snapshot: it sees none beyond.';
COMMENT ON COLUMN orgstream.tick.xid IS 'The transaction that took the tick, after the position was read: transactions with a higher xid drew higher change ids. Those from the snapshot''s xmax to here may have been at work already.';
COMMENT ON COLUMN orgstream.tick.created_at IS 'When the tick was taken.';
COMMENT ON COLUMN orgstream.tick.changes IS 'How many changes its batch holds; NULL until it is published.';
COMMENT ON COLUMN orgstream.tick.published_at IS 'When the whole batch stood in Redis; NULL while it may have to be published again.';

-- Whether the relay sleeps and wants a notification: 1 asleep, 2 awake. A sequence, because a trigger can
-- read one without a query, and unlogged, so that setting it costs no WAL. A crash resets it to asleep.
CREATE UNLOGGED SEQUENCE orgstream.relay_state AS smallint MINVALUE 1 MAXVALUE 2 NO CYCLE;
COMMENT ON SEQUENCE orgstream.relay_state IS '1: the relay sleeps and capture notifies it; 2: it is awake and capture stays silent.';

-- What processes agree by ------------------------------------------------------------------------------

CREATE TABLE orgstream.process (
    id text PRIMARY KEY,
    kind text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    stages text [] NOT NULL DEFAULT '{}',
    metrics_address text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE orgstream.process IS 'The running processes. A row that is not renewed is a process that is gone.';
COMMENT ON COLUMN orgstream.process.id IS 'The dyno or host name with a part unique to this start.';
COMMENT ON COLUMN orgstream.process.kind IS 'relay, worker, web or drain.';
COMMENT ON COLUMN orgstream.process.host IS 'The machine or dyno.';
COMMENT ON COLUMN orgstream.process.pid IS 'Its process id there.';
COMMENT ON COLUMN orgstream.process.stages IS 'The stages a worker runs.';
COMMENT ON COLUMN orgstream.process.metrics_address IS 'Where it serves /metrics, /healthz and /readyz.';
COMMENT ON COLUMN orgstream.process.started_at IS 'When it started.';
COMMENT ON COLUMN orgstream.process.seen_at IS 'When it last said that it lives.';

CREATE TABLE orgstream.lease (
    stage text NOT NULL,
    partition smallint NOT NULL,
    holder text,
    term bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    position_tick bigint NOT NULL DEFAULT 0,
    position_ordinal bigint NOT NULL DEFAULT 0,
    position_captured_at timestamptz,
    PRIMARY KEY (stage, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE orgstream.lease IS 'Who may work on a partition of a stage, and for `apply` how far it has come. The stage `relay` has one partition.';
COMMENT ON COLUMN orgstream.lease.stage IS 'filter, match, transform, apply, or relay.';
COMMENT ON COLUMN orgstream.lease.partition IS 'The partition, from 0.';
COMMENT ON COLUMN orgstream.lease.holder IS 'The process that holds it; NULL when it was released.';
COMMENT ON COLUMN orgstream.lease.term IS 'The fencing number: it rises with every grant, and whoever shows a lower one is refused.';
COMMENT ON COLUMN orgstream.lease.expires_at IS 'Until when it holds without renewal, by this database''s clock.';
COMMENT ON COLUMN orgstream.lease.position_tick IS 'apply: every entry up to this tick and ordinal is applied, skipped or dead-lettered.';
COMMENT ON COLUMN orgstream.lease.position_ordinal IS 'apply: the second half of that entry id.';
COMMENT ON COLUMN orgstream.lease.position_captured_at IS 'apply: when the change of that entry was captured.';

-- Effects ----------------------------------------------------------------------------------------------

CREATE TABLE orgstream.applied (
    change_id bigint NOT NULL,
    rule_id integer NOT NULL,
    rule_version integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (change_id, rule_id)
) PARTITION BY RANGE (change_id);
COMMENT ON TABLE orgstream.applied IS 'The ledger: the idempotency key of every write, recorded in the transaction of the write.';
COMMENT ON COLUMN orgstream.applied.change_id IS 'The change.';
COMMENT ON COLUMN orgstream.applied.rule_id IS 'The rule that carried it; with the change it names the write.';
COMMENT ON COLUMN orgstream.applied.rule_version IS 'The version of the rule that decided the write.';
COMMENT ON COLUMN orgstream.applied.applied_at IS 'When the apply transaction began.';

CREATE TABLE orgstream.dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change_id bigint,
    partition smallint,
    rule_id integer,
    rule text,
    rule_version integer,
    source_table text NOT NULL,
    key json,
    cause text NOT NULL,
    sqlstate text,
    message text NOT NULL,
    payload json,
    attempts integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    requested text CHECK (requested IN ('retry', 'skip')),
    request_reason text,
    resolved_at timestamptz,
    resolution text
);
CREATE UNIQUE INDEX dead_letter_once ON orgstream.dead_letter (change_id, rule) NULLS NOT DISTINCT
WHERE resolved_at IS NULL AND change_id IS NOT NULL;
CREATE INDEX dead_letter_resolved ON orgstream.dead_letter (resolved_at) WHERE resolved_at IS NOT NULL;
COMMENT ON TABLE orgstream.dead_letter IS 'Changes that could not be applied, each with its cause, for a person.';
COMMENT ON COLUMN orgstream.dead_letter.id IS 'The letter''s number.';
COMMENT ON COLUMN orgstream.dead_letter.change_id IS 'The change, in change_queue; NULL where the entry was unreadable.';
COMMENT ON COLUMN orgstream.dead_letter.partition IS 'The partition it came through: whoever holds that settles the letter.';
COMMENT ON COLUMN orgstream.dead_letter.rule_id IS 'The number of that rule.';
COMMENT ON COLUMN orgstream.dead_letter.requested IS 'What a person asked for: retry or skip. The worker of the partition does it, in order with what is live.';
COMMENT ON COLUMN orgstream.dead_letter.request_reason IS 'Who asked, and why.';
COMMENT ON COLUMN orgstream.dead_letter.rule IS 'The rule that failed; NULL where it failed before any rule.';
COMMENT ON COLUMN orgstream.dead_letter.rule_version IS 'That rule''s version.';
COMMENT ON COLUMN orgstream.dead_letter.source_table IS 'schema.table of the change, or the stream of an unreadable entry.';
COMMENT ON COLUMN orgstream.dead_letter.key IS 'The record''s identity.';
COMMENT ON COLUMN orgstream.dead_letter.cause IS 'A word for the kind of fault; docs/operations.md has a section for each.';
COMMENT ON COLUMN orgstream.dead_letter.sqlstate IS 'Postgres''s code, where Postgres refused the write.';
COMMENT ON COLUMN orgstream.dead_letter.message IS 'What was wrong, for a person.';
COMMENT ON COLUMN orgstream.dead_letter.payload IS 'What could not be read or written, where it is not in change_queue.';
COMMENT ON COLUMN orgstream.dead_letter.attempts IS 'How often it was tried.';
COMMENT ON COLUMN orgstream.dead_letter.created_at IS 'When it failed.';
COMMENT ON COLUMN orgstream.dead_letter.resolved_at IS 'When a person dealt with it.';
COMMENT ON COLUMN orgstream.dead_letter.resolution IS 'How: retried, skipped or edited, by whom and why.';

CREATE TABLE orgstream.blocked_record (
    rule_id integer NOT NULL,
    source_table text NOT NULL,
    key text NOT NULL,
    letter_id bigint NOT NULL REFERENCES orgstream.dead_letter (id),
    PRIMARY KEY (rule_id, source_table, key)
);
CREATE INDEX blocked_record_by_letter ON orgstream.blocked_record (letter_id);
COMMENT ON TABLE orgstream.blocked_record IS 'The records whose changes wait behind a dead letter.';
COMMENT ON COLUMN orgstream.blocked_record.rule_id IS 'The rule under which the record waits; 0 for every rule.';
COMMENT ON COLUMN orgstream.blocked_record.source_table IS 'schema.table of the record.';
COMMENT ON COLUMN orgstream.blocked_record.key IS 'The record''s identity, as the text of its JSON.';
COMMENT ON COLUMN orgstream.blocked_record.letter_id IS 'The letter it waits behind.';

CREATE TABLE orgstream.held_change (
    change_id bigint NOT NULL,
    rule_id integer NOT NULL,
    partition smallint NOT NULL,
    letter_id bigint REFERENCES orgstream.dead_letter (id),
    held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (change_id, rule_id)
);
CREATE INDEX held_change_by_letter ON orgstream.held_change (letter_id, change_id);
CREATE INDEX held_change_by_rule ON orgstream.held_change (rule_id, partition, change_id) WHERE letter_id IS NULL;
COMMENT ON TABLE orgstream.held_change IS 'Changes that wait: behind a dead letter of their record, or because their rule is paused.';
COMMENT ON COLUMN orgstream.held_change.change_id IS 'The change, in change_queue.';
COMMENT ON COLUMN orgstream.held_change.rule_id IS 'The rule under which it waits; 0 for every rule.';
COMMENT ON COLUMN orgstream.held_change.partition IS 'The partition it came through.';
COMMENT ON COLUMN orgstream.held_change.letter_id IS 'The letter it waits behind; NULL: its rule is paused.';
COMMENT ON COLUMN orgstream.held_change.held_at IS 'Since when it waits.';

CREATE TABLE orgstream.paused_rule (
    rule_id integer PRIMARY KEY,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL
);
COMMENT ON TABLE orgstream.paused_rule IS 'The rules that are paused: their changes are held, in order, and nothing of them is lost.';
COMMENT ON COLUMN orgstream.paused_rule.rule_id IS 'The rule.';
COMMENT ON COLUMN orgstream.paused_rule.paused_at IS 'Since when.';
COMMENT ON COLUMN orgstream.paused_rule.reason IS 'Why, and by whom.';

CREATE TABLE orgstream.hold_epoch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch bigint NOT NULL
);
INSERT INTO orgstream.hold_epoch (epoch) VALUES (1);
COMMENT ON TABLE orgstream.hold_epoch IS 'One number that rises with every change of what is held, so that workers know when to look again.';
COMMENT ON COLUMN orgstream.hold_epoch.single IS 'There is one row.';
COMMENT ON COLUMN orgstream.hold_epoch.epoch IS 'The number.';

-- Retention --------------------------------------------------------------------------------------------

CREATE TABLE orgstream.change_range (
    first bigint PRIMARY KEY,
    beyond bigint NOT NULL CHECK (beyond > first),
    spilled boolean NOT NULL DEFAULT false,
    skipped bigint NOT NULL DEFAULT 0,
    opened_at timestamptz,
    closed_at timestamptz,
    closed_xid xid8,
    closed_tick bigint,
    emptied_at timestamptz
);
COMMENT ON TABLE orgstream.change_range IS 'The ranges of change ids by which change_queue and applied are cut into partitions, to be dropped together.';
COMMENT ON COLUMN orgstream.change_range.first IS 'The first change id of the range, and the end of its partitions'' names.';
COMMENT ON COLUMN orgstream.change_range.beyond IS 'The first change id after it.';
COMMENT ON COLUMN orgstream.change_range.spilled IS 'It has no partitions of its own: its changes came before any were made and lie in change_queue_spill.';
COMMENT ON COLUMN orgstream.change_range.skipped IS 'Ids drawn to end it at its time; no changes have them.';
COMMENT ON COLUMN orgstream.change_range.opened_at IS 'When ids of it were first seen drawn, by the clock of retention.';
COMMENT ON COLUMN orgstream.change_range.closed_at IS 'When all its ids were drawn, by the clock of retention: its age counts from here.';
COMMENT ON COLUMN orgstream.change_range.closed_xid IS 'A transaction begun after that: all writers of the range have lower ids.';
COMMENT ON COLUMN orgstream.change_range.closed_tick IS 'Ticks up to this one do not tell whether those writers have ended.';
COMMENT ON COLUMN orgstream.change_range.emptied_at IS 'When its changes and their ledger were dropped.';

CREATE TABLE orgstream.retention (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    moment timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    skipped bigint NOT NULL DEFAULT 0
);
INSERT INTO orgstream.retention (moment, seen_at) VALUES (clock_timestamp(), clock_timestamp());
COMMENT ON TABLE orgstream.retention IS 'The clock that retention goes by, and what it did to the change ids.';
COMMENT ON COLUMN orgstream.retention.single IS 'There is one row.';
COMMENT ON COLUMN orgstream.retention.moment IS 'The time, without the leaps of this database''s clock: never ahead of it.';
COMMENT ON COLUMN orgstream.retention.seen_at IS 'What the database''s clock said at that moment.';
COMMENT ON COLUMN orgstream.retention.skipped IS 'All ids drawn to end ranges at their time.';

CREATE VIEW orgstream.needed_change AS
SELECT h.change_id FROM orgstream.held_change AS h
UNION ALL
SELECT d.change_id FROM orgstream.dead_letter AS d
WHERE d.resolved_at IS NULL AND d.change_id IS NOT NULL;
COMMENT ON VIEW orgstream.needed_change IS 'The changes that something still waits for, however old they are: retention leaves them.';
COMMENT ON COLUMN orgstream.needed_change.change_id IS 'The change, in change_queue.';

CREATE FUNCTION orgstream.attach_range(first bigint, beyond bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    part text;
    column_name text;
BEGIN
    -- A table that stands by itself is made and then attached, with a constraint that spares the look at its
    -- rows: that blocks no writer, as CREATE TABLE … PARTITION OF would.
    FOR parent, column_name IN VALUES ('change_queue', 'id'), ('applied', 'change_id') LOOP
        part := format('%s_%s', parent, first);
        EXECUTE format(
            'CREATE TABLE orgstream.%I (LIKE orgstream.%I INCLUDING ALL EXCLUDING IDENTITY,'
            ' CONSTRAINT within_range CHECK (%I >= %s AND %I < %s))'
            ' WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)',
            part, parent, column_name, first, column_name, beyond
        );
        EXECUTE format(
            'ALTER TABLE orgstream.%I ATTACH PARTITION orgstream.%I FOR VALUES FROM (%s) TO (%s)',
            parent, part, first, beyond
        );
        EXECUTE format('ALTER TABLE orgstream.%I DROP CONSTRAINT within_range', part);
    END LOOP;
    INSERT INTO orgstream.change_range (first, beyond) VALUES (first, beyond);
END
$$;
COMMENT ON FUNCTION orgstream.attach_range(bigint, bigint) IS 'Makes the partitions for a range of change ids.';

CREATE FUNCTION orgstream.make_range(size bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    ending bigint;
    earliest bigint;
BEGIN
    -- While this is locked no session can draw more than one id that belongs to no range yet: it waits here
    -- with it. So from this distance on, nobody finds the place of its change taken by the new range.
    LOCK TABLE orgstream.change_queue_spill, orgstream.applied_spill IN ACCESS EXCLUSIVE MODE;
    SELECT max(r.beyond) INTO ending FROM orgstream.change_range AS r;
    SELECT s.last_value + current_setting('max_connections')::bigint + 1000 INTO earliest
    FROM orgstream.change_queue_id_seq AS s;
    IF ending < earliest THEN
        INSERT INTO orgstream.change_range (first, beyond, spilled) VALUES (ending, earliest, true);
        ending := earliest;
    END IF;
    PERFORM orgstream.attach_range(ending, ending + size);
END
$$;
COMMENT ON FUNCTION orgstream.make_range(bigint) IS 'Makes one more range after the last one, in time or not: what has passed it lies in change_queue_spill.';

CREATE FUNCTION orgstream.empty_range(first bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    r orgstream.change_range;
    rest boolean := false;
BEGIN
    SELECT c.* INTO STRICT r FROM orgstream.change_range AS c WHERE c.first = empty_range.first FOR UPDATE;
    IF NOT r.spilled THEN
        -- Its own tables only are locked; nobody has anything to do there any more.
        EXECUTE format(
            'TRUNCATE orgstream.%I, orgstream.%I', format('change_queue_%s', first), format('applied_%s', first)
        );
    ELSE
        WITH gone AS (
            DELETE FROM orgstream.change_queue_spill AS s
            WHERE s.id IN (
                SELECT o.id FROM orgstream.change_queue_spill AS o
                WHERE o.id >= r.first AND o.id < r.beyond
                ORDER BY o.id LIMIT 10000
            )
            RETURNING s.id
        ),

        forgotten AS (DELETE FROM orgstream.applied_spill AS a USING gone WHERE a.change_id = gone.id)

        SELECT count(*) = 10000 INTO rest FROM gone;
    END IF;
    UPDATE orgstream.change_range AS c SET emptied_at = clock_timestamp() WHERE c.first = r.first AND NOT rest;
    RETURN NOT rest;
END
$$;
COMMENT ON FUNCTION orgstream.empty_range(bigint) IS 'Drops the changes of a range and their ledger; whether all are gone. What had spilled goes in pieces.';

CREATE FUNCTION orgstream.remove_range(first bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- This needs a moment without any writer, so it comes last and may fail.
    EXECUTE format('DROP TABLE IF EXISTS orgstream.%I', format('change_queue_%s', first));
    EXECUTE format('DROP TABLE IF EXISTS orgstream.%I', format('applied_%s', first));
    DELETE FROM orgstream.change_range AS r WHERE r.first = remove_range.first;
END
$$;
COMMENT ON FUNCTION orgstream.remove_range(bigint) IS 'Removes the partitions of an emptied range.';

CREATE TABLE orgstream.change_queue_spill PARTITION OF orgstream.change_queue DEFAULT;
COMMENT ON TABLE orgstream.change_queue_spill IS 'Changes for which no partition was made in time: nobody''s write fails for that.';
CREATE TABLE orgstream.applied_spill PARTITION OF orgstream.applied DEFAULT;
COMMENT ON TABLE orgstream.applied_spill IS 'The ledger of those changes.';
SELECT orgstream.attach_range(1, 65537);

-- The place of this database -----------------------------------------------------------------------------

CREATE FUNCTION orgstream.place() RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    here CONSTANT oid := (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
BEGIN
    RETURN format('%s/%s', (SELECT c.system_identifier FROM pg_control_system() AS c), here);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN
    RETURN format('-/%s', here);
END
$$;
COMMENT ON FUNCTION orgstream.place() IS 'Names the cluster and the database: another after a dump and restore, the same on a promoted replica.';

CREATE FUNCTION orgstream.timeline() RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN left(pg_walfile_name(pg_current_wal_lsn()), 8);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN
    RETURN '-';
END
$$;
COMMENT ON FUNCTION orgstream.timeline() IS 'The timeline of the cluster: another after a failover or a recovery to an earlier time.';

CREATE TABLE orgstream.foundation (
    tick bigint PRIMARY KEY,
    boundary bigint NOT NULL,
    place text NOT NULL,
    founded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO orgstream.foundation (tick, boundary, place) VALUES (0, 0, orgstream.place());
COMMENT ON TABLE orgstream.foundation IS 'The places where this database has lived: in each, transaction ids begin anew.';
COMMENT ON COLUMN orgstream.foundation.tick IS 'The tick with which it began there: earlier ones hold transaction ids of the place before.';
COMMENT ON COLUMN orgstream.foundation.boundary IS 'Earlier ticks saw no change with a higher id.';
COMMENT ON COLUMN orgstream.foundation.place IS 'See the function place().';
COMMENT ON COLUMN orgstream.foundation.founded_at IS 'When the relay found the database there.';

CREATE FUNCTION orgstream.has_moved() RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT
        f.place <> orgstream.place() OR t.xid >= pg_snapshot_xmax(pg_current_snapshot())
    FROM orgstream.foundation AS f, orgstream.tick AS t
    ORDER BY f.tick DESC, t.id DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION orgstream.has_moved() IS 'Whether this database was restored elsewhere, so that its ticks hold transaction ids of another cluster.';

CREATE FUNCTION orgstream.refound() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    above CONSTANT text := '9223372036854775807';  -- a transaction id that no cluster reaches
    newest orgstream.tick;
BEGIN
    IF NOT orgstream.has_moved() THEN
        RETURN NULL;
    END IF;
    SELECT t.* INTO STRICT newest FROM orgstream.tick AS t ORDER BY t.id DESC LIMIT 1;
    -- What was copied without its sequence would draw ids that are taken.
    PERFORM setval('orgstream.change_queue_id_seq', newest.queue_end)
    FROM orgstream.change_queue_id_seq AS s
    WHERE s.last_value < newest.queue_end;
    -- All changes up to queue_end were drawn in the place before, and none is under way any more. The first
    -- tick takes those that no tick saw; the second sees nothing, so that all above come after it.
    INSERT INTO orgstream.tick (id, snapshot, queue_position, queue_end, xid) VALUES
    (newest.id + 1, format('%s:%s:', above, above)::pg_snapshot, newest.queue_end, newest.queue_end, above::xid8),
    (newest.id + 2, '1:1:', newest.queue_end, newest.queue_end, '0');
    -- Changes of the place before that lie above: there they were committed, whatever their numbers say here.
    UPDATE orgstream.change_queue AS c SET xid = pg_current_xact_id()
    WHERE c.id > newest.queue_end AND NOT pg_visible_in_snapshot(c.xid, pg_current_snapshot());
    UPDATE orgstream.change_range AS r SET closed_xid = '0', closed_tick = newest.id + 2
    WHERE r.closed_at IS NOT NULL;
    INSERT INTO orgstream.foundation (tick, boundary, place) VALUES (newest.id + 2, newest.queue_end, orgstream.place());
    RETURN newest.id + 2;
END
$$;
COMMENT ON FUNCTION orgstream.refound() IS 'Begins anew with the transaction ids of a cluster that this database was restored in; NULL where nothing has changed.';
