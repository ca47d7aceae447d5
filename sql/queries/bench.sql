-- name: accounts
-- The source table of 16 columns, and procedures that write to it in transactions of a given size.
CREATE SCHEMA emea;
CREATE TABLE emea.account (
    ext_id__c varchar(36) PRIMARY KEY,
    name varchar(255),
    industry text,
    description text,
    phone varchar(40),
    website text,
    billingcity varchar(40),
    billingcountry varchar(80),
    status__c varchar(40),
    annualrevenue numeric(18, 2),
    rating__c double precision,
    numberofemployees integer,
    revision__c integer,
    active__c boolean,
    createddate timestamp,
    lastmodifieddate timestamp
);

CREATE FUNCTION emea.key_of(number integer) RETURNS varchar
LANGUAGE sql IMMUTABLE AS $$ SELECT 'acc-' || lpad(number::text, 12, '0') $$;

CREATE PROCEDURE emea.insert_accounts(first integer, count integer, per_transaction integer)
LANGUAGE plpgsql AS $$
BEGIN
    FOR number IN first..first + count - 1 BY per_transaction LOOP
        INSERT INTO emea.account
        SELECT
            emea.key_of(n), 'Account number ' || n, 'Utilities', 'A customer since ' || 1950 + n % 70,
            '+49 30 ' || 1000000 + n, 'https://example.com/' || n, 'Berlin', 'Germany', 'Active',
            n * 1.25, n / 7.0::double precision, n % 5000, 0, n % 2 = 0,
            timestamp '2020-01-01' + n * interval '1 second', timestamp '2024-01-01' + n * interval '1 second'
        FROM generate_series(number, least(number + per_transaction, first + count) - 1) AS n;
        COMMIT;
    END LOOP;
END
$$;

CREATE PROCEDURE emea.update_accounts(first integer, count integer, per_transaction integer)
LANGUAGE plpgsql AS $$
BEGIN
    FOR number IN first..first + count - 1 BY per_transaction LOOP
        UPDATE emea.account
        SET revision__c = revision__c + 1, annualrevenue = annualrevenue + 1
        WHERE ext_id__c BETWEEN emea.key_of(number) AND emea.key_of(least(number + per_transaction, first + count) - 1);
        COMMIT;
    END LOOP;
END
$$;

-- name: target
CREATE SCHEMA us;
CREATE TABLE us.account (LIKE emea.account INCLUDING ALL);

-- name: unhurried
-- For making backlogs: how long a commit takes there is not measured.
SELECT
    set_config('synchronous_commit', 'off', false),
    set_config('statement_timeout', '0', false);

-- name: insert_accounts
CALL emea.insert_accounts(%(first)s::integer, %(count)s::integer, %(per_transaction)s::integer);

-- name: update_accounts
CALL emea.update_accounts(%(first)s::integer, %(count)s::integer, %(per_transaction)s::integer);

-- name: settle
-- What earlier work left to the disk is written before the next measurement, not during it.
DO $$ BEGIN CHECKPOINT; END $$;

-- name: vacuum_accounts
VACUUM ANALYZE emea.account;

-- name: last_change
SELECT coalesce(max(id), 0) FROM orgstream.change_queue;

-- name: furthest
-- The entry furthest along that is applied in any partition: one row of sixteen, so looking costs nothing.
SELECT max(position_ordinal)
FROM orgstream.lease
WHERE
    stage = 'apply'
    AND position_tick = (SELECT max(l.position_tick) FROM orgstream.lease AS l WHERE l.stage = 'apply');

-- name: applied_since
SELECT count(*) FROM orgstream.applied
WHERE change_id > %(id)s;

-- name: differences
-- Source records that the target does not hold as the rule says.
SELECT count(*)
FROM (
    SELECT to_jsonb(s) || jsonb_build_object('name', upper(s.name)) FROM emea.account AS s
    EXCEPT
    SELECT to_jsonb(t) FROM us.account AS t
) AS d;

-- name: revise
-- One record, one transaction: what the probe and the clients do.
UPDATE emea.account
SET revision__c = %(revision)s, phone = %(phone)s
WHERE ext_id__c = emea.key_of(%(number)s::integer);

-- name: probe
SELECT revision__c FROM us.account
WHERE ext_id__c = emea.key_of(%(number)s::integer);

-- name: replicated
-- The revision of a record in the subscriber's table; no row where it is not there yet.
SELECT revision__c FROM emea.account
WHERE ext_id__c = emea.key_of(%(number)s::integer);

-- name: publish
CREATE PUBLICATION bench FOR TABLE emea.account;

-- name: create_slot
-- By itself: a subscription to a database of the same server would wait for its own transaction to end.
SELECT pg_create_logical_replication_slot('bench', 'pgoutput');

-- name: subscriber
CREATE PROCEDURE emea.subscribe(source text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE SUBSCRIPTION bench CONNECTION %L PUBLICATION bench'
        ' WITH (create_slot = false, slot_name = ''bench'', enabled = false, copy_data = false)', source
    );
END
$$;

-- name: subscribe
CALL emea.subscribe(%(source)s);

-- name: enable_subscription
ALTER SUBSCRIPTION bench ENABLE;

-- name: disable_subscription
ALTER SUBSCRIPTION bench DISABLE;

-- name: release_slot
ALTER SUBSCRIPTION bench SET (slot_name = none);

-- name: unsubscribe
DROP SUBSCRIPTION bench;

-- name: subscription_runs
SELECT
    EXISTS (SELECT FROM pg_stat_subscription WHERE subname = 'bench' AND pid IS NOT NULL)
    OR EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'bench' AND active);

-- name: drop_slot
SELECT pg_drop_replication_slot('bench');

-- name: install_capture
SELECT orgstream.install_capture('emea', 'account', ARRAY['ext_id__c']);

-- name: remove_capture
SELECT orgstream.remove_capture('emea', 'account');

-- name: relay_leads
SELECT EXISTS (SELECT FROM orgstream.lease WHERE stage = 'relay' AND expires_at > clock_timestamp());

-- name: holders
-- What each process holds of a stage: its process id, and the partitions.
SELECT
    p.pid,
    array_agg(l.partition)
FROM orgstream.lease AS l
INNER JOIN orgstream.process AS p ON l.holder = p.id
WHERE l.stage = %(stage)s AND l.expires_at > clock_timestamp()
GROUP BY p.pid;

-- name: sessions
-- The sessions of relays (their bells too) and of workers, whatever stages they run.
SELECT
    pid,
    split_part(application_name, '-', 2)
FROM pg_stat_activity
WHERE starts_with(application_name, 'orgstream-') AND split_part(application_name, '-', 2) IN ('relay', 'worker');

-- name: announced
-- The process ids of all that ever said that they live.
SELECT pid
FROM orgstream.process;

-- name: flowing
-- How many of these partitions have applied a change captured after a moment.
SELECT count(*)
FROM orgstream.lease
WHERE stage = 'apply' AND partition = ANY(%(partitions)s) AND position_captured_at > %(since)s;
