-- Whether the lease of a hold has ended. Scripts that end a hold include this file after record.lua.
--
-- With a lock delay, the lock key expires so much later than the lease. Then the lease has ended when the key has no
-- more than the lock delay left. Its record stays, so that the lock is busy. But nobody holds the lock.

-- Returns whether the contender holds the lock. The lock delay is in ms; 0 or nil if there is none.
local function has_lease(record, value, delay)
  if not is_held_by(record, value) then
    return false
  end
  local left = (tonumber(delay) or 0) > 0 and redis.call('PTTL', KEYS[1]) or -1
  return left < 0 or left > tonumber(delay)
end
