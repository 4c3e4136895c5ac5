-- Keeps the tokens of several locks or writers for longer, after their holds were extended.
--
-- KEYS  1 to n: token, of at most 512 locks
-- ARGV  1 request      comes back in the reply
--       2 token kept   ms, for the first one; 3 for the second; and so on
-- Reply {request, text}   a digit for each token:
--                           0   not kept: it is lost, or its base lies ahead of the clock; renew.lua keeps it
--                           1   kept
--
-- As renew-many.lua, only for a server that keeps all locks.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local statuses = {}

-- Returns whether the token is to be kept. Goes on to the next one.
local function is_kept(token)
  local base = type(token) == 'string' and tonumber(string.match(token, '^%d+'))
  local kept = base and base <= now
  statuses[#statuses + 1] = kept and 1 or 0
  return kept
end

repeat
  --#each 512
  if not KEYS[n] then break end
  if is_kept(redis.pcall('GET', KEYS[n])) then redis.call('PEXPIRE', KEYS[n], ARGV[#statuses + 1]) end
  --#end
until true
return { ARGV[1], table.concat(statuses) }
