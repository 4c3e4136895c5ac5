-- The queue: its entries, its tombstones, and the handoff to the first waiter. Scripts include this file after
-- record.lua.
--
--   KEYS[3]  queue   sorted set: entries by the time at which their contenders first asked; and tombstones, behind all
--                    entries. An entry is
--                      format TAB mode TAB count TAB value TAB channel TAB lease TAB owner
--                      count    1, or for permits their number and the limit of their client, as in 3/10
--                      channel  where the contender's client hears of its handoff
--                      lease    of a handoff, in ms
--                    and the other fields are as in the record. A tombstone is "void TAB value": that value is not
--                    granted again, however late a request for it arrives.
--   KEYS[4]  alive   sorted set: the same entries by the time until which their client counts as alive
--
-- A heartbeat keeps an entry until 3 s after the next heartbeat, which is due after a second for the first 16 entries,
-- and later for others: an entry behind n others needs one each n/16 s. The client says what the longest interval is.
-- If an entry comes among the first 16 long before its next heartbeat is due, it counts as alive for 4 s from then on,
-- and a message calls for a sign of life.
--
-- The entries of silent clients are dropped when they are first. A script drops at most 64. The last part of its reply
-- then says that others may be left, and its client goes on with serve.lua.
--
-- A script serves only entries of the format and mode that it knows. If another entry is first, the script frees the
-- lock, and the client of that entry acquires the lock with its next heartbeat.
--
-- The handoff message repeats the value. Only clients that can read these keys know it. The script publishes the
-- messages, or leaves that to its client: then each reply of a script ends with {channel, message} for each of them.
-- The line "#publish" stands for one of the two.

local MOST_TOMBSTONES = 1000
local TOMBSTONE_KEPT = 60000 -- ms; longer than a request can be under way
local SHORTEST_INTERVAL = 1000 -- ms between two heartbeats of an entry
local TO_ANSWER = 4000 -- ms for the sign of life of an entry that has come near the head
local MOST_DROPPED = 64 -- entries of silent clients, by one script
local UNKNOWN = 'unknown' -- in place of the first entry, while entries of silent clients are before it

local head -- the first entry, once the script has looked for it; false if there is none
local members, waiters -- how many the queue had when the script last looked; 2 stands for 2 and more

local function count_waiters()
  return redis.call('ZCOUNT', KEYS[3], 0, '(' .. text(TOMBSTONES))
end

-- Looks at the queue. Returns its first member, or nil.
local function look()
  local found = redis.call('ZRANGE', KEYS[3], 0, 1, 'WITHSCORES')
  members, waiters = #found / 2, 0
  for i = 2, #found, 2 do
    if tonumber(found[i]) < TOMBSTONES then
      waiters = waiters + 1
    end
  end
  return found[1]
end

-- Grants the lock to a contender that has 0 or 1 entries. Returns how many other members and waiters the queue has.
local function grant_beside_queue(value, lease, base, owner, own_entries)
  if not members then
    look()
  end
  local other_members, other_waiters = members - own_entries, waiters - own_entries
  grant(value, lease, base, owner, other_members, other_waiters)
  return other_members, other_waiters
end

-- Notes in the token of a lock that the queue exists.
local function flag_token()
  if string.find(last_token(), '^[^\t\n]+$') then
    redis.call('APPEND', KEYS[2], '\n')
    token = token .. '\n'
  end
end

local function add(score, member)
  redis.call('ZADD', KEYS[3], text(score), member)
  flag_token()
end

local function keep_queue(ms)
  if redis.call('PTTL', KEYS[3]) < ms then
    redis.call('PEXPIRE', KEYS[3], ms)
  end
end

-- Keeps entries. For each there are two arguments: the time until which it counts as alive, and the entry. Both keys
-- expire when the last client counts as dead.
local function keep_alive(longest, ...)
  keep_queue(longest)
  redis.call('ZADD', KEYS[4], ...)
  if redis.call('PTTL', KEYS[4]) < longest then
    redis.call('PEXPIRE', KEYS[4], longest)
  end
end

-- Adds or keeps an entry.
local function keep_entry(entry, alive_for)
  if redis.call('ZADD', KEYS[3], 'NX', text(now), entry) == 1 then
    flag_token()
    if head == false then
      head = entry
    end
  end
  keep_alive(alive_for, text(now + alive_for * 1000), entry)
end

local notices = {} -- messages for the client to publish; one without a channel if entries of silent clients are left
local dropped = 0 -- entries of silent clients

-- A hint: a client that does not hear it finds out with its next heartbeat.
local function announce(channel, message)
  --#publish
end

-- Notifies the client of a sticky hold that another contender asks. Without this message, the client gives the hold
-- back after some seconds.
local function announce_wanted(record)
  local value, channel = string.match(
    record or '', '^(%S+)\t1\tlock\t1\t%d+\t[^\t\n]*\t%d+\t[^\t\n]*\t[^\t\n]*\t([^\t\n]+)')
  if value then
    announce(channel, 'wanted ' .. value)
  end
end

-- Calls for a sign of life of the entry that has come near the head, if its next heartbeat is due later.
local function call_near()
  local entry = redis.call('ZRANGE', KEYS[3], NEAR - 1, NEAR - 1)[1]
  local alive_until = entry and redis.call('ZSCORE', KEYS[4], entry)
  if alive_until and tonumber(alive_until) > now + TO_ANSWER * 1000 then
    local value, channel = string.match(entry, '^1\t%a+\t[%d/]+\t(%S+)\t([^\t]+)\t')
    if value then
      redis.call('ZADD', KEYS[4], text(now + TO_ANSWER * 1000), entry)
      announce(channel, 'near ' .. value)
    end
  end
end

-- Keeps entries until some time after their next heartbeats. Returns when those are due, in ms, by entry; nothing for
-- those that the queue does not have.
local function keep_waiting(entries, alive_for, longest)
  local intervals, near, kept, latest = {}, {}, {}, 0
  local times = {} -- until which an entry counts as alive, by its interval
  for _, entry in ipairs(redis.call('ZRANGE', KEYS[3], 0, NEAR - 1)) do
    near[entry] = true
  end
  for _, entry in ipairs(entries) do
    local queued_at = not near[entry] and redis.call('ZSCORE', KEYS[3], entry)
    if near[entry] or queued_at then
      local before = queued_at and redis.call('ZCOUNT', KEYS[3], 0, '(' .. queued_at) or 0
      local interval = math.max(SHORTEST_INTERVAL, math.min(longest, math.floor(before / NEAR * SHORTEST_INTERVAL)))
      local kept_for = alive_for + interval - SHORTEST_INTERVAL
      intervals[entry] = interval
      times[interval] = times[interval] or text(now + kept_for * 1000)
      kept[#kept + 1] = times[interval]
      kept[#kept + 1] = entry
      latest = math.max(latest, kept_for)
    end
  end
  if latest > 0 then
    keep_alive(latest, unpack(kept))
  end
  return intervals
end

-- Returns 1 if the queue had the entry, otherwise 0.
local function drop_entry(entry)
  head = nil
  redis.call('ZREM', KEYS[4], entry)
  local had = redis.call('ZREM', KEYS[3], entry)
  call_near()
  return had
end

-- Returns the first entry whose client is alive, and drops those before it; nil if there is none. If too many are
-- before it, returns what no contender has as its entry and what no script serves.
local function first_entry()
  while head == nil do
    local member = look()
    if waiters == 0 then
      head = false
    else
      local alive_until = redis.call('ZSCORE', KEYS[4], member)
      if alive_until and tonumber(alive_until) >= now then
        head = member
      elseif dropped == MOST_DROPPED then
        head = UNKNOWN
      else
        dropped = dropped + 1
        if dropped == MOST_DROPPED then
          notices[#notices + 1] = { '', 'more' }
        end
        drop_entry(member)
      end
    end
  end
  return head or nil
end

-- Returns the kind as which the name is used, or nil. `first` is the first entry.
local function used_kind(record, first)
  return kind_of(record) or KINDS[string.match(first or '', '^1\t(%a+)\t')]
end

local function append(list, more)
  for _, each in ipairs(more) do
    list[#list + 1] = each
  end
  return list
end

-- Returns the reply, with the notices as its last parts.
local function with_notices(...)
  return append({ ARGV[1], ... }, notices)
end

-- Ends the present hold, if any. Returns whether the first waiter holds the lock now; otherwise the lock is free.
local function serve_next()
  local entry = first_entry()
  local value, channel, lease, owner =
    string.match(entry or '', '^1\tlock\t1\t(%S+)\t([^\t]+)\t(%d+)\t(.*)$')
  if not value then
    redis.call('DEL', KEYS[1])
    return false
  end
  local base = mint(0)
  grant_beside_queue(value, tonumber(lease), base, owner, 1)
  drop_entry(entry)
  announce(channel, 'granted ' .. value .. ' ' .. text(base))
  return true
end

-- Leaves a tombstone behind all others, even if the clock was set back. So the oldest are removed first. Those from
-- before that are not removed for their age, but there are at most a thousand, and the queue's expiry removes them.
local function bury(value)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], text(TOMBSTONES), text(TOMBSTONES + now / 1000 - TOMBSTONE_KEPT))
  local too_many = redis.call('ZCOUNT', KEYS[3], text(TOMBSTONES), '+inf') - MOST_TOMBSTONES
  if too_many > 0 then
    local first = count_waiters()
    redis.call('ZREMRANGEBYRANK', KEYS[3], first, first + too_many)
  end
  local newest = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')[2]
  add(math.max(TOMBSTONES + now / 1000, (newest or 0) + 1), 'void\t' .. value)
  keep_queue(TOMBSTONE_KEPT)
end

local function is_buried(value)
  return members ~= 0 and redis.call('ZSCORE', KEYS[3], 'void\t' .. value)
end
