-- Takes the lock from its holder, and serves the next waiter.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request              comes back in the reply
-- Reply request                the lock was free
--       {request, record, ttl} the holder's record and its time left in ms, as they were before

--#include record
--#include queue

local record = redis.call('GET', KEYS[1])
if not record then
  require_primary()
  return ARGV[1]
end
local ttl = redis.call('PTTL', KEYS[1])
serve_next()
return with_notice(record, ttl)
