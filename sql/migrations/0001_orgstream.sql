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
);
-- Not compressed: then a row's size is known without reading it, which is how the relay bounds its memory.
ALTER TABLE orgstream.change_queue
ALTER COLUMN before SET STORAGE EXTERNAL,
ALTER COLUMN after SET STORAGE EXTERNAL;
ALTER TABLE orgstream.change_queue SET (
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05
);
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
    xid xid8 NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changes bigint,
    published_at timestamptz
);
INSERT INTO orgstream.tick (id, snapshot, queue_position, xid, changes, published_at)
VALUES (0, '1:1:', 0, '1', 0, clock_timestamp());
COMMENT ON TABLE orgstream.tick IS 'Snapshots that cut the outbox into batches: a tick''s batch is what its snapshot sees and the one before does not.';
COMMENT ON COLUMN orgstream.tick.id IS 'Rises by one. It is the first half of the stream ids of its batch.';
COMMENT ON COLUMN orgstream.tick.snapshot IS 'pg_current_snapshot(), committed before its batch is published.';
COMMENT ON COLUMN orgstream.tick.queue_position IS 'The change id last drawn before the snapshot: transactions that begin later draw higher ones.';
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
);
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
