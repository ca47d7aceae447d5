-- name: has_moved
SELECT orgstream.has_moved();

-- name: history
-- A name for what this database knows: another where it was restored, recovered to an earlier time, or where
-- a replica was promoted, which may not have received all.
SELECT concat_ws('/', orgstream.place(), orgstream.timeline(), (SELECT max(f.tick) FROM orgstream.foundation AS f));

-- name: take_time
-- However many changes have to be numbered anew.
SELECT set_config('statement_timeout', '0', true);

-- name: fence
SELECT
FROM orgstream.lease
WHERE stage = 'relay' AND partition = 0 AND term = %(term)s
FOR SHARE;

-- name: refound
SELECT orgstream.refound();

-- name: revoke_workers
-- Whoever read entries of another history can apply none of them.
UPDATE orgstream.lease
SET holder = NULL, expires_at = '-infinity', term = greatest(term, %(floor)s) + 1
WHERE stage <> 'relay';

-- name: outbid
-- Give the relay's lease back with a term above all that Redis has seen: the next grant is above it too. The
-- distance outlasts what the processes of another place may still be granted there.
UPDATE orgstream.lease
SET holder = NULL, expires_at = '-infinity', term = greatest(term, %(floor)s) + 1000
WHERE stage = 'relay' AND term = %(term)s;
