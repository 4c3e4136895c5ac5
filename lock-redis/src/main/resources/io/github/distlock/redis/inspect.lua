-- Reads who holds the lock and who waits. Changes nothing.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request   comes back in the reply
--       2 from      time of the first entry to read, 0 by default
-- Reply {request, n, record, ttl in ms, record, ttl, …, next, entry, time, entry, time, …}: n holders in any order, and
--       up to 500 entries in their order, without those of silent clients. The times are microseconds since 1970. If
--       more entries follow, `next` is the time of the last one that was read, otherwise ''. With `next` as its first
--       time, the script reads on, and repeats that entry.

--#include record
--#include queue
--#include foreign
--#include shared

local MOST_ENTRIES = 500

local holders = current_holders()
local reply = append({ ARGV[1], #holders / 2 }, holders)
local entries =
  redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[2] or 0, '(' .. text(TOMBSTONES), 'WITHSCORES', 'LIMIT', 0, MOST_ENTRIES)
reply[#reply + 1] = #entries < 2 * MOST_ENTRIES and '' or text(entries[#entries])
for i = 1, #entries, 2 do
  local alive_until = redis.call('ZSCORE', KEYS[4], entries[i])
  if alive_until and tonumber(alive_until) >= now and not is_yield(entries[i]) then
    append(reply, { entries[i], text(entries[i + 1]) })
  end
end
return reply
