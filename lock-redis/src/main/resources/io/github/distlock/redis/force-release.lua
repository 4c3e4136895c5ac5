-- Takes the lock from all its holders, or from one of them, and serves the waiters.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request   comes back in the reply
--       2 base      of the only hold to end; '' for all holds and for a kept lock
-- Reply request     no holder has this base; nothing was changed
--       {request, record, ttl, record, ttl, …}   the records of the ended holds, and the times in ms that they had left
--
-- The record of a kept lock has the base of a hold that has ended, so no base names it. The same is true of a record
-- whose lease has ended, and which stays for the lock delay.

--#include record
--#include queue
--#include shared
--#include over

require_primary()
local base = ARGV[2]
local holders = current_holders()
local ended = {}
for i = 1, #holders, 2 do
  local is_named = text(base_of(holders[i])) == base
    and not is_held_by(holders[i], 'kept')
    and not is_over(holders[i], holders[i + 1])
  if base == '' or is_named then
    append(ended, { holders[i], holders[i + 1] })
  end
end
if base ~= '' and not ended[1] then
  return ARGV[1]
end
if used_kind(record, first_entry()) == 'lock' then
  announce_wanted(record)
  serve_next()
else
  if base ~= '' and is_shared() then
    drop_expired()
    end_hold(ended[1])
  else
    redis.call('DEL', KEYS[5])
    held = nil
  end
  serve()
  settle()
end
return append(append({ ARGV[1] }, ended), notices)
