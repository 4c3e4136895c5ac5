-- Keeps the queue entry of a contender for a read or write lock or for permits, and serves the waiters, because leases
-- may have ended since.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  those of heartbeat.lua: 1 request, 2 value, 3 entry, 4 alive for, 5 longest
-- Reply {request, 0, marker, interval}   as heartbeat.lua; a digest may follow, as there
--       {request, 1}                     ask again: the contender was served, or the entry was dropped

--#include record
--#include queue
--#include foreign
--#include shared

local queued_at = redis.call('ZSCORE', KEYS[3], ARGV[3])
if not queued_at then
  return { ARGV[1], 1 }
end
local interval = keep_waiting(ARGV[3], queued_at, tonumber(ARGV[4]), tonumber(ARGV[5]))
drop_expired()
serve()
settle()
if not held or not redis.call('ZSCORE', KEYS[3], ARGV[3]) then
  return with_notices(1)
end
return with_notices(0, marker(), interval, foreign_hold(record, ARGV[3]))
