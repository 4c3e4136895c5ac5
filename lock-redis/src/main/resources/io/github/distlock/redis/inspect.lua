-- Reads who holds the lock and who waits. Changes nothing.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request   comes back in the reply
-- Reply {request, n, record, ttl in ms, record, ttl, …, entry, time, entry, time, …}: n holders in any order, and the
--       entries in their order, without those of silent clients. The times are microseconds since 1970.

--#include record
--#include queue
--#include foreign
--#include shared

local holders = current_holders()
local reply = append({ ARGV[1], #holders / 2 }, holders)
local entries = redis.call('ZRANGEBYSCORE', KEYS[3], 0, '(' .. text(TOMBSTONES), 'WITHSCORES')
for i = 1, #entries, 2 do
  local alive_until = redis.call('ZSCORE', KEYS[4], entries[i])
  if alive_until and tonumber(alive_until) >= now and not is_yield(entries[i]) then
    append(reply, { entries[i], text(entries[i + 1]) })
  end
end
return reply
