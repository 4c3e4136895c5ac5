-- Keeps queue entries of one client for a read or write lock or for permits, and serves the waiters, because leases may
-- have ended since.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  those of heartbeat.lua
-- Reply as heartbeat.lua; 0 says that the contender was served, or that the entry was dropped

--#include record
--#include queue
--#include foreign
--#include shared
--#include heartbeats

local intervals = keep_all()
drop_expired()
serve()
settle()
return answers(record, function(_, entry)
  return held and redis.call('ZSCORE', KEYS[3], entry) and intervals[entry]
end)
