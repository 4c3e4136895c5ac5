-- Removes everything that a contender for a read or write lock or for permits may have left, and serves the waiters.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  those of withdraw.lua: 1 request, 2 value, 3 entry, 4 bury
-- Reply {request}
--
-- Safe to repeat, as withdraw.lua. A contender with a queue entry has no hold.

--#include record
--#include queue
--#include shared

local waited = ARGV[3] ~= '' and drop_entry(ARGV[3]) == 1
if ARGV[4] == '1' then
  bury(ARGV[2])
end
drop_expired()
if is_held_by(record, ARGV[2]) then
  held = nil
elseif not waited then
  local own = own_record(ARGV[2])
  if own then
    end_hold(own)
  end
end
serve()
settle()
return with_notices()
