-- Ends the hold of a reader, a writer or of permits, and serves the waiters.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  those of release.lua: 1 request, 2 value, 3 bury
--       4 record   of the hold in KEYS[5]; for a writer, the one that it has if a downgrade has been executed
--       5 yield    as 4 yield of release.lua; counts only if this ends the last hold
-- Reply {request}      released, now or by an earlier request that left a tombstone
--       {request, 0}   as in release.lua
--
-- Safe to repeat, as release.lua.

--#include record
--#include queue
--#include foreign
--#include shared

-- The lock key expires with the last lease, so that the lease of the only holder has not ended.
if in_use > number_of(ARGV[4]) then
  drop_expired()
end
local is_writer = is_held_by(record, ARGV[2])
if is_writer then
  held = nil
end
local ended = is_writer or is_shared() and end_hold(ARGV[4])
local was_released = not ended and is_buried(ARGV[2])
if ARGV[3] == '1' then
  bury(ARGV[2])
end
if ended and string.byte(record, -1) ~= 10 then
  head = false -- the record says that nobody waits
else
  require_primary()
end
if ended and not held then
  yield(tonumber(ARGV[5]))
end
serve()
settle()
if ended or was_released then
  return with_notices()
end
return with_notices(0)
