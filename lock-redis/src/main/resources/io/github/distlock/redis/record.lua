-- The holder's record and the fencing tokens. Scripts include this file.
--
--   KEYS[1]  lock    string; expires with the holder's lease, or the lock delay later. The holder's record:
--                      value TAB format TAB mode TAB count TAB base TAB owner [LF]
--                      value   unique to the contender, so that no other contender's record starts with it
--                      format  1
--                      mode    lock, or write for the writer of a read-write lock
--                      count   1
--                      owner   host TAB process TAB client TAB thread; for a sticky hold also TAB channel, where its
--                              client hears of other contenders; for a hold with a lock delay also TAB TAB delay,
--                              in ms
--                      LF      contenders may wait, so that the release has to serve the queue
--                    kept.lua describes the record of a lock that is busy after its release.
--                    Readers and permits have a marker there, and their records elsewhere: see shared.lua.
--   KEYS[2]  token   string: base [LF], or base TAB kind. The last base, which outlives the hold, so that bases
--                    increase.
--                      LF      the queue may exist, so that an acquire has to look at it
--                      kind    of the name, read-write or permits; a lock has none, so that acquire-free.lua finds a
--                              text of another length, and leaves the refusal to acquire.lua
--                    It expires an hour after the lease or, if that is later, an hour after the server's clock has
--                    passed the base. A base lies ahead of the clock if the clock was set back. The client can set
--                    another time than an hour: the line "#token-kept" stands for it.
--
-- The lock key alone decides who holds the lock. Only `hold`, acquire-free.lua and next-base.lua write a record. They
-- do so only if the key is absent, if the present holder asks for the end of its hold, or if the record is the
-- contender's own. A record of another format or mode, and a key that another program has set, count as a holder.
--
-- A name has one kind, which the record, the token and the first queue entry say. A request of another kind is refused.
--
-- Each grant mints a base that is greater than the last one and not below the server's clock. So bases increase even if
-- the server has lost its data.

--#token-kept
-- Of the queue, which queue.lua describes.
local TOMBSTONES = 8e15 -- scores of entries are microseconds since 1970, which stay below this until the year 2223
local NEAR = 16 -- the entries that need a heartbeat each second

-- The kind of a name, by the mode of a record or queue entry.
local KINDS = { lock = 'lock', kept = 'lock', read = 'read-write', write = 'read-write', permits = 'permits' }

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function text(number)
  return string.format('%.0f', number)
end

-- Changes nothing, but a replica refuses it. So a replica never reports a hold that it does not know as lost. And a
-- server that is out of memory executes all that follows, because it refuses only the first write of a script.
local function require_primary()
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '(0', '(0')
end

-- Returns the holder's record, false if the lock is free, and 'not a string' if the key has another type.
local function holder()
  local record = redis.pcall('GET', KEYS[1])
  if type(record) == 'table' then
    if string.find(record.err, 'WRONGTYPE', 1, true) then
      return 'not a string'
    end
    return redis.call('GET', KEYS[1]) -- raises the error in the server's words
  end
  return record
end

local function is_held_by(record, value)
  return record and string.find(record, value .. '\t', 1, true) == 1
end

-- Returns the lease of a contender's own hold that a repeated request finds. The request may arrive after a renewal for
-- longer.
local function kept_lease(lease)
  return math.max(lease, redis.call('PTTL', KEYS[1]))
end

-- Returns the base of a record of this format, otherwise 0.
local function base_of(record)
  return tonumber(string.match(record or '', '^%S+\t1\t%a+\t[%d/]+\t(%d+)\t') or 0)
end

local token -- once it has been read or written

local function last_token()
  token = token or redis.call('GET', KEYS[2]) or ''
  return token
end

local function last_base()
  return tonumber(string.match(last_token(), '^%d+') or 0)
end

-- Returns the kind of which a record says that the name has it, or else the token; nil if neither says any.
local function kind_of(record)
  local kind = KINDS[string.match(record or '', '^%S+\t1\t(%a+)\t')]
  if kind or last_token() == '' then
    return kind
  end
  local suffix = string.match(token, '^%d+\t([%a-]+)')
  return (suffix == 'read-write' or suffix == 'permits') and suffix or 'lock'
end

-- Returns a base above the floor, for a server that cannot read the last one.
local function mint_alone(floor)
  return math.max(now, floor + 1)
end

local function mint(floor)
  return math.max(mint_alone(floor), last_base() + 1)
end

-- Each later handoff has a greater base.
local function marker()
  return text(math.max(now, last_base()))
end

local function record_of(value, mode, count, base, owner)
  return value .. '\t1\t' .. mode .. '\t' .. count .. '\t' .. text(base) .. '\t' .. owner
end

-- Writes the record. `waiters` is how many contenders may wait.
local function hold(value, lease, base, owner, waiters)
  redis.call('SET', KEYS[1], record_of(value, 'lock', '1', base, owner) .. (waiters > 0 and '\n' or ''), 'PX', lease)
end

local function keep_token(base, rest, lease)
  local ahead = math.max(0, base - now) / 1000
  redis.call('SET', KEYS[2], text(base) .. rest, 'PX', text(lease + TOKEN_KEPT + ahead))
  token = text(base) .. rest
end

-- Writes the token first: if the server refuses one of the two writes, nobody holds the lock. `members` is how
-- many other members the queue has, and `waiters` is how many of them are entries.
local function grant(value, lease, base, owner, members, waiters)
  keep_token(base, members > 0 and '\n' or '', lease)
  hold(value, lease, base, owner, waiters)
end
