-- Extends the hold of a reader or of permits. It never creates a hold.
--
-- KEYS  1 lock, 2 holders, and 3 token if the time for which the token is kept is to be extended, too
-- ARGV  1 request     comes back in the reply
--       2 record      of the hold, as shared.lua describes it
--       3 lease       ms, counted from now
--       4 token kept  ms, beyond a base that lies ahead of the clock; as in record.lua. More by as much as another
--                     lease ends later than this one
-- Reply as renew.lua
--
-- A lease that has ended is not extended, even if its record is still there. One that lasts longer is not shortened,
-- for the reason that renew.lua gives.

local marker = redis.pcall('GET', KEYS[1])
if type(marker) == 'table' and not string.find(marker.err, 'WRONGTYPE', 1, true) then
  return marker
end
-- Changes nothing, but a replica refuses it. So a replica never reports a hold that it does not know as lost. And a
-- server that is out of memory executes all that follows, because it refuses only the first write of a script.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '(0', '(0')
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local mode = type(marker) == 'string' and string.match(marker, '^%*\t1\t(%a+)\t')
local ends = mode and redis.call('ZSCORE', KEYS[2], ARGV[2])
if not ends or tonumber(ends) < now then
  return { ARGV[1], 0 }
end

redis.call('ZADD', KEYS[2], 'GT', string.format('%.0f', now + ARGV[3] * 1000), ARGV[2])
local latest = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
local left = math.max(1, math.ceil((latest - now) / 1000))
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', left))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left))
if KEYS[3] then
  local last = redis.call('GET', KEYS[3])
  if not last then
    local base = string.match(ARGV[2], '^%S+\t1\t%a+\t[%d/]+\t(%d+)\t')
    last = base .. '\t' .. (mode == 'read' and 'read-write' or mode)
  end
  local ahead = math.max(0, tonumber(string.match(last, '^%d+') or 0) - now) / 1000
  redis.call('SET', KEYS[3], last, 'PX', string.format('%.0f', left + ARGV[4] - ARGV[3] + ahead))
end
return { ARGV[1], string.byte(marker, -1) == 10 and 2 or 1 }
