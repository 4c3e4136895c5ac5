-- Turns the hold of a writer into the hold of a reader, and serves the readers at the head of the queue.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request   comes back in the reply
--       2 value
--       3 record    of the hold as a reader
--       4 lease     ms
-- Reply {request, 1}   the contender is a reader, for the full lease from now
--       {request, 0}   it does not hold the lock
--
-- Safe to repeat: if the contender is a reader already, it gets the full lease again.

--#include record
--#include queue
--#include shared

drop_expired()
local is_writer = is_held_by(record, ARGV[2])
if not is_writer and not (is_shared() and redis.call('ZSCORE', KEYS[5], ARGV[3])) then
  serve()
  settle()
  require_primary()
  return with_notices(0)
end
keep_record(ARGV[3], tonumber(ARGV[4]))
if is_writer then
  held, in_use = 'read', 1
end
serve()
settle()
return with_notices(1)
