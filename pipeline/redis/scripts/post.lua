#!lua flags=allow-oom
-- Keep what a process tells of itself under a name that few share: its kind and the lowest free number. A
-- name is free again when its holder has been silent. Allowed with a full memory: what was there is replaced.
--   KEYS[1]  holders    hash: name -> "<holds until, in milliseconds> <process id>"
--   KEYS[2]  documents  hash: name -> what the process tells
--   ARGV     process id, kind, the name it had ('' before its first), milliseconds that it holds, document
-- Returns the name.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found = redis.call('HGETALL', KEYS[1])
local taken, name = {}, nil
for i = 1, #found, 2 do
  local ends, id = string.match(found[i + 1], '^(%d+) (.*)$')
  if id == ARGV[1] then
    name = found[i]
  elseif tonumber(ends) < now then
    redis.call('HDEL', KEYS[1], found[i])
    redis.call('HDEL', KEYS[2], found[i])
  else
    taken[found[i]] = true
  end
end
if not name and ARGV[3] ~= '' and not taken[ARGV[3]] then
  name = ARGV[3]
end
local number = 1
while not name do
  local candidate = ARGV[2] .. '.' .. number
  if not taken[candidate] then name = candidate end
  number = number + 1
end
redis.call('HSET', KEYS[1], name, string.format('%.0f', now + ARGV[4]) .. ' ' .. ARGV[1])
redis.call('HSET', KEYS[2], name, ARGV[5])
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 86400) end
return name
