-- Extends holds of several locks or writers: compare-and-expire for each. It never creates a hold, and as renew.lua it
-- shortens none.
--
-- KEYS  1 to n: lock, of at most 512 locks
-- ARGV  1 request   comes back in the reply
--       2 value, 3 lease of the first hold in ms, counted from now; 4 and 5 those of the second; and so on
-- Reply {request, text}   a digit for each hold:
--                           0   not extended; renew.lua says why
--                           1   extended
--                           2   extended, and contenders may wait
--
-- Only a server that keeps all locks takes this script. If it refuses the script, or for one of the keys, the client
-- sends renew.lua for each hold. The server is blocked meanwhile, for about 0.5 ms with 512 holds.
--
-- The client repeats the lines between "#each" and "#end", with the numbers from 1 to 512 for n. So each call names its
-- key as a literal.

local statuses = {}
local lease -- of the hold that was looked at last

-- Returns whether the lock has the record of its hold. Goes on to the next hold.
local function is_held(record)
  local place = #statuses + 1
  local held = type(record) == 'string' and string.find(record, ARGV[2 * place] .. '\t', 1, true) == 1
  statuses[place] = held and (string.byte(record, -1) == 10 and 2 or 1) or 0
  lease = ARGV[2 * place + 1]
  return held
end

repeat
  --#each 512
  if not KEYS[n] then break end
  if is_held(redis.pcall('GET', KEYS[n])) then
    redis.call('PEXPIRE', KEYS[n], math.max(tonumber(lease), redis.call('PTTL', KEYS[n])))
  end
  --#end
until true
return { ARGV[1], table.concat(statuses) }
