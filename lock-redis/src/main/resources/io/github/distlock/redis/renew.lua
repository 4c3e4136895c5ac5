-- Extends one hold: compare-and-expire. It never creates.
--
-- KEYS  1 lock, 2 fence, 3 queue: see queue.lua, which this script does not need
-- ARGV  1 value
--       2 lease         ms, counted from now
-- Reply 0 the lock does not hold this value; 1 extended; 2 extended, and others wait

local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' and not string.find(value.err, 'WRONGTYPE', 1, true) then
  return redis.call('GET', KEYS[1]) -- raises what it was, in the server's own words
end
if value ~= ARGV[1] then
  -- Removes nothing, but a replica refuses it: it may not have heard of the hold yet.
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '(0', '(0')
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', ARGV[2] + 3600000))
if redis.call('ZCOUNT', KEYS[3], 0, '(8e15') > 0 then
  return 2
end
return 1
