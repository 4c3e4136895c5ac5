-- Takes back whatever a contender may have left: its place, and a hold that no attempt has returned.
--
-- KEYS  as in queue.lua
-- ARGV  1 value
--       2 place         '' for a single try
--       3 bury          '1' when an attempt's outcome is unknown: its request may arrive after this one
-- Reply 1
--
-- Safe to repeat, and safe against a hand-over that happens at the same time: place and hold go in one step, and the next place
-- is served in the same one.

local value, place = ARGV[1], ARGV[2]

if place ~= '' then
  drop_place(place)
end
if ARGV[3] == '1' then
  bury(value)
end
local current = holder()
if current == value then
  serve_next()
elseif not current then
  local first = first_place()
  if first then
    hand_over_to(first)
  end
end
return 1
