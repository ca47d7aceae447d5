-- Delivery: what Salesforce made of the rows that were written to tables of Heroku Connect.

CREATE TABLE orgstream.delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_schema text NOT NULL,
    table_name text NOT NULL,
    xid bigint NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    rules integer [] NOT NULL,
    first_change bigint NOT NULL,
    last_change bigint NOT NULL,
    first_entry bigint NOT NULL,
    last_entry bigint NOT NULL,
    entries bigint NOT NULL,
    told_entry bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'accepted', 'refused', 'unknown')),
    accepted bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    settled_at timestamptz
);
CREATE INDEX delivery_pending ON orgstream.delivery (table_schema, last_entry) WHERE state = 'pending';
CREATE INDEX delivery_settled ON orgstream.delivery (settled_at) WHERE state <> 'pending';
COMMENT ON TABLE orgstream.delivery IS 'What Salesforce made of our writes: a row for each apply transaction and table of Heroku Connect.';
COMMENT ON COLUMN orgstream.delivery.id IS 'Rises with time.';
COMMENT ON COLUMN orgstream.delivery.table_schema IS 'The schema of the target org.';
COMMENT ON COLUMN orgstream.delivery.table_name IS 'The target table.';
COMMENT ON COLUMN orgstream.delivery.xid IS 'Our transaction, as the trigger log names it in txid.';
COMMENT ON COLUMN orgstream.delivery.written_at IS 'When the transaction began.';
COMMENT ON COLUMN orgstream.delivery.rules IS 'The rules by which it wrote, this table and others.';
COMMENT ON COLUMN orgstream.delivery.first_change IS 'No change that it carried has a lower id.';
COMMENT ON COLUMN orgstream.delivery.last_change IS 'None has a higher one.';
COMMENT ON COLUMN orgstream.delivery.first_entry IS 'The first entry of the trigger log that it made; between it and the last there may be others'' too.';
COMMENT ON COLUMN orgstream.delivery.last_entry IS 'The last one.';
COMMENT ON COLUMN orgstream.delivery.entries IS 'How many it made.';
COMMENT ON COLUMN orgstream.delivery.told_entry IS 'Up to this entry, what was refused has its dead letter.';
COMMENT ON COLUMN orgstream.delivery.state IS 'pending: Heroku Connect has yet to send some; accepted: Salesforce took all, or nothing was to be sent; refused: not all; unknown: the log was purged before anybody looked.';
COMMENT ON COLUMN orgstream.delivery.accepted IS 'How many entries ended well.';
COMMENT ON COLUMN orgstream.delivery.refused IS 'How many Salesforce refused.';
COMMENT ON COLUMN orgstream.delivery.settled_at IS 'When all of them had ended.';

CREATE TABLE orgstream.refused_record (
    letter_id bigint PRIMARY KEY REFERENCES orgstream.dead_letter (id) ON DELETE CASCADE,
    table_schema text NOT NULL,
    table_name text NOT NULL,
    record_id bigint NOT NULL,
    sfid text,
    key text NOT NULL,
    entry bigint NOT NULL,
    action text NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    columns text [] NOT NULL DEFAULT '{}',
    refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    written_again_at timestamptz,
    UNIQUE (table_schema, table_name, key)
);
COMMENT ON TABLE orgstream.refused_record IS 'Records of which Salesforce refused something and has not accepted it since, each with its dead letter.';
COMMENT ON COLUMN orgstream.refused_record.letter_id IS 'The dead letter, of cause delivery.';
COMMENT ON COLUMN orgstream.refused_record.table_schema IS 'The schema of the target org.';
COMMENT ON COLUMN orgstream.refused_record.table_name IS 'The target table.';
COMMENT ON COLUMN orgstream.refused_record.record_id IS 'The row''s number in its table, as the trigger log names it.';
COMMENT ON COLUMN orgstream.refused_record.sfid IS 'The record''s id in Salesforce, where it had one.';
COMMENT ON COLUMN orgstream.refused_record.key IS 'The columns by which the rule recognises the row with their values, as the text of a JSON object.';
COMMENT ON COLUMN orgstream.refused_record.entry IS 'The last entry of the trigger log that was looked at for this record.';
COMMENT ON COLUMN orgstream.refused_record.action IS 'What was refused.';
COMMENT ON COLUMN orgstream.refused_record.columns IS 'Of an update: the columns whose values Salesforce has not accepted yet.';
COMMENT ON COLUMN orgstream.refused_record.refused_at IS 'When the refusal was seen.';
COMMENT ON COLUMN orgstream.refused_record.written_again_at IS 'When a person last had it written again.';

CREATE VIEW orgstream.undelivered AS
WITH pending AS (
    SELECT
        d.table_schema,
        sum(d.entries) AS entries,
        min(d.written_at) AS since
    FROM orgstream.delivery AS d
    WHERE d.state = 'pending'
    GROUP BY d.table_schema
),

refused AS (
    SELECT
        f.table_schema,
        count(*) AS records
    FROM orgstream.refused_record AS f
    GROUP BY f.table_schema
)

SELECT
    coalesce(p.table_schema, r.table_schema) AS table_schema,
    coalesce(p.entries, 0)::bigint AS pending,
    p.since,
    coalesce(r.records, 0) AS refused
FROM pending AS p
FULL JOIN refused AS r ON p.table_schema = r.table_schema;
COMMENT ON VIEW orgstream.undelivered IS 'What we wrote for each org behind Heroku Connect, as far as Salesforce has not accepted it; no row where it has.';
COMMENT ON COLUMN orgstream.undelivered.table_schema IS 'The schema of the target org.';
COMMENT ON COLUMN orgstream.undelivered.pending IS 'Entries of its trigger log that our writes made and Salesforce has not answered.';
COMMENT ON COLUMN orgstream.undelivered.since IS 'When the first of them was written; NULL where there are none.';
COMMENT ON COLUMN orgstream.undelivered.refused IS 'Records of which Salesforce refused something and has not accepted it since.';

-- Letters are settled by an acceptance, too, without anybody's asking.
ALTER TABLE orgstream.letter_audit
DROP CONSTRAINT letter_audit_how_check,
ADD CONSTRAINT letter_audit_how_check CHECK (how IN ('retry', 'skip', 'edit', 'accepted'));
COMMENT ON COLUMN orgstream.letter_audit.how IS 'What was asked for; accepted where Salesforce took a refused record later.';
