-- name: prepare
-- Limits on our side of every wait. An apply transaction that its paused process leaves open ends by itself,
-- or its row locks would keep the next holder of the lease waiting. `public` holds get_xmlbinary() and
-- hstore, which Heroku Connect's triggers call by bare name. xmlbinary stays as it is: it says "application".
-- What the role has by default decides nothing: each statement here sees what was committed before it.
SELECT
    set_config('statement_timeout', %(statement_timeout)s, false),
    set_config('lock_timeout', %(lock_timeout)s, false),
    set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, false),
    set_config('idle_session_timeout', '0', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('search_path', 'public', false),
    set_config('timezone', 'UTC', false),
    set_config('extra_float_digits', '1', false),
    set_config('jit', 'off', false);

-- name: notice_the_end
-- A client that is gone is noticed by the server: in the middle of a statement too, for it may wait for a
-- lock; and over TCP also where its machine or its network died without a word. Not every server's system
-- can do the first.
SELECT
    set_config('tcp_keepalives_idle', '5', false),
    set_config('tcp_keepalives_interval', '3', false),
    set_config('tcp_keepalives_count', '3', false),
    set_config('tcp_user_timeout', '15s', false),
    set_config('client_connection_check_interval', '1s', false);

-- name: mark
-- The session that we got, marked until it ends.
SELECT
    pg_backend_pid(),
    set_config('orgstream.session', %(token)s, false);

-- name: look
-- The session that we got, and its mark.
SELECT
    pg_backend_pid(),
    current_setting('orgstream.session', true);

-- name: state
-- What a session of our role is doing.
SELECT a.state
FROM pg_stat_get_activity(%(pid)s) AS a;
