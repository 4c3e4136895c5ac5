-- Mints another base for a hold of a lock that no contender waits for. Otherwise it changes nothing.
--
-- KEYS  1 lock, 2 token
-- ARGV  1 request      comes back in the reply
--       2 record       of the hold, without the flag of waiters
--       3 value        unique to the contender
--       4 owner        for inspection
--       5 token kept   ms, beyond a base that lies ahead of the clock; as in record.lua
-- Reply {request, base}   the record and the token have this base; the lease is as before
--       request           another contender waits or has waited, another request has changed the base, or the hold is
--                         gone
--
-- Safe to repeat: the first copy of the request changes the record, so a later copy changes nothing. It never creates a
-- hold, because it writes the record only in place of the hold's own.

if redis.pcall('GET', KEYS[1]) == ARGV[2] then
  local last = redis.call('GET', KEYS[2])
  local time = redis.call('TIME')
  local base = time[1] .. string.sub('00000', #time[2]) .. time[2]
  -- As acquire-free.lua does: a token that is missing, that is too great or that has the flag of a queue is left alone.
  if last and #last == #base and last < base then
    -- The token comes first: if the server refuses one of the two writes, the record has a base below the token.
    redis.call('SET', KEYS[2], base, 'PX', ARGV[5])
    redis.call('SET', KEYS[1], ARGV[3] .. '\t1\tlock\t1\t' .. base .. '\t' .. ARGV[4], 'KEEPTTL')
    return { ARGV[1], base }
  end
end
return ARGV[1]
