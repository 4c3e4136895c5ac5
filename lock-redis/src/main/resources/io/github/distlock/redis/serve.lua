-- Goes on where another script has stopped: drops entries of silent clients, and serves the waiters.
--
-- KEYS  1 lock, 2 token, 3 queue, 4 alive, 5 holders
-- ARGV  1 request   comes back in the reply
-- Reply {request}

--#include record
--#include queue
--#include shared

if used_kind(record, first_entry()) ~= 'lock' then
  drop_expired()
  serve()
  settle()
elseif not record then
  serve_next()
end
return with_notices()
