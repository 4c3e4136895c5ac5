-- What the scripts of heartbeats share. They include this file after record.lua, queue.lua and foreign.lua. Their
-- arguments are those of heartbeat.lua.

-- Keeps all entries that the queue has. Returns when their next heartbeats are due, in ms, by entry.
local function keep_all()
  local entries = {}
  for i = 5, #ARGV, 2 do
    entries[#entries + 1] = ARGV[i]
  end
  return keep_waiting(entries, tonumber(ARGV[2]), tonumber(ARGV[3]))
end

-- Returns the reply. `interval_of` returns a contender's interval, or nothing if the contender has to ask again.
local function answers(record, interval_of)
  local parts = { marker() }
  local foreign = is_foreign(record)
  for i = 4, #ARGV, 2 do
    local interval = interval_of(ARGV[i], ARGV[i + 1])
    parts[#parts + 1] = interval or 0
    if interval and foreign then
      parts[#parts + 1] = foreign_hold(record, ARGV[i + 1])
    end
  end
  return with_notices(unpack(parts))
end
