-- Takes the lock from all its holders, and serves the waiters.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request              comes back in the reply
-- Reply request                the lock was free
--       {request, record, ttl, record, ttl, …}   the holders' records and their times left in ms, as they were before

--#include record
--#include queue
--#include shared

local holders = current_holders()
if not record then
  require_primary()
  return ARGV[1]
end
if used_kind(record, first_entry()) == 'lock' then
  serve_next()
else
  redis.call('DEL', KEYS[5])
  held = nil
  serve()
  settle()
end
return append(append({ ARGV[1] }, holders), notices)
