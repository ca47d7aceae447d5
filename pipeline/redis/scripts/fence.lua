#!lua flags=allow-oom
-- Raise a stage's fence to a term: from now on a holder with a lower one is refused.
--   KEYS[1]   fence    hash: stage -> highest term seen
--   KEYS[2..] streams  the ones the stage uses
--   ARGV      stage, term
-- Errors: LOST when a stream is not there (the relay will make it), FENCED for a lower term.
if redis.call('EXISTS', unpack(KEYS)) < #KEYS then
  return redis.error_reply('LOST the streams of this partition are gone')
end
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(ARGV[2]) < tonumber(known) then
  return redis.error_reply('FENCED a later holder works on this partition')
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
