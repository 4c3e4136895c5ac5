-- Stores a request to release the lock, for the holders that there are. Changes no hold, and sends the client of a
-- sticky hold its message.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders, 6 requested
-- ARGV  1 request     comes back in the reply
--       2 id          of the request to release
--       3 requester   who asks, as the owner in a record
-- Reply {request, n}   how many holders it is for; 0 if there is none, and then nothing is stored
--
--   KEYS[6]  requested  string; expires after a minute. The last request to release:
--                         format TAB base TAB time TAB id TAB requester
--                         base   the greatest one of the holders. Each later grant has a greater one. So the request is
--                                for each hold whose grant has a base that is not greater.
--                         time   microseconds since 1970
--                         and the other fields are as in a record, and as in the arguments
--
-- A kept lock has no holder, and neither has one that only a lock delay keeps. A program without this library cannot
-- hear of a request, and does not count.

--#include record
--#include queue
--#include shared
--#include over

local REQUEST_KEPT = 60000 -- ms

require_primary()
local holders = current_holders()
local count, greatest = 0, 0
for i = 1, #holders, 2 do
  local base = base_of(holders[i])
  if base > 0 and not is_held_by(holders[i], 'kept') and not is_over(holders[i], holders[i + 1]) then
    count = count + 1
    greatest = math.max(greatest, base)
  end
end
if count > 0 then
  local stored = '1\t' .. text(greatest) .. '\t' .. text(now) .. '\t' .. ARGV[2] .. '\t' .. ARGV[3]
  redis.call('SET', KEYS[6], stored, 'PX', REQUEST_KEPT)
  announce_wanted(record)
end
return with_notices(count)
