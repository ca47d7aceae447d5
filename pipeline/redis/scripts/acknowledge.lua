#!lua flags=allow-oom
-- Finish entries of a stream: hand on what they became, acknowledge and trim, in one step, if the fence
-- allows. It may run with a full memory, because it frees more than it takes.
--   KEYS[1]  fence    hash: stage -> highest term seen; `finished:<group>` -> how many entries it finished;
--                     `appended:<stream>` -> the last id that went on into it
--   KEYS[2]  stream   where the entries were read
--   KEYS[3]  stream   where they go on (absent: their effect is in Postgres)
--   ARGV     stage of the fence, term, consumer group, id to trim below, the last id of our own that goes on,
--            number of ids, the ids, then id, field, document for each entry that goes on, ids rising
-- Returns how many were acknowledged. An id at or below `appended:<stream>` has gone on already. Errors: LOST,
-- FENCED as in append.lua.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or redis.call('EXISTS', unpack(KEYS)) < #KEYS then
  return redis.error_reply('LOST the streams of this partition are gone')
end
if tonumber(ARGV[2]) < tonumber(known) then
  return redis.error_reply('FENCED a later holder works on this partition')
end
local function beyond(id, other)
  local tick, ordinal = string.match(id, '(%d+)-(%d+)')
  local at, place = string.match(other, '(%d+)-(%d+)')
  return tonumber(tick) > tonumber(at) or (tick == at and tonumber(ordinal) > tonumber(place))
end
local last = 6 + tonumber(ARGV[6])
if #ARGV > last then
  local field = 'appended:' .. string.match(KEYS[3], '[^:]+$')
  local gone_on = redis.call('HGET', KEYS[1], field) or '0-0'
  for i = last + 1, #ARGV, 3 do
    local reply = redis.pcall('XADD', KEYS[3], ARGV[i], ARGV[i + 1], ARGV[i + 2])
    if type(reply) == 'table' and reply.err then
      if not string.find(reply.err, 'equal or smaller', 1, true) then
        return reply
      end
      if beyond(ARGV[i], gone_on) then
        redis.call('DEL', KEYS[1])
        return redis.error_reply('LOST an id of this partition to entries of another writer')
      end
    end
  end
  if ARGV[5] ~= '' and beyond(ARGV[5], gone_on) then
    redis.call('HSET', KEYS[1], field, ARGV[5])
  end
end
local acknowledged = 0
for i = 7, last, 1000 do
  acknowledged = acknowledged + redis.call('XACK', KEYS[2], ARGV[3], unpack(ARGV, i, math.min(i + 999, last)))
end
local removed = redis.call('XTRIM', KEYS[2], 'MINID', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'finished:' .. ARGV[3], removed)
return acknowledged
