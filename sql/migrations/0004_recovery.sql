-- Recovery: who settled which dead letter and how, and replays of past changes.

ALTER TABLE orgstream.dead_letter
ADD COLUMN column_name text,
ADD COLUMN constraint_name text,
ADD COLUMN edit json,
DROP CONSTRAINT dead_letter_requested_check,
ADD CONSTRAINT dead_letter_requested_check CHECK (requested IN ('retry', 'skip', 'edit'));
CREATE INDEX dead_letter_requested ON orgstream.dead_letter (id) WHERE requested IS NOT NULL;
COMMENT ON COLUMN orgstream.dead_letter.column_name IS 'The target column at fault, where it is known.';
COMMENT ON COLUMN orgstream.dead_letter.constraint_name IS 'The constraint that refused the write, where Postgres named one.';
COMMENT ON COLUMN orgstream.dead_letter.edit IS 'What a person wants written instead: target column = value. Only while an edit is asked for.';
COMMENT ON COLUMN orgstream.dead_letter.requested IS 'What a person asked for: retry, skip or edit. The worker of the partition does it, in order with what is live.';

CREATE TABLE orgstream.letter_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    letter_id bigint NOT NULL REFERENCES orgstream.dead_letter (id) ON DELETE CASCADE,
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text NOT NULL CHECK (event IN ('asked', 'applied', 'refused', 'settled')),
    how text NOT NULL CHECK (how IN ('retry', 'skip', 'edit')),
    reason text NOT NULL,
    actor text NOT NULL,
    database_user text NOT NULL DEFAULT session_user,
    client inet DEFAULT inet_client_addr(),
    before json,
    after json
);
CREATE INDEX letter_audit_by_letter ON orgstream.letter_audit (letter_id, id);
COMMENT ON TABLE orgstream.letter_audit IS 'What was asked for dead letters and what came of it: who, when, why.';
COMMENT ON COLUMN orgstream.letter_audit.id IS 'Rises with time.';
COMMENT ON COLUMN orgstream.letter_audit.letter_id IS 'The dead letter.';
COMMENT ON COLUMN orgstream.letter_audit.happened_at IS 'When.';
COMMENT ON COLUMN orgstream.letter_audit.event IS 'asked by a person; applied: its change was written; refused: it failed again; settled: nothing waits behind it any more.';
COMMENT ON COLUMN orgstream.letter_audit.how IS 'What was asked for.';
COMMENT ON COLUMN orgstream.letter_audit.reason IS 'Why, in the words of whoever asked; for a refusal, the message.';
COMMENT ON COLUMN orgstream.letter_audit.actor IS 'The user of the operating system who asked, or the worker that did it.';
COMMENT ON COLUMN orgstream.letter_audit.database_user IS 'The database role of that session.';
COMMENT ON COLUMN orgstream.letter_audit.client IS 'The address that session came from; NULL over a local socket.';
COMMENT ON COLUMN orgstream.letter_audit.before IS 'Of an edit: the mapped values of the edited columns as the rules gave them; NULL where they gave none.';
COMMENT ON COLUMN orgstream.letter_audit.after IS 'Of an edit: the values written instead.';

CREATE TABLE orgstream.replay (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    database_user text NOT NULL DEFAULT session_user,
    client inet DEFAULT inet_client_addr(),
    selection json NOT NULL,
    force boolean NOT NULL,
    first_change bigint NOT NULL,
    snapshot pg_snapshot NOT NULL,
    selected bigint NOT NULL DEFAULT 0,
    records bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    finished_at timestamptz
);
COMMENT ON TABLE orgstream.replay IS 'Replays of past changes: what was asked for, and how far each has come.';
COMMENT ON COLUMN orgstream.replay.id IS 'The number for `replay --resume`.';
COMMENT ON COLUMN orgstream.replay.created_at IS 'When it was begun.';
COMMENT ON COLUMN orgstream.replay.actor IS 'The user of the operating system who began it.';
COMMENT ON COLUMN orgstream.replay.database_user IS 'The database role of that session.';
COMMENT ON COLUMN orgstream.replay.client IS 'The address that session came from; NULL over a local socket.';
COMMENT ON COLUMN orgstream.replay.selection IS 'Which changes are meant, with every span as a moment.';
COMMENT ON COLUMN orgstream.replay.force IS 'Whether what was applied is applied again.';
COMMENT ON COLUMN orgstream.replay.first_change IS 'The lowest selected change id: what came before plays no part.';
COMMENT ON COLUMN orgstream.replay.snapshot IS 'Up to where the history of the selected records is gathered in replay_change.';
COMMENT ON COLUMN orgstream.replay.selected IS 'How many changes were selected.';
COMMENT ON COLUMN orgstream.replay.records IS 'How many records have something to replay.';
COMMENT ON COLUMN orgstream.replay.done IS 'How many of these are done.';
COMMENT ON COLUMN orgstream.replay.applied IS 'How many changes took effect, counted for each rule.';
COMMENT ON COLUMN orgstream.replay.held IS 'How many were left alone because their record waits behind a dead letter, or their rule is paused.';
COMMENT ON COLUMN orgstream.replay.failed IS 'How many could not be applied, see replay_failure.';
COMMENT ON COLUMN orgstream.replay.finished_at IS 'When it came to its end; NULL while it runs or waits to be resumed.';

CREATE FUNCTION orgstream.record_hash(table_schema text, table_name text, key json) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN hashtextextended(table_schema || '.' || table_name || key::text, 0);
COMMENT ON FUNCTION orgstream.record_hash(text, text, json) IS 'A short name for a record, for the length of a replay: two that share it are replayed together.';

CREATE TABLE orgstream.replay_record (
    replay_id bigint NOT NULL REFERENCES orgstream.replay (id) ON DELETE CASCADE,
    record bigint NOT NULL,
    todo bigint,
    gathered boolean NOT NULL DEFAULT false,
    PRIMARY KEY (replay_id, record)
);
CREATE INDEX replay_record_todo ON orgstream.replay_record (replay_id, todo) WHERE todo IS NOT NULL;
COMMENT ON TABLE orgstream.replay_record IS 'The records of a replay that has not ended.';
COMMENT ON COLUMN orgstream.replay_record.replay_id IS 'The replay.';
COMMENT ON COLUMN orgstream.replay_record.record IS 'The hash of table and identity.';
COMMENT ON COLUMN orgstream.replay_record.todo IS 'The first change of it to be replayed; NULL once that is done, or where only its history matters.';

COMMENT ON COLUMN orgstream.replay_record.gathered IS 'Whether its history is in replay_change.';

CREATE TABLE orgstream.replay_change (
    replay_id bigint NOT NULL REFERENCES orgstream.replay (id) ON DELETE CASCADE,
    record bigint NOT NULL,
    change_id bigint NOT NULL,
    rules integer [] NOT NULL DEFAULT '{}',
    PRIMARY KEY (replay_id, record, change_id)
);
CREATE INDEX replay_change_by_change ON orgstream.replay_change (replay_id, change_id);
COMMENT ON TABLE orgstream.replay_change IS 'The history of the records of a replay that has not ended: a change of identity stands under both.';
COMMENT ON COLUMN orgstream.replay_change.replay_id IS 'The replay.';
COMMENT ON COLUMN orgstream.replay_change.record IS 'The hash of table and identity.';
COMMENT ON COLUMN orgstream.replay_change.change_id IS 'The change, in change_queue.';
COMMENT ON COLUMN orgstream.replay_change.rules IS 'The rules under which it is to be replayed; none where it only is part of the history.';

CREATE TABLE orgstream.replay_failure (
    replay_id bigint NOT NULL REFERENCES orgstream.replay (id) ON DELETE CASCADE,
    change_id bigint NOT NULL,
    rule_id integer NOT NULL,
    cause text NOT NULL,
    sqlstate text,
    message text NOT NULL,
    PRIMARY KEY (replay_id, change_id, rule_id)
);
COMMENT ON TABLE orgstream.replay_failure IS 'What a replay could not apply. Nothing waits behind it.';
COMMENT ON COLUMN orgstream.replay_failure.replay_id IS 'The replay.';
COMMENT ON COLUMN orgstream.replay_failure.change_id IS 'The change, in change_queue.';
COMMENT ON COLUMN orgstream.replay_failure.rule_id IS 'The rule.';
COMMENT ON COLUMN orgstream.replay_failure.cause IS 'A word for the kind of fault, as for dead letters.';
COMMENT ON COLUMN orgstream.replay_failure.sqlstate IS 'Postgres''s code, where Postgres refused the write.';
COMMENT ON COLUMN orgstream.replay_failure.message IS 'What was wrong, for a person.';
