-- Readers, writers and permits. Scripts include this file after record.lua and queue.lua.
--
--   KEYS[1]  lock     for a writer its record, as in record.lua. For readers and permits a marker, which expires with
--                     the last of their leases:
--                       * TAB format TAB mode TAB in use [LF]
--                       mode    read or permits
--                       in use  how many readers or permits there are; for permits also a slash and the limit of the
--                               client that got the last ones
--                       LF      contenders may wait
--   KEYS[5]  holders  sorted set: the records of the readers or of the holders of permits, by the times at which their
--                     leases end. A record is as in record.lua, and its count as in a queue entry.
--
-- A record in KEYS[5] is a hold only while KEYS[1] has the marker. The grant that finds no marker deletes KEYS[5]. So
-- if the lock key has ended in whatever way, all holds have ended with it, and no later marker revives one of them. A
-- record has the value of its contender and the base of its grant: no other hold has the same record, ever.
--
-- The number in use is that of the records in KEYS[5]. A script that drops the records of leases that have ended
-- corrects it in the same step. If KEYS[5] is lost, the marker keeps the lock busy until the last lease has ended.
--
-- A script changes the state in its variables and in KEYS[5], serves the waiters, and then writes the lock key, in
-- `settle`.

local MOST_GRANTS = 64

local record = holder()
local held, in_use, limit = string.match(record or '', '^%*\t1\t(%a+)\t(%d+)/?(%d*)\n?$') -- held: the mode
in_use = tonumber(in_use or 0)
if record and not held then
  held = 'other' -- a writer, or another program
end

local writer, writer_lease -- the record of a writer that this script has made, and its lease in ms
local has_kept = false -- whether this script has added a record to KEYS[5], or extended a lease there
local longest -- of the leases in KEYS[5], in ms, once the script knows it
local served = {} -- the handoffs of this script

local function is_shared()
  return held == 'read' or held == 'permits'
end

-- Returns the number of a record in KEYS[5].
local function number_of(shared)
  return tonumber(string.match(shared, '^%S+\t1\t%a+\t(%d+)'))
end

-- Removes a record from KEYS[5]. Returns whether it was there.
local function end_hold(ended)
  local found = redis.call('ZREM', KEYS[5], ended) == 1
  if found then
    in_use = in_use - number_of(ended)
    if in_use <= 0 then
      held = nil
    end
  end
  return found
end

local function drop_expired()
  if is_shared() then
    for _, expired in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', '(' .. text(now))) do
      end_hold(expired)
    end
  end
end

-- Returns how long a lease still lasts, in ms, rounded up.
local function left_until(score)
  return math.max(1, math.ceil((score - now) / 1000))
end

-- Returns how long the last lease of a reader or of permits still lasts, in ms; 0 if nobody has one.
local function left()
  if not longest then
    local latest = redis.call('ZRANGE', KEYS[5], -1, -1, 'WITHSCORES')[2]
    longest = latest and left_until(latest) or 0
  end
  return longest
end

-- Returns the record that the contender has in KEYS[5], or nil.
local function own_record(value)
  if is_shared() then
    for _, each in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
      if is_held_by(each, value) then
        return each
      end
    end
  end
end

-- Returns each holder's record and its time left in ms.
local function current_holders()
  local holders = {}
  if is_shared() then
    local found = redis.call('ZRANGEBYSCORE', KEYS[5], text(now), '+inf', 'WITHSCORES')
    for i = 1, #found, 2 do
      holders[i], holders[i + 1] = found[i], left_until(found[i + 1])
    end
  elseif record then
    holders = { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }
  end
  return holders
end

-- Returns whether a request for this mode and count fits beside the present holders.
local function fits(mode, count)
  if held and held ~= mode then
    return false
  end
  if mode == 'permits' then
    local permits, most = string.match(count, '^(%d+)/(%d+)$')
    return permits and (not held or in_use + permits <= tonumber(most))
  end
  return count == '1' and (mode == 'read' or mode == 'write' and not held)
end

-- Adds a record to KEYS[5], or extends its lease. A lease that lasts longer is not shortened, because a repeated
-- request may arrive after a renewal for longer.
local function keep_record(kept, lease)
  redis.call('ZADD', KEYS[5], 'GT', text(now + lease * 1000), kept)
  has_kept = true
  longest = longest and math.max(longest, lease)
end

-- Grants what fits. Writes the token first: if the server refuses that, or a later write, nobody holds the lock.
local function share(value, mode, count, lease, base, owner)
  local granted = record_of(value, mode, count, base, owner)
  if not held then
    in_use, longest = 0, 0
  end
  keep_token(base, '\t' .. KINDS[mode], math.max(lease, left()))
  if not held then
    redis.call('DEL', KEYS[5])
  end
  if mode == 'write' then
    writer, writer_lease = granted, lease
  else
    keep_record(granted, lease)
    in_use = in_use + string.match(count, '^%d+')
    limit = string.match(count, '/(%d+)$')
  end
  held = mode
end

-- Serves the waiters at the head of the queue as long as they fit, up to this contender's own entry. Returns the entry
-- that is first then, or nil.
local function serve(own)
  for _ = 1, MOST_GRANTS do
    local entry = first_entry()
    local mode, count, value, channel, lease, owner =
      string.match(entry or '', '^1\t(%a+)\t([%d/]+)\t(%S+)\t([^\t]+)\t(%d+)\t(.*)$')
    if entry == own or not fits(mode, count) then
      return entry
    end
    local base = mint(0)
    share(value, mode, count, tonumber(lease), base, owner)
    drop_entry(entry)
    served[#served + 1] = { channel, 'granted ' .. value .. ' ' .. text(base) }
  end
  return first_entry()
end

-- Writes the lock key, if it changes, and announces the handoffs. The lock key follows all that may fail, so that it
-- never counts fewer holders than there are records.
local function settle()
  local flag = first_entry() and '\n' or ''
  if not held then
    redis.call('DEL', KEYS[1])
  elseif held == 'write' then
    redis.call('SET', KEYS[1], writer .. flag, 'PX', writer_lease)
  elseif is_shared() then
    local number = text(in_use) .. (held == 'permits' and '/' .. limit or '')
    local marked = '*\t1\t' .. held .. '\t' .. number .. flag
    if (has_kept or marked ~= record) and left() > 0 then
      redis.call('SET', KEYS[1], marked, 'PX', left())
      redis.call('PEXPIRE', KEYS[5], left())
    end
  end
  for _, each in ipairs(served) do
    announce(each[1], each[2])
  end
end
