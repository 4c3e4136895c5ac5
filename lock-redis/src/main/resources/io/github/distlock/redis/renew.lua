-- Extends one hold of a lock, or of a writer: compare-and-expire. It never creates a hold. It does not shorten a hold
-- that lasts longer, because an earlier request may arrive after one that has asked for a longer lease.
--
-- KEYS  1 lock, and 2 token if the time for which the token is kept is to be extended, too
-- ARGV  1 request     comes back in the reply
--       2 value
--       3 lease       ms, counted from now; with the lock delay
--       4 token kept  ms, beyond a base that lies ahead of the clock; as in record.lua
--       5 delay       the lock delay in ms, or 0; as in lease.lua
-- Reply {request, 0}   the contender does not hold the lock
--       {request, 1}   extended, or kept for longer
--       {request, 2}   the same, and contenders may wait

local record = redis.pcall('GET', KEYS[1])
local is_held = type(record) == 'string' and string.find(record, ARGV[2] .. '\t', 1, true) == 1
local delay = tonumber(ARGV[5]) or 0
if is_held and delay > 0 then
  local left = redis.call('PTTL', KEYS[1])
  is_held = left < 0 or left > delay
end
if not is_held then
  if type(record) == 'table' and not string.find(record.err, 'WRONGTYPE', 1, true) then
    return record
  end
  -- Changes nothing, but a replica refuses it. So a replica never reports a hold that it does not know as lost.
  redis.call('SET', KEYS[1], '', record and 'NX' or 'XX')
  return { ARGV[1], 0 }
end

local lease = tonumber(ARGV[3])
local left = math.max(lease, redis.call('PTTL', KEYS[1]))
-- Written also if it changes nothing: a server that must not write, such as a replica, refuses it and confirms nothing.
redis.call('PEXPIRE', KEYS[1], left)
if KEYS[2] then
  local last = redis.call('GET', KEYS[2])
  if not last then
    -- A token of a lock that was lost gets the flag, because the queue may exist.
    local mode, base = string.match(record, '^%S+\t1\t(%a+)\t1\t(%d+)\t')
    last = base .. (mode == 'lock' and '\n' or '\tread-write')
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local ahead = math.max(0, tonumber(string.match(last, '^%d+') or 0) - now) / 1000
  redis.call('SET', KEYS[2], last, 'PX', string.format('%.0f', left + ARGV[4] - lease + ahead))
end
return { ARGV[1], string.byte(record, -1) == 10 and 2 or 1 }
