-- Replaces or removes what is stored, if it is what the caller saw.
-- ARGV: what was seen; its length where that is a digest, or nothing; what to store; for how many milliseconds.
-- Without something to store, or for no time at all, it is removed. Gives 1 if done, 0 if missing, -1 if changed.
local stored = redis.call('GET', KEYS[1])
if not stored then
  return 0
end
if ARGV[2] ~= '' then
  stored = #stored == tonumber(ARGV[2]) and redis.sha1hex(stored)
end
if stored ~= ARGV[1] then
  return -1
end
if not ARGV[3] or ARGV[4] == '0' then
  redis.call('UNLINK', KEYS[1])
elseif ARGV[4] then
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[3])
end
return 1
