-- Reads the last request to release the lock. Changes nothing.
--
-- KEYS  1 requested
-- ARGV  1 request   comes back in the reply
-- Reply {request, now, stored}   microseconds since 1970, and what request-release.lua has stored
--       {request}                there is no such request

local stored = redis.call('GET', KEYS[1])
if not stored then
  return { ARGV[1] }
end
local time = redis.call('TIME')
return { ARGV[1], string.format('%.0f', time[1] * 1000000 + time[2]), stored }
