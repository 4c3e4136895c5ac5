-- Ends a hold: compare-and-delete, except that a waiter acquires the lock in the same step.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request   comes back in the reply
--       2 value
--       3 bury      '1' if a copy of a request with this value may still be under way
--       4 yield     ms for which the lock is left to other programs before the first waiter gets it, or 0
--       5 delay     the lock delay in ms, or 0
-- Reply {request}      released now
--       request        released by an earlier request that left a tombstone
--       {request, 0}   the contender does not hold the lock; nothing was changed
--
-- Safe to repeat: a value is never granted twice, so a repeated release finds either its own hold or nothing of its
-- own.

-- The usual handoff comes first. It does what `serve_next` of queue.lua does. It precedes the functions for all other
-- cases, because their definition takes as long as the handoff.

--#include record
--#include lease

require_primary()
local is_held = has_lease(holder(), ARGV[2], ARGV[5])

-- There are no tombstone and no yield to leave, and no entry comes near the head.
if is_held and ARGV[3] == '0' and ARGV[4] == '0' and redis.call('ZCARD', KEYS[3]) <= NEAR then
  local found = redis.call('ZRANGE', KEYS[3], 0, 1, 'WITHSCORES')
  local entry = found[1] or ''
  local value, channel, lease, owner =
    string.match(entry, '^1\tlock\t1\t(%S+)\t([^\t]+)\t(%d+)\t(.*)$')
  if value and tonumber(redis.call('ZSCORE', KEYS[4], entry) or 0) >= now then
    local base = mint(0)
    local waiters = tonumber(found[4] or TOMBSTONES) < TOMBSTONES and 1 or 0
    grant(value, tonumber(lease), base, owner, #found / 2 - 1, waiters)
    redis.call('ZREM', KEYS[4], entry)
    redis.call('ZREM', KEYS[3], entry)
    local notices, message = {}, 'granted ' .. value .. ' ' .. text(base)
    --#publish
    return { ARGV[1], notices[1] }
  end
end

--#include queue
--#include foreign

local was_released = not is_held and is_buried(ARGV[2])
if ARGV[3] == '1' then
  bury(ARGV[2])
end
if is_held then
  yield(tonumber(ARGV[4]))
  serve_next()
  return with_notices()
end
if was_released then
  return ARGV[1]
end
return { ARGV[1], 0 }
