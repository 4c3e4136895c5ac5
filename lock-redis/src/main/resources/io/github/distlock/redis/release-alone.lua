-- Ends a hold if no contender waits: compare-and-delete. Otherwise it changes nothing, and release.lua decides.
--
-- KEYS  1 lock
-- ARGV  1 request   comes back in the reply
--       2 record    of the hold, without the flag of waiters
-- Reply request        released
--       {request, 0}   ask release.lua

if redis.pcall('GET', KEYS[1]) == ARGV[2] then
  redis.call('DEL', KEYS[1])
  return ARGV[1]
end
return { ARGV[1], 0 }
