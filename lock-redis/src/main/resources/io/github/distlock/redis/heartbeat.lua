-- Keeps a queue entry, and asks whether its contender has missed anything.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request     comes back in the reply
--       2 value
--       3 entry
--       4 alive for   ms without a heartbeat after which an entry near the head is skipped
--       5 longest     ms between two heartbeats of an entry far from the head
-- Reply {request, 0, marker, interval}   the contender goes on waiting; each later handoff has a base above the marker;
--                                        the entry needs its next heartbeat after the interval, in ms
--       {request, 0, marker, interval, digest}   the same for the first waiter if another program holds the lock: a
--                                        digest of its record
--       {request, 1}                     ask again: the contender holds the lock, the lock is free, or the entry was
--                                        dropped
--
-- If an entry that is not near the head is kept, those of silent clients at the head are dropped. So a contender behind
-- many of them comes near the head before the lock is free.

--#include record
--#include queue
--#include foreign

local record = holder()
local queued_at = redis.call('ZSCORE', KEYS[3], ARGV[3])
if not record or is_held_by(record, ARGV[2]) or not queued_at then
  return { ARGV[1], 1 }
end
local interval = keep_waiting(ARGV[3], queued_at, tonumber(ARGV[4]), tonumber(ARGV[5]))
if interval > SHORTEST_INTERVAL then
  first_entry()
end
return with_notices(0, marker(), interval, foreign_hold(record, ARGV[3]))
