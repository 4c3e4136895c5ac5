-- Ends the hold of a reader, a writer or of permits, and serves the waiters.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  those of release.lua: 1 request, 2 value, 3 bury
--       4 record   of the hold in KEYS[5]; for a writer, the one that it has if a downgrade has been executed
-- Reply as release.lua: {request}, request or {request, 0}
--
-- Safe to repeat, as release.lua.

--#include record
--#include queue
--#include shared

local was_released = is_buried(ARGV[2])
if ARGV[3] == '1' then
  bury(ARGV[2])
end
drop_expired()
local is_writer = is_held_by(record, ARGV[2])
local ended = is_writer or is_shared() and redis.call('ZREM', KEYS[5], ARGV[4]) == 1
if is_writer then
  held = nil
elseif ended then
  end_hold(ARGV[4])
end
serve()
settle()
if ended then
  return with_notices()
end
if was_released then
  return ARGV[1]
end
require_primary()
return with_notices(0)
