-- Ends holds of several locks if no contender waits for them: compare-and-delete for each.
--
-- KEYS  1 to n: lock, of at most 512 locks
-- ARGV  1 request   comes back in the reply
--       2 record    of the first hold, without the flag of waiters; 3 that of the second; and so on
-- Reply {request, text}   a digit for each hold:
--                           0   nothing was changed; release.lua decides
--                           1   released
--
-- As renew-many.lua, only for a server that keeps all locks.

local statuses = {}

-- Returns whether the lock has the record of its hold. Goes on to the next hold.
local function is_held(record)
  local held = record == ARGV[#statuses + 2]
  statuses[#statuses + 1] = held and 1 or 0
  return held
end

repeat
  --#each 512
  if not KEYS[n] then break end
  if is_held(redis.pcall('GET', KEYS[n])) then redis.call('DEL', KEYS[n]) end
  --#end
until true
return { ARGV[1], table.concat(statuses) }
