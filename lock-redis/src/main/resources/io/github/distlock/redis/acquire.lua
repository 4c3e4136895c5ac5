-- Asks once for the lock: SET NX PX with a queue around it and a fencing base minted in the same step.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request     comes back in the reply
--       2 value       unique to this contender
--       3 owner       for inspection
--       4 lease       ms; with the lock delay
--       5 floor       the base must be greater: the greatest base that the client knows
--       6 entry       for the queue; '' for a single try, which leaves nothing if the lock is busy
--       7 alive for   ms without a heartbeat after which the entry is skipped
-- Reply {request, 1, base, members, waiters}   the contender holds the lock, for the full lease from now; the queue has
--                                     other members, of which some are waiters: 0, 1, or 2 for more
--       {request, 0, ttl, marker}     busy; ttl in ms, -1 for a key without an expiry, -2 for one that is not a string;
--                                     each later handoff has a base above the marker
--       {request, 0, ttl, marker, digest}   the same for the first waiter if another program holds the lock: a digest
--                                     of its record
--       {request, -1}                 this value was withdrawn before its request arrived
--       {request, -2, kind}           refused, because the name is used as this kind; nothing was changed
--
-- Safe to repeat: if the record is the contender's own, an earlier copy of the request has acquired the lock, or the
-- lock was handed to it. Then the reply has the same base.

-- The usual wait comes first: behind a hold whose release serves the queue. This does what the end of the script does.
-- It precedes the functions for all other cases, because their definition takes as long as the wait.

--#include record

local value, owner, lease, floor, entry = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local record = holder()

if
  entry ~= ''
  and string.find(record or '', '^%S+\t1\tlock\t1\t%d+\t[^\t]*\t%d+\t[^\t]*\t[^\t]*\n$')
  and not is_held_by(record, value)
  and string.find(last_token(), '^%d+\n$')
  and not redis.call('ZSCORE', KEYS[3], 'void\t' .. value)
then
  local alive_for = tonumber(ARGV[7])
  redis.call('ZADD', KEYS[3], 'NX', text(now), entry)
  redis.call('ZADD', KEYS[4], text(now + alive_for * 1000), entry)
  if redis.call('PTTL', KEYS[3]) < alive_for then
    redis.call('PEXPIRE', KEYS[3], alive_for)
  end
  if redis.call('PTTL', KEYS[4]) < alive_for then
    redis.call('PEXPIRE', KEYS[4], alive_for)
  end
  return { ARGV[1], 0, redis.call('PTTL', KEYS[1]), marker() }
end

--#include queue
--#include foreign

if is_buried(value) then
  return { ARGV[1], -1 }
end

if is_held_by(record, value) then
  local base = base_of(record)
  if base <= floor or base < last_base() then
    base = mint(floor)
  end
  return { ARGV[1], 1, text(base), grant_beside_queue(value, kept_lease(lease), base, owner, 0) }
end

local first
if not record or last_token() == '' then
  drop_overlong_yield()
  first = first_entry()
end
local kind = used_kind(record, first)
if kind and kind ~= 'lock' then
  return with_notices(-2, kind)
end
if first == UNKNOWN and not kind then
  return with_notices(0, 1000, marker()) -- the entries that are left may be of another kind
end

if not record then
  if not first or first == entry then
    local base = mint(floor)
    local others, waiting = grant_beside_queue(value, lease, base, owner, first and 1 or 0)
    if first then
      drop_entry(entry)
    end
    return with_notices(1, text(base), others, waiting)
  end
  if serve_next() then
    record = holder()
  end
end

if entry ~= '' then
  keep_entry(entry, tonumber(ARGV[7]))
  -- A release serves the queue only if its record says so.
  if record and string.find(record, '^%S+\t1\tlock\t1\t[^\n]*$') then
    redis.call('APPEND', KEYS[1], '\n')
  end
end
announce_wanted(record)
local ttl = redis.call('PTTL', KEYS[1])
if record == 'not a string' then
  ttl = -2
elseif not record then
  -- Either the lock is left to other programs for a moment. Or the first waiter's client knows another format, and
  -- takes the lock with its next heartbeat. Or entries of silent clients are before the first waiter, and the client of
  -- this request goes on with serve.lua.
  ttl = yield_left(entry) or 1000
end
return with_notices(0, ttl, marker(), foreign_hold(record, entry))
