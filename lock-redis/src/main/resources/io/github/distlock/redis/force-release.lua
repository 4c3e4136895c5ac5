-- Takes the lock from whoever holds it, and serves the next place.
--
-- KEYS  as in queue.lua
-- Reply {} when nobody held it, else {value, ttl in ms, last grant} as they were before

local value = redis.call('GET', lock)
if not value then
  require_primary()
  return {}
end
local reply = { value, redis.call('PTTL', lock), redis.call('GET', fence) or '' }
serve_next()
return reply
