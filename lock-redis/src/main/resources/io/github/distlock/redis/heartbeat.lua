-- Says that a place is still wanted, and asks whether it missed anything.
--
-- KEYS  as in queue.lua
-- ARGV  1 value
--       2 place
--       3 alive for     ms without a heartbeat after which the place is skipped
-- Reply {0, marker}   it waits on; a later hand-over has a base above the marker
--       {1}           ask again: the lock was handed over to it, is free, or the place was dropped

local value, place = ARGV[1], ARGV[2]

local current = holder()
if not current or current == value or not redis.call('ZSCORE', queue, place) then
  return { 1 }
end
keep_place(place, tonumber(ARGV[3]))
return { 0, marker() }
