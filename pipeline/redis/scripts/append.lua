#!lua
-- Append entries to a stream under their own ids, if the fence allows.
--   KEYS[1]  fence    hash: stage -> highest term seen; `appended` -> the last id that the relay appended;
--                    `moving`, while a change of identity may lie in the streams
--   KEYS[2]  stream   one stage's input in one partition; ids rise
--   ARGV     stage, term, what `appended` may be, joined by commas (empty: not known), `moving` or
--            empty, then id, field, document for each entry, ids rising
-- Returns how many were appended: an id at or below `appended` is there already and is left out.
-- Errors: LOST when Redis knows the stream, the fence or our last append no more, or when another writer took
-- one of the ids (then the partition is given up); FENCED for a lower term.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or redis.call('EXISTS', KEYS[2]) == 0 then
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
local last = redis.call('HGET', KEYS[1], 'appended') or '0-0'
if ARGV[3] ~= '' and not string.find(',' .. ARGV[3] .. ',', ',' .. last .. ',', 1, true) then
  return redis.error_reply('LOST the last append to this partition: Redis went back in time')
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[4], 1)
end
local appended = 0
for i = 5, #ARGV, 3 do
  local reply = redis.pcall('XADD', KEYS[2], ARGV[i], ARGV[i + 1], ARGV[i + 2])
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'equal or smaller', 1, true) then
      return reply
    end
    if beyond(ARGV[i], last) then
      redis.call('DEL', KEYS[1])
      return redis.error_reply('LOST an id of this partition to entries of another writer')
    end
  else
    appended = appended + 1
  end
end
if beyond(ARGV[#ARGV - 2], last) then
  redis.call('HSET', KEYS[1], 'appended', ARGV[#ARGV - 2])
end
return appended
