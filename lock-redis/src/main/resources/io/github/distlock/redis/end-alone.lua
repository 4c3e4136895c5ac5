-- Ends a hold by its lock key alone: compare-and-delete. While a cluster migrates a slot, it refuses requests with
-- several keys of which one is missing, such as release.lua and withdraw.lua. In a quorum no contender waits. So this
-- is all that the end of a vote needs, unless the request for this vote may arrive later.
--
-- KEYS  1 lock
-- ARGV  those of release.lua or withdraw.lua: 1 request, 2 value, 5 delay; the others are not used
-- Reply request        the hold has ended
--       {request, 0}   the contender does not hold the lock; nothing was changed
--
-- The queue is not served: the first waiter that asks gets the lock, within 250 ms. There is no tombstone, so if a
-- caller-supplied client repeats a release by itself, the second copy finds no hold. The contender's queue entry stays
-- until its client counts as silent.

--#include record
--#include lease

if has_lease(holder(), ARGV[2], ARGV[5]) then
  redis.call('DEL', KEYS[1])
  return ARGV[1]
end
return { ARGV[1], 0 }
