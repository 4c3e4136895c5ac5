-- Asks once for the lock: SET value NX PX with a queue around it and a fencing base minted in the same step.
--
-- KEYS  as in queue.lua
-- ARGV  1 value         unique to this contender
--       2 lease         ms
--       3 floor         a base that the new one must exceed: the greatest that this client has seen
--       4 owner         for inspection
--       5 place         of a contender that waits; '' for a single try, which leaves nothing when the lock is busy
--       6 alive for     ms without a heartbeat after which the place is skipped
-- Reply {1, base}                the lock is ours, for the full lease from now
--       {0, ttl, marker}         busy; ttl in ms, -1 for a key without expiry, -2 for a key that is no string; a later hand-over
--                                has a base above the marker
--       {-1}                     this value was withdrawn, and a late duplicate of its request has arrived
--
-- Safe to repeat: when the lock already holds this value, an earlier request with an unknown outcome has won it, or the lock
-- was handed over; then the answer is the same base. Foreign clients that use SET NX PX with compare-and-delete are excluded,
-- and exclude us.

local value, lease, floor, owner, place = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]

if is_buried(value) then
  return { -1 }
end

local current = holder()
if current == value then
  local base, granted_to = last_grant()
  if granted_to ~= value or base <= floor then
    base = mint(floor)
  end
  give(value, lease, base, owner)
  return { 1, text(base) }
end

if not current then
  local first = first_place()
  if not first or first == place then
    local base = mint(floor)
    if first then
      drop_place(place)
    end
    give(value, lease, base, owner)
    return { 1, text(base) }
  end
  hand_over_to(first)
end

if place ~= '' then
  keep_place(place, tonumber(ARGV[6]))
end
local ttl = redis.call('PTTL', lock)
if current == 'not a string' then
  ttl = -2
end
return { 0, ttl, marker() }
