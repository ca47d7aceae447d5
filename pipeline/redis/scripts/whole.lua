#!lua flags=no-writes
-- Whether a stream still has every entry that nobody has finished, and what its group has to finish first.
--   KEYS[1]  fence    hash: `finished:<group>` -> how many entries the group has finished
--   KEYS[2]  stream   read by the group
--   ARGV     consumer group, the field of the fence that has the last id that we appended to the stream
-- Returns how many entries are gone that were not finished (Redis counts what was ever added), the id of the
-- oldest pending entry, empty where there is none, and the last id that we appended.
local info = redis.call('XINFO', 'STREAM', KEYS[2])
local added, length
for i = 1, #info, 2 do
  if info[i] == 'entries-added' then added = info[i + 1] end
  if info[i] == 'length' then length = info[i + 1] end
end
local finished = tonumber(redis.call('HGET', KEYS[1], 'finished:' .. ARGV[1]) or 0)
local oldest = redis.call('XPENDING', KEYS[2], ARGV[1], '-', '+', 1)
local appended = redis.call('HGET', KEYS[1], ARGV[2]) or '0-0'
return {added - length - finished, oldest[1] and oldest[1][1] or '', appended}
