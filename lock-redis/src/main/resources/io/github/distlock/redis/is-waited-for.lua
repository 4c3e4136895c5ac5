-- Counts the contenders that wait for a lock and are alive, for a list of names. Changes nothing.
--
-- KEYS  1 alive
-- ARGV  1 request   comes back in the reply
-- Reply {request, count}

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
return { ARGV[1], redis.call('ZCOUNT', KEYS[1], string.format('%.0f', now), '+inf') }
