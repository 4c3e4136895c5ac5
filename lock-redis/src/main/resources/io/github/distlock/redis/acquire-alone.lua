-- Asks once for the lock by its lock key alone. While a cluster migrates a slot, it refuses requests with several keys
-- of which one is missing, such as acquire.lua.
--
-- KEYS  1 lock
-- ARGV  those of acquire.lua: 1 request, 2 value, 3 owner, 4 lease, 5 floor; the others are not used
-- Reply as acquire.lua:
--       {request, 1, base, 1, 1}      the contender holds the lock; the queue may have members
--       {request, 0, ttl, marker}     busy; nothing notifies the contender, so it polls; the marker is so great that no
--                                     message makes it a holder
--
-- The script does what `SET NX PX` does, and mints a base. Exclusion depends on the lock key alone, as in acquire.lua.
-- The script can see neither queue nor tombstones: the contender acquires before waiters, and nothing stops a request
-- that arrives after its contender has withdrawn.
-- The record has the flag of waiters, so that the release serves the queue if the migration is over.
--
-- The base is above the floor and not below the clock. A missing lock key makes the source node redirect to the target
-- node, which has the slot from then on. So a later base, even of acquire.lua, is greater by the target's clock, unless
-- a clock was set back. A base from before is smaller as far as the clocks of both nodes agree.
--
-- Safe to repeat, as acquire.lua.

--#include record

local value, owner, lease, floor = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

local record = holder()
if record and not is_held_by(record, value) then
  local ttl = record == 'not a string' and -2 or redis.call('PTTL', KEYS[1])
  return { ARGV[1], 0, ttl, '9223372036854775807' }
end
local base = base_of(record)
if base <= floor then
  base = mint_alone(floor)
end
hold(value, kept_lease(lease), base, owner, 1)
return { ARGV[1], 1, text(base), 1, 1 }
