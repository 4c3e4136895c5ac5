-- Ends a hold: compare-and-delete, except that a waiting place gets the lock in the same step.
--
-- KEYS  as in queue.lua
-- ARGV  1 value
--       2 bury          '1' when a duplicate of a request with this value may still be under way
-- Reply 1 released now, or by an earlier request that left a tombstone; 0 the lock does not hold this value, nothing was changed
--
-- Safe to repeat: a value is never granted twice, so that a repeated release finds either its own hold or nothing of its own.

local value = ARGV[1]

local was_released = is_buried(value)
if ARGV[2] == '1' then
  bury(value)
end
if holder() == value then
  serve_next()
  return 1
end
if was_released then
  return 1
end
require_primary()
return 0
