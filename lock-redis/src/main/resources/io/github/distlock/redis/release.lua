-- Ends a hold: compare-and-delete, except that a waiter acquires the lock in the same step.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request   comes back in the reply
--       2 record    as it was granted
--       3 value
--       4 bury      '1' if a copy of a request with this value may still be under way
-- Reply {request, 1}   released, now or by an earlier request that left a tombstone
--       {request, 0}   the contender does not hold the lock; nothing was changed
--
-- Safe to repeat: a value is never granted twice, so a repeated release finds either its own hold or nothing of its own.

-- The short path: nobody waits.
if ARGV[4] == '0' and redis.pcall('GET', KEYS[1]) == ARGV[2] then
  redis.call('DEL', KEYS[1])
  return { ARGV[1], 1 }
end

--#include record
--#include queue

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local was_released = is_buried(ARGV[3])
if ARGV[4] == '1' then
  bury(ARGV[3], now)
end
if is_held_by(holder(), ARGV[3]) then
  serve_next(now)
  return { ARGV[1], 1 }
end
if was_released then
  return { ARGV[1], 1 }
end
require_primary()
return { ARGV[1], 0 }
