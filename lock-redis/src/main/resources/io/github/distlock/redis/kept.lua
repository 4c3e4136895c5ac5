-- Keeps a lock busy after its release or its loss. Scripts include this file after record.lua.
--
-- The lock key then has a record of the kind "kept":
--   kept TAB format TAB kind TAB count TAB base TAB owner
-- It is no contender's, because no contender has the value "kept". So no release, renewal or withdrawal changes it.
-- The lock delay of the former hold is not a part of it.
-- It counts as a holder until the key expires, also for clients that do not know this kind.

local function keep(record, ms)
  local base, owner = string.match(record, '^%S+\t1\tlock\t1\t(%d+)\t([^\n]*)')
  owner = string.match(owner, '^(.-)\t\t%d+$') or owner
  redis.call('SET', KEYS[1], 'kept\t1\tkept\t1\t' .. base .. '\t' .. owner, 'PX', ms)
end
