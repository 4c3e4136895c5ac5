-- Stores the fencing base of a ballot on one server that has voted for it, and extends the vote.
--
-- KEYS  1 lock, 2 token
-- ARGV  1 request   comes back in the reply
--       2 value
--       3 owner     for inspection
--       4 lease     ms, counted from now
--       5 base      of the ballot: the greatest of the bases that a majority has minted, if they differ
-- Reply {request, 1}   stored
--       {request, 0}   the ballot does not have this server's vote; nothing was changed
--
-- The server remembers the base until an hour after its clock has passed it, as record.lua says. It never remembers a
-- smaller one than before.
--
-- Safe to repeat.

--#include record

local value, owner, lease, base = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

if not is_held_by(holder(), value) then
  return { ARGV[1], 0 }
end
-- The flag says that the queue may exist: it has tombstones.
-- The request may arrive after a renewal for longer.
local kept = kept_lease(lease)
keep_token(math.max(base, last_base()), '\n', kept)
hold(value, kept, base, owner, 0)
return { ARGV[1], 1 }
