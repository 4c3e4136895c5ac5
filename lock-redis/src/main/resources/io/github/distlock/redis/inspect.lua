-- Reads who holds the lock and who waits. Changes nothing.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request   comes back in the reply
-- Reply {request, n, record, ttl in ms, record, ttl, …, entry, entry, …}: n holders in any order, and the entries in
--       their order, without those of silent clients

--#include record
--#include queue
--#include shared

local holders = current_holders()
local reply = append({ ARGV[1], #holders / 2 }, holders)
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], 0, '(' .. text(TOMBSTONES))) do
  local alive_until = redis.call('ZSCORE', KEYS[4], entry)
  if alive_until and tonumber(alive_until) >= now then
    reply[#reply + 1] = entry
  end
end
return reply
