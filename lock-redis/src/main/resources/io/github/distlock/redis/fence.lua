-- Runs one command of an application, unless a greater fencing token was seen for the command's first key.
--
-- KEYS  1 fence, 2 first key of the command, 3 and so on: its other keys
-- ARGV  1 token      19 digits
--       2 kept for   ms from the last accepted command until the server forgets the token; '0' keeps it
--       3 command
--       4 and so on: what follows the first key in the command
-- Reply that of the command. Or one of these errors, after which the keys are as before:
--       STALETOKEN highest   a greater token was seen: this one
--       an error of the command, or of the server
--
--   KEYS[1]  fence   string: the greatest token, 19 digits. If no command has succeeded yet, it may be zeros.
--
-- A number of Lua has 53 bits, and a token has up to 63. So tokens are compared as texts of one length.
--
-- The token is stored before the command runs: if the server refuses to store it, no command runs without a fence. If
-- the command fails, the former token takes its place again.
--
-- Safe to repeat if the command is: an equal token passes.

local token, former = ARGV[1], redis.call('GET', KEYS[1]) or string.rep('0', 19)

local function keep(highest)
  if ARGV[2] == '0' then
    redis.call('SET', KEYS[1], highest)
  else
    redis.call('SET', KEYS[1], highest, 'PX', ARGV[2])
  end
end

if #former ~= 19 or string.find(former, '%D') then
  return { err = 'ERR the key of the fence has no fencing token: ' .. KEYS[1] }
end
if token < former then
  return { err = 'STALETOKEN ' .. former }
end
keep(token)
local reply = redis.pcall(ARGV[3], KEYS[2], unpack(ARGV, 4))
if type(reply) == 'table' and reply.err then
  keep(former)
end
return reply
