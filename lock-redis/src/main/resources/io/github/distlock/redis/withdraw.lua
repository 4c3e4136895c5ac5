-- Removes everything that a contender may have left: its queue entry, and a hold that no reply has reported.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive
-- ARGV  1 request   comes back in the reply
--       2 value
--       3 entry     '' for a single try
--       4 bury      '1' if a request with this value may arrive after this one
-- Reply {request}
--
-- Safe to repeat, and safe if a handoff happens at the same time: entry and hold end in one step, and the next waiter
-- is served in the same step.

--#include record
--#include queue

if ARGV[3] ~= '' then
  drop_entry(ARGV[3])
end
if ARGV[4] == '1' then
  bury(ARGV[2])
end
local record = holder()
if not record or is_held_by(record, ARGV[2]) then
  serve_next()
end
return with_notices()
