-- Ends a hold: compare-and-delete, except that a waiter acquires the lock in the same step.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request   comes back in the reply
--       2 value
--       3 bury      '1' if a copy of a request with this value may still be under way
--       4 yield     ms for which the lock is left to other programs before the first waiter gets it, or 0
-- Reply {request}      released now
--       request        released by an earlier request that left a tombstone
--       {request, 0}   the contender does not hold the lock; nothing was changed
--
-- Safe to repeat: a value is never granted twice, so a repeated release finds either its own hold or nothing of its
-- own.

--#include record
--#include queue
--#include foreign

require_primary()
local was_released = is_buried(ARGV[2])
if ARGV[3] == '1' then
  bury(ARGV[2])
end
if is_held_by(holder(), ARGV[2]) then
  yield(tonumber(ARGV[4]))
  serve_next()
  return with_notices()
end
if was_released then
  return ARGV[1]
end
return { ARGV[1], 0 }
