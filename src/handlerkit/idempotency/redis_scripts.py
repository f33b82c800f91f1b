"""The steps of the state machine as Lua for Redis 5 and later. Each answers with the record as it stands afterwards.

Numbers stay below 2^53, where Lua's are exact. `KEYS[1]` is the record; a time of 0 asks the server for it.
"""

from __future__ import annotations

__all__ = ["CLAIM", "COMPLETE", "RELEASE", "Script"]


class Script:
    """A script and the name that Redis keeps it under."""

    __slots__ = ("sha1", "text")

    def __init__(self, text: str) -> None:
        from hashlib import sha1

        self.text = text
        self.sha1 = sha1(text.encode(), usedforsecurity=False).hexdigest()


# Redis forgets a record by its own clock; a little later than its time is over, which the scripts look at.
READ = """
local now = tonumber(ARGV[2])
if now == 0 then local t = redis.call('TIME'); now = t[1] * 1000 + math.floor(t[2] / 1000) end
local function number(n) return string.format('%.0f', n) end
local function read()
  local r = redis.call('HMGET', KEYS[1], 'owner', 'completed', 'lease', 'expires', 'data', 'fingerprint')
  if r[1] then return r end
end
local r = read()
"""

CLAIM = Script(
    READ
    + """
local free = not r
if r then
  if r[2] == '1' then free = now >= tonumber(r[4]) else free = now >= tonumber(r[3]) end
end
if free then
  local lease = now + ARGV[3]
  local expires = math.max(now + ARGV[4], lease)
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'completed', '0', 'lease', number(lease), 'expires', number(expires),
    'data', '', 'fingerprint', ARGV[5])
  redis.call('PEXPIRE', KEYS[1], number(expires - now + 60000))
  r = read()
end
return r
"""
)

COMPLETE = Script(
    READ
    + """
if r and r[1] == ARGV[1] and r[2] == '0' then
  redis.call('HSET', KEYS[1], 'completed', '1', 'expires', number(now + ARGV[3]), 'data', ARGV[4],
    'fingerprint', ARGV[5])
  redis.call('PEXPIRE', KEYS[1], number(ARGV[3] + 60000))
  r = read()
end
return r or {}
"""
)

RELEASE = Script(
    """
local r = redis.call('HMGET', KEYS[1], 'owner', 'completed')
if r[1] == ARGV[1] and r[2] == '0' then redis.call('DEL', KEYS[1]) end
return 1
"""
)
