-- Asks once for a read or write lock, or for permits.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  those of acquire.lua: 1 request, 2 value, 3 owner, 4 lease, 5 floor, 6 entry, 7 alive for
--       8 mode       read, write or permits
--       9 count      1, or for permits as in a queue entry
--       10 again     '1' if an earlier request with this value may have been granted
-- Reply {request, 1, base, limit}          the contender has the hold, for the full lease from now
--       {request, 0, ttl, marker, limit}   busy; the ttl is that of the lease that ends first, otherwise as in
--                                          acquire.lua; a digest may follow, as there
--       {request, -1}                      as in acquire.lua
--       {request, -2, kind}                as in acquire.lua
-- The limit is that of the client that got the last permits, or 0.
--
-- The queue decides, and not who asks: first those that wait before this contender are served. The contender gets what
-- it asks for if it fits then, and if nobody waits before it.
--
-- Safe to repeat, as acquire.lua.

--#include record
--#include queue
--#include foreign
--#include shared

local value, owner, lease, floor, entry = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local mode, count = ARGV[8], ARGV[9]

drop_overlong_yield()
local kind = used_kind(record, first_entry())
if is_buried(value) then
  return with_notices(-1)
end
if kind and kind ~= KINDS[mode] then
  return with_notices(-2, kind)
end
if first_entry() == UNKNOWN and not kind then
  return with_notices(0, 1000, marker(), 0) -- the entries that are left may be of another kind
end

drop_expired()
local limit_before = tonumber(limit or '') or 0

if is_held_by(record, value) then
  local base = base_of(record)
  if base <= floor or base < last_base() then
    base = mint(floor)
  end
  share(value, mode, count, kept_lease(lease), base, owner)
  settle()
  return with_notices(1, text(base), 0)
end
local own = ARGV[10] == '1' and own_record(value)
if own then
  keep_record(own, lease)
  serve()
  settle()
  return with_notices(1, text(base_of(own)), limit_before)
end

local first = serve(entry)
if (not first or first == entry) and fits(mode, count) then
  local base = mint(floor)
  share(value, mode, count, lease, base, owner)
  if first then
    drop_entry(entry)
  end
  serve()
  settle()
  return with_notices(1, text(base), limit_before)
end

if entry ~= '' then
  keep_entry(entry, tonumber(ARGV[7]))
  -- A renewal of a writer says whether contenders wait. `settle` writes the other records.
  if held == 'other' and string.find(record, '^%S+\t1\twrite\t1\t[^\n]*$') then
    redis.call('APPEND', KEYS[1], '\n')
  end
end
settle()
local earliest = is_shared() and redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')[2]
local ttl = earliest and left_until(earliest) or redis.call('PTTL', KEYS[1])
if record == 'not a string' then
  ttl = -2
elseif not held then
  ttl = yield_left(entry) or 1000 -- as in acquire.lua
end
return with_notices(0, ttl, marker(), limit_before, foreign_hold(record, entry))
