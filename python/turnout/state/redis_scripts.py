"""What a Redis server does for a store in one step each, in Lua.

Keys: meta (a hash), lock, sizes (a hash: bytes of each generation of the log), and the prefix of the lists ``log:N``
and of ``snapshot:N``. N is a generation: snapshot N covers the lists before list N.
"""

from __future__ import annotations

OPEN = """
local meta, lock = KEYS[1], KEYS[2]
local holder = redis.call('GET', lock)
if holder and holder ~= ARGV[1] then return redis.error_reply('HELD ' .. holder) end
redis.call('HSETNX', meta, 'format', ARGV[4])
redis.call('HSETNX', meta, 'space', ARGV[5])
redis.call('HSETNX', meta, 'replica', ARGV[6])
redis.call('HSETNX', meta, 'generation', 0)
local run = redis.call('HINCRBY', meta, 'run', 1)
redis.call('SET', lock, ARGV[2], 'PX', ARGV[3])
return {redis.call('HGET', meta, 'replica'), run}
"""
"""ARGV: a holder that is known to be dead, this holder, lease in ms, format, space, replica if there is none."""

# ARGV: replica, run, space, format, holder, lease in ms. A server that has forgotten all is told who writes.
_MINE = """
local meta, lock, sizes, prefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local owner = redis.call('HMGET', meta, 'replica', 'run')
if not owner[1] then
  redis.call('HSET', meta, 'replica', ARGV[1], 'run', ARGV[2], 'space', ARGV[3], 'format', ARGV[4], 'generation', 0)
elseif owner[1] ~= ARGV[1] or owner[2] ~= ARGV[2] then
  return redis.error_reply('HELD ' .. (redis.call('GET', lock) or 'another process'))
end
redis.call('SET', lock, ARGV[5], 'PX', ARGV[6])
local generation = redis.call('HGET', meta, 'generation')
local log = prefix .. 'log:' .. generation
"""

RENEW = (
    _MINE
    + """
redis.call('HSET', meta, 'renewed', ARGV[5])
return {tonumber(generation), redis.call('LLEN', log)}
"""
)

APPEND = (
    _MINE
    + """
redis.call('HINCRBY', sizes, generation, #ARGV[7])
return {tonumber(generation), redis.call('RPUSH', log, ARGV[7])}
"""
)
"""ARGV[7]: the bytes."""

COMPACT = (
    _MINE
    + """
generation = redis.call('HINCRBY', meta, 'generation', 1)
redis.call('SET', prefix .. 'snapshot:' .. generation, ARGV[7])
redis.call('UNLINK', prefix .. 'snapshot:' .. (generation - 2))
local bytes, old = {}, {}
local flat = redis.call('HGETALL', sizes)
for i = 1, #flat, 2 do
  local number = tonumber(flat[i])
  bytes[number] = tonumber(flat[i + 1])
  if number < generation - 1 then old[#old + 1] = number end
end
table.sort(old, function(a, b) return a > b end)
local room = tonumber(ARGV[8])
for _, number in ipairs(old) do
  room = room - bytes[number]
  if room < 0 then
    redis.call('UNLINK', prefix .. 'log:' .. number)
    redis.call('HDEL', sizes, number)
  end
end
return {generation, 0}
"""
)
"""ARGV[7]: the snapshot; ARGV[8]: bytes of history to keep."""

LEASE = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return 0
"""

CLOSE = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 0
"""
