-- Extends one hold: compare-and-expire. It never creates.
--
-- KEYS  as in queue.lua
-- ARGV  1 value
--       2 lease         ms, counted from now
-- Reply 0 the lock does not hold this value; 1 extended; 2 extended, and others wait

local value, lease = ARGV[1], tonumber(ARGV[2])

if holder() ~= value then
  require_primary()
  return 0
end
redis.call('PEXPIRE', lock, lease)
redis.call('PEXPIRE', fence, text(lease + FENCE_KEPT))
if redis.call('ZCOUNT', queue, 0, '(' .. text(TOMBSTONES)) > 0 then
  return 2
end
return 1
