-- What the other scripts share; it stands in front of each of them.
--
-- The last of ARGV names the request, and comes back beside what the script answers: { request, answer }.
--
-- KEYS of every script, all in one slot:
--   1 lock    string: the holder's value; expires with the holder's lease
--   2 fence   string: the last grant, as "base TAB value TAB owner"; outlives the hold, so that bases rise
--   3 queue   sorted set: places by the time at which they first asked; and tombstones, behind all places
--   4 heard   sorted set: the same places by the time until which their client counts as alive
--
-- A place is "value TAB hand-over lease in ms TAB owner". A tombstone is "void TAB value": that value is never granted again,
-- however late a request for it arrives.
--
-- Why this is safe: a script runs alone, and all of its time is the server's. The lock key is the only truth about who holds the
-- lock; it is written by `give` alone, which no script calls unless the key is absent or holds the value that is being given
-- again, or the holder itself asks for the end of its hold. Each gift mints a base above all that this server remembers, and not
-- below its clock, so that bases rise even where the memory was lost.

local lock, fence, queue, heard = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local TOMBSTONES = 8e15 -- scores of places are microseconds since 1970, which stay below this until the year 2223
local MOST_TOMBSTONES = 1000
local TOMBSTONE_KEPT = 60000 -- ms; longer than a request can be under way
local FENCE_KEPT = 3600000 -- ms beyond the lease

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function text(number)
  return string.format('%.0f', number)
end

-- The value of the holder, false when there is none; another text when something else is at the key.
local function holder()
  local value = redis.pcall('GET', lock)
  if type(value) == 'table' then
    if string.find(value.err, 'WRONGTYPE', 1, true) then
      return 'not a string'
    end
    return redis.call('GET', lock) -- raises what it was, in the server's own words
  end
  return value
end

-- Removes nothing, but a replica refuses it, so that it never says of a hold which it has not heard of yet that it is gone.
local function require_primary()
  redis.call('ZREMRANGEBYSCORE', queue, '(0', '(0')
end

-- Base, value and owner.
local function last_grant()
  local base, value, owner = string.match(redis.call('GET', fence) or '', '^(%d+)\t(%S+)\t(.*)$')
  return tonumber(base or 0), value, owner or ''
end

local function mint(floor)
  return math.max(now, last_grant() + 1, floor + 1)
end

-- What a later hand-over exceeds.
local function marker()
  return text(math.max(now, (last_grant())))
end

local function give(value, lease, base, owner)
  redis.call('SET', lock, value, 'PX', lease)
  redis.call('SET', fence, text(base) .. '\t' .. value .. '\t' .. owner, 'PX', text(lease + FENCE_KEPT))
end

-- Keeps a key for at least that long, and for longer if something else in it needs that.
local function keep(key, ms)
  if redis.call('PTTL', key) < ms then
    redis.call('PEXPIRE', key, ms)
  end
end

-- The keys go when the last client counts as dead, also when no client asks for this lock again.
local function keep_place(place, alive_for)
  if not redis.call('ZSCORE', queue, place) then
    redis.call('ZADD', queue, text(now), place)
  end
  redis.call('ZADD', heard, text(now + alive_for * 1000), place)
  keep(queue, alive_for)
  keep(heard, alive_for)
end

local function drop_place(place)
  redis.call('ZREM', queue, place)
  redis.call('ZREM', heard, place)
end

-- The first place whose client is alive; those before it are dropped.
local function first_place()
  while true do
    local place = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    if not place[1] or tonumber(place[2]) >= TOMBSTONES then
      return nil
    end
    local alive_until = redis.call('ZSCORE', heard, place[1])
    if alive_until and tonumber(alive_until) >= now then
      return place[1]
    end
    drop_place(place[1])
  end
end

local function hand_over_to(place)
  local value, lease, owner = string.match(place, '^(%S+)\t(%d+)\t(.*)$')
  drop_place(place)
  local base = mint(0)
  give(value, tonumber(lease), base, owner)
  -- A hint: a client that does not hear it finds out with its next heartbeat.
  redis.pcall('PUBLISH', 'distlock:' .. string.match(value, '^[^:]+'), 'granted ' .. value .. ' ' .. text(base))
end

-- Ends the present hold, if any: the next place gets the lock, else it is free.
local function serve_next()
  local place = first_place()
  if place then
    hand_over_to(place)
  else
    redis.call('DEL', lock)
  end
end

local function bury(value)
  redis.call('ZREMRANGEBYSCORE', queue, text(TOMBSTONES), text(TOMBSTONES + now / 1000 - TOMBSTONE_KEPT))
  local too_many = redis.call('ZCOUNT', queue, text(TOMBSTONES), '+inf') - MOST_TOMBSTONES
  if too_many > 0 then
    local first = redis.call('ZCOUNT', queue, 0, '(' .. text(TOMBSTONES))
    redis.call('ZREMRANGEBYRANK', queue, first, first + too_many)
  end
  redis.call('ZADD', queue, text(TOMBSTONES + now / 1000), 'void\t' .. value)
  keep(queue, TOMBSTONE_KEPT)
end

local function is_buried(value)
  return redis.call('ZSCORE', queue, 'void\t' .. value)
end

