-- Acquires a lock that nobody holds and that has no queue. Otherwise it changes nothing, and acquire.lua decides.
--
-- KEYS  1 lock, 2 token
-- ARGV  1 request      comes back in the reply
--       2 value        unique to this contender
--       3 owner        for inspection
--       4 lease        ms; with the lock delay
--       5 token kept   ms, beyond a base that lies ahead of the clock; as in record.lua
-- Reply {request, base}   the contender holds the lock, for the full lease from now
--       request           ask acquire.lua
--
-- Safe to repeat: if an earlier copy of the request has acquired the lock, this one changes nothing, and acquire.lua
-- replies with the hold. A request that arrives after its contender has withdrawn finds that the token has a flag,
-- because the withdrawal left a tombstone, or finds no token.
--
-- Bases are compared as texts of one length, because Lua converts numbers slowly.

local time = redis.call('TIME')
local base = time[1] .. string.sub('00000', #time[2]) .. time[2]
if redis.call('SET', KEYS[1], ARGV[2] .. '\t1\tlock\t1\t' .. base .. '\t' .. ARGV[3], 'NX', 'PX', ARGV[4]) then
  local last = redis.pcall('SET', KEYS[2], base, 'PX', ARGV[5], 'GET')
  if last and #last == #base and last < base then
    return { ARGV[1], base }
  end
  -- There is no token, it is too great, it has the flag of a queue, or the server refuses it: undo.
  redis.call('DEL', KEYS[1])
  if type(last) == 'table' then
    return last
  end
  if last then
    local ahead = math.max(0, tonumber(string.match(last, '^%d+') or 0) - tonumber(base)) / 1000
    redis.call('SET', KEYS[2], last, 'PX', string.format('%.0f', ARGV[5] + ahead))
  else
    redis.call('DEL', KEYS[2])
  end
end
return ARGV[1]
