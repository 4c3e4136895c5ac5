-- Reads who holds the lock and who waits. Changes nothing.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request   comes back in the reply
-- Reply {request, record or nil, ttl in ms, entry, entry, …}: entries in their order, without those of silent clients

--#include record
--#include queue

local reply = { ARGV[1], redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], 0, '(' .. text(TOMBSTONES))) do
  local alive_until = redis.call('ZSCORE', KEYS[4], entry)
  if alive_until and tonumber(alive_until) >= now then
    reply[#reply + 1] = entry
  end
end
return reply
