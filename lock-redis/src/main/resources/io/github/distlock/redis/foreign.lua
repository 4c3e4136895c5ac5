-- Programs that share the lock key and are not in the queue, because they poll with SET NX PX. Scripts include this
-- file after record.lua and queue.lua.
--
-- While such a program holds the lock, no message tells the waiters when that ends. So the first waiter polls, and no
-- other waiter does.
--
-- A handoff never frees the lock. So a release can yield the lock to such programs first. It puts this entry before all
-- others, and frees the lock:
--   format TAB mode TAB "yield"
-- No script serves the entry. So no contender acquires the lock until the time of the entry is over, or until another
-- program holds the lock. Then the first waiter gets its turn. The mode is that of the first waiter, so that the kind
-- of the name stays known.

local LONGEST_YIELD = 1000 -- ms; clients ask for no longer one

-- Returns whether another program has written the record. In each format of this library, the second field is a number.
local function is_foreign(record)
  return record and record ~= 'not a string' and not string.find(record, '^%S+\t%d+\t')
end

local function is_yield(entry)
  return entry and string.find(entry, '^1\t%a+\tyield$')
end

-- Delays the next handoff if a contender waits. A message makes the first waiter ask, and the reply says when to ask
-- again. Without the message, the waiter finds out with a heartbeat.
local function yield(ms)
  local mode, value, channel =
    string.match(ms > 0 and first_entry() or '', '^1\t(%a+)\t[%d/]+\t(%S+)\t([^\t]+)\t')
  if value then
    head = '1\t' .. mode .. '\tyield'
    add(0, head)
    keep_alive(ms, text(now + ms * 1000), head)
    announce(channel, 'kept ' .. value)
  end
end

-- Drops a yield that would last for longer than any may, because the clock was set back. While a yield lasts, it keeps
-- the lock from all waiters.
local function drop_overlong_yield()
  if is_yield(first_entry()) and redis.call('ZSCORE', KEYS[4], head) - now > LONGEST_YIELD * 1000 then
    drop_entry(head)
  end
end

-- Returns for how long the lock is left to other programs, in ms, if the entry is that of the first waiter; otherwise
-- nil.
local function yield_left(entry)
  if is_yield(first_entry()) and redis.call('ZRANGE', KEYS[3], 1, 1)[1] == entry then
    return math.ceil((redis.call('ZSCORE', KEYS[4], head) - now) / 1000)
  end
end

-- Returns a digest of the record if another program holds the lock, and if the entry is that of the first waiter;
-- otherwise nil. A program that holds the lock ends the yield.
local function foreign_hold(record, entry)
  if not is_foreign(record) then
    return nil
  end
  if is_yield(first_entry()) then
    drop_entry(head)
  end
  return first_entry() == entry and redis.sha1hex(record) or nil
end
