-- Ends a hold, and keeps the lock busy for some time. It serves nobody: when the lock key has expired, the first
-- contender that asks has the first waiter served.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request    comes back in the reply
--       2 value
--       3 bury       '1' if a copy of a request with this value may still be under way
--       4 kept for   ms
--       5 delay      the lock delay in ms, or 0
-- Reply as release.lua
--
-- Safe to repeat: a repeated request finds a record that is not its own, and does not keep the lock for longer.

--#include record
--#include lease
--#include queue
--#include kept

require_primary()
local was_released = is_buried(ARGV[2])
if ARGV[3] == '1' then
  bury(ARGV[2])
end
local record = holder()
if has_lease(record, ARGV[2], ARGV[5]) then
  -- A token that was lost gets the flag, because the queue may exist.
  local last = redis.call('GET', KEYS[2]) or text(base_of(record)) .. '\n'
  local ahead = math.max(0, tonumber(string.match(last, '^%d+') or 0) - now) / 1000
  redis.call('SET', KEYS[2], last, 'PX', text(ARGV[4] + TOKEN_KEPT + ahead))
  keep(record, ARGV[4])
  -- A hint: the first waiter learns when to ask again. Without it, the waiter finds out with a heartbeat.
  local value, channel = string.match(first_entry() or '', '^1\tlock\t1\t(%S+)\t([^\t]+)\t')
  if value then
    announce(channel, 'kept ' .. value)
  end
  return with_notices()
end
if was_released then
  return ARGV[1]
end
return { ARGV[1], 0 }
