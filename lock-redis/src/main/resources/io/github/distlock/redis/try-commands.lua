-- Tries each command of the other scripts, for a health check. It writes to the keys of a name that nobody uses, and
-- leaves nothing there.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request   comes back in the reply
--       2 channel   of messages that nobody reads
-- Reply {request, command, error, command, error, …}: what the server has refused, in its words
--
-- It publishes as the other scripts do. So a proxy that refuses scripts that publish refuses this one, too.

local channel = ARGV[2]
local message = 'health'
local notices = {}
--#publish

local refused = { ARGV[1] }

local function try(command, reply)
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = command
    refused[#refused + 1] = reply.err
  end
end

try('time', redis.pcall('TIME'))
try('set', redis.pcall('SET', KEYS[1], 'health', 'PX', 1000, 'GET'))
try('append', redis.pcall('APPEND', KEYS[1], 's'))
try('get', redis.pcall('GET', KEYS[1]))
try('pttl', redis.pcall('PTTL', KEYS[1]))
try('pexpire', redis.pcall('PEXPIRE', KEYS[1], 1000))
try('del', redis.pcall('DEL', KEYS[1]))
try('zadd', redis.pcall('ZADD', KEYS[3], 'XX', 0, 'health'))
try('zrem', redis.pcall('ZREM', KEYS[3], 'health'))
try('zrange', redis.pcall('ZRANGE', KEYS[3], 0, 0))
try('zrangebyscore', redis.pcall('ZRANGEBYSCORE', KEYS[3], 0, 0))
try('zremrangebyscore', redis.pcall('ZREMRANGEBYSCORE', KEYS[4], 0, 0))
try('zremrangebyrank', redis.pcall('ZREMRANGEBYRANK', KEYS[4], 0, 0))
try('zscore', redis.pcall('ZSCORE', KEYS[4], 'health'))
try('zcount', redis.pcall('ZCOUNT', KEYS[5], 0, 0))
try('zcard', redis.pcall('ZCARD', KEYS[5]))
return refused
