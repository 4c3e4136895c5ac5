-- Reads who holds the lock and who waits. Changes nothing.
--
-- KEYS  as in queue.lua
-- Reply {value or nil, ttl in ms, last grant, place, place, …}, places in their order, dead ones left out

local reply = { redis.call('GET', lock), redis.call('PTTL', lock), redis.call('GET', fence) or '' }
for _, place in ipairs(redis.call('ZRANGEBYSCORE', queue, 0, '(' .. text(TOMBSTONES))) do
  local alive_until = redis.call('ZSCORE', heard, place)
  if alive_until and tonumber(alive_until) >= now then
    reply[#reply + 1] = place
  end
end
return reply
