-- Ends a hold by its lock key alone, and keeps the lock busy for some time. While a cluster migrates a slot, it refuses
-- requests with several keys of which one is missing, such as keep.lua.
--
-- KEYS  1 lock
-- ARGV  those of keep.lua: 1 request, 2 value, 4 kept for, 5 delay; the other is not used
-- Reply request        the hold has ended
--       {request, 0}   the contender does not hold the lock; nothing was changed
--
-- There is no tombstone, as in end-alone.lua. The server does not keep the token for longer.

--#include record
--#include lease
--#include kept

local record = holder()
if has_lease(record, ARGV[2], ARGV[5]) then
  keep(record, ARGV[4])
  return ARGV[1]
end
return { ARGV[1], 0 }
