-- Asks one server of a quorum for its vote: SET NX PX with a fencing base. There is no queue entry.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 since
-- ARGV  1 request    comes back in the reply
--       2 value      unique to this ballot
--       3 owner      for inspection
--       4 lease      ms
--       5 floor      the base must be greater: the greatest base that the client knows, or a time that it expects to be
--                    ahead of the clocks of all servers
--       6 longest    ms; no client of the quorum has a longer lease
--       7 restarts   '1' if the server may have lost data in a restart that has kept the key since
-- Reply {request, 1, base, now} granted for the full lease from now. The server has stored the base; raise.lua stores
--                               another one if the servers of the majority do not agree. Now is the server's time, in
--                               microseconds since 1970.
--       {request, 0}            the lock is busy
--       {request, -1}           this value was withdrawn before its request arrived
--       {request, -2, kind}     refused, because the name is used as this kind
--       {request, -3, wait}     the server may have lost a vote that it has given, and votes in `wait` ms
--
--   KEYS[5]  since   string: time TAB run. The server has had all its data since that time, in microseconds since 1970.
--                    The run is the id of the server's process, or empty. The key does not expire.
--
-- A server that has lost its data has lost the key, too. So the first request after that writes the key. A restart may
-- lose the last writes and keep the key, unless each write is on disk before its reply. So another run counts as a
-- loss, unless the client trusts the server to have stored each write. No vote is given until the longest lease has
-- passed since then: by that time, the lease of each vote that was lost has ended.
--
-- Safe to repeat: if the record is the ballot's own, an earlier copy of the request has got the vote.

--#include record
--#include queue

local value, owner, lease, floor, longest = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- Returns for how long the server has had its data, in ms.
local function has_had_its_data_for()
  local since, run = string.match(redis.call('GET', KEYS[5]) or '', '^(%d+)\t(%x*)$')
  local present = run or ''
  if ARGV[7] == '1' then
    present = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  end
  -- If the clock was set back, the key says nothing.
  if not since or run ~= present or tonumber(since) > now then
    since = text(now)
    redis.call('SET', KEYS[5], since .. '\t' .. present)
  end
  return (now - since) / 1000
end

local wait = math.ceil(longest - has_had_its_data_for())
if is_buried(value) then
  return { ARGV[1], -1 }
end
local record = holder()
if is_held_by(record, value) then
  return { ARGV[1], 1, text(base_of(record)), text(now) }
end
if record then
  return { ARGV[1], 0 }
end
local kind = kind_of(record)
if kind and kind ~= 'lock' then
  return { ARGV[1], -2, kind }
end
if wait > 0 then
  return { ARGV[1], -3, wait }
end
local base = mint(floor)
-- The queue may exist: it has tombstones.
keep_token(base, '\n', lease)
hold(value, lease, base, owner, 0)
return { ARGV[1], 1, text(base), text(now) }
