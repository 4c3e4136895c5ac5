-- Extends one hold: compare-and-expire. It never creates a hold.
--
-- KEYS  1 lock, and 2 token if the time for which the token is kept is to be extended, too
-- ARGV  1 request     comes back in the reply
--       2 value
--       3 lease       ms, counted from now
--       4 token kept  ms; as in record.lua
-- Reply {request, 0}   the contender does not hold the lock
--       {request, 1}   extended
--       {request, 2}   extended, and contenders may wait

local record = redis.pcall('GET', KEYS[1])
if type(record) ~= 'string' or string.find(record, ARGV[2] .. '\t', 1, true) ~= 1 then
  if type(record) == 'table' and not string.find(record.err, 'WRONGTYPE', 1, true) then
    return record
  end
  -- Changes nothing, but a replica refuses it. So a replica never reports a hold that it does not know as lost.
  redis.call('SET', KEYS[1], '', record and 'NX' or 'XX')
  return { ARGV[1], 0 }
end

redis.call('PEXPIRE', KEYS[1], ARGV[3])
if KEYS[2] and redis.call('PEXPIRE', KEYS[2], ARGV[4]) == 0 then
  -- The flag is set, because the queue may exist.
  redis.call('SET', KEYS[2], string.match(record, '^%S+\t1\tlock\t1\t(%d+)\t') .. '\n', 'PX', ARGV[4])
end
return { ARGV[1], string.byte(record, -1) == 10 and 2 or 1 }
