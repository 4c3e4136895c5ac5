-- Keeps a queue entry, and asks whether its contender has missed anything.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request     comes back in the reply
--       2 value
--       3 entry
--       4 alive for   ms without a heartbeat after which the entry is skipped
-- Reply {request, 0, marker}   the contender goes on waiting; each later handoff has a base above the marker
--       {request, 1}           ask again: the contender holds the lock, the lock is free, or the entry was dropped

--#include record
--#include queue

local record = holder()
if not record or is_held_by(record, ARGV[2]) or not redis.call('ZSCORE', KEYS[3], ARGV[3]) then
  return { ARGV[1], 1 }
end
keep_alive(ARGV[3], tonumber(ARGV[4]))
return { ARGV[1], 0, marker() }
