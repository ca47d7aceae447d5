#!lua
-- The relay's term on a partition: its streams and groups are there afterwards, empty where they were lost.
--   KEYS[1]     fence    hash: stage -> highest term seen
--   KEYS[2..5]  streams  changes, kept, matched, writes
--   ARGV        term, then the consumer group of each stream
-- Returns 1 when all was there, 0 when the partition was made anew and its entries must be published again.
-- Error: FENCED for a lower term.
local known = redis.call('HGET', KEYS[1], 'relay')
if known and tonumber(ARGV[1]) < tonumber(known) then
  return redis.error_reply('FENCED a later relay works on this partition')
end
local existed = 1
if not known or redis.call('EXISTS', unpack(KEYS)) < #KEYS then
  existed = 0
  redis.call('DEL', unpack(KEYS))
end
redis.call('HSET', KEYS[1], 'relay', ARGV[1])
for i = 2, #KEYS do
  redis.pcall('XGROUP', 'CREATE', KEYS[i], ARGV[i], '0', 'MKSTREAM')
end
return existed
