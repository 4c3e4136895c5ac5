-- Keeps queue entries of one client, and asks whether their contenders have missed anything.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request     comes back in the reply
--       2 alive for   ms without a heartbeat after which an entry near the head is skipped
--       3 longest     ms between two heartbeats of an entry far from the head
--       4 value, 5 entry of the first contender; 6 and 7 those of the second; and so on, for at most 64
-- Reply {request, marker, …}   each later handoff has a base above the marker. For each contender one of these follows:
--         interval           the contender goes on waiting; its entry needs the next heartbeat after these ms
--         interval, digest   the same for the first waiter if another program holds the lock: a digest of its record
--         0                  ask again: the contender holds the lock, the lock is free, or the entry was dropped
--
-- If an entry that is not near the head is kept, those of silent clients at the head are dropped. So a contender behind
-- many of them comes near the head before the lock is free.

--#include record
--#include queue
--#include foreign
--#include heartbeats

local record = holder()
local intervals = record and keep_all() or {}
for _, interval in pairs(intervals) do
  if interval > SHORTEST_INTERVAL then
    first_entry()
  end
end
local held_by = string.match(record or '', '^%S+')
return answers(record, function(value, entry)
  return value ~= held_by and intervals[entry]
end)
