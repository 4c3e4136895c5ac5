-- Whether only a lock delay keeps a record. Scripts that name all holders include this file.

-- Returns whether only a lock delay keeps the record: see lease.lua.
local function is_over(each, left)
  local delay =
    string.match(each, '^%S+\t1\tlock\t1\t%d+\t[^\t]*\t%d+\t[^\t]*\t[^\t]*\t\t(%d+)\n?$')
  return delay and left <= tonumber(delay)
end
