-- One decision over one or two rate limits (GCRA), atomically, by this server's clock.
--
-- KEYS: a hash for each limit: `tat` (theoretical arrival time) and for each lease "<tokens> <end>"; last a sorted set
--       of all limits by the time at which they are full again and may be forgotten.
-- ARGV: cost (1 a call, 0 none), life of a lease; then for each limit:
--       interval between tokens, burst, name of our lease, of its tokens: used since the last time, given back, wanted.
-- Answer: allowed (1 or 0); then for each limit: tokens left, tokens leased now, time until it is full, time to wait.
-- All times in microseconds.

local clock = redis.call('TIME')
-- Counted from late 2023, so that fractions of a microsecond keep their precision.
local now = (clock[1] - 1700000000) * 1000000 + clock[2]
local cost, life = tonumber(ARGV[1]), tonumber(ARGV[2])
local allowed = 1
local limits = {}

local endings = table.remove(KEYS)

for i, key in ipairs(KEYS) do
  local at = 3 + (i - 1) * 6
  local interval, burst, name = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2]
  local used, back, want = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])

  local tat, held, leases = 0, 0, {}
  local fields = redis.call('HGETALL', key)
  for f = 1, #fields, 2 do
    if fields[f] == 'tat' then
      tat = tonumber(fields[f + 1])
    else
      local tokens, ends = string.match(fields[f + 1], '^(%S+) (%S+)$')
      -- A failover may have brought a clock that is behind.
      ends = math.min(tonumber(ends), now + life)
      leases[#leases + 1] = {name = fields[f], tokens = tonumber(tokens), ends = ends}
      held = held + tonumber(tokens)
    end
  end

  -- While tokens are held outside, the bucket fills up to burst minus those only: both together never pass burst.
  table.sort(leases, function(a, b) return a.ends < b.ends end)
  local own = 0
  for _, lease in ipairs(leases) do
    if lease.ends <= now then
      tat = math.max(tat, lease.ends + held * interval)
      held = held - lease.tokens
      redis.call('HDEL', key, lease.name)
    elseif lease.name == name then
      own = lease.tokens
    end
  end
  tat = math.min(math.max(tat, now + held * interval), now + burst * interval)

  local rest = math.max(0, own - used)
  back = math.min(back, rest)
  rest = rest - back
  tat = tat - back * interval
  held = held - own + rest

  -- The sum of many intervals may be off by a tiny part of one.
  local free = math.max(0, math.floor(burst - (tat - now) / interval + 0.001))
  if free < cost then allowed = 0 end
  limits[i] = {
    key = key, interval = interval, burst = burst, name = name, want = want,
    tat = tat, held = held, own = own, rest = rest, free = free, leased = 0,
  }
end

local answer = {allowed}
for _, limit in ipairs(limits) do
  local wait = 0
  if allowed == 1 then
    -- Never more than half of what is left, so that the last tokens are there for everybody.
    limit.leased = math.min(limit.want, math.floor((limit.free - cost) / 2))
    local taken = cost + limit.leased
    limit.tat = limit.tat + taken * limit.interval
    limit.free = limit.free - taken
    limit.rest = limit.rest + limit.leased
    limit.held = limit.held + limit.leased
  elseif limit.free < cost then
    wait = math.ceil(limit.tat - now - (limit.burst - cost) * limit.interval)
  end
  redis.call('HSET', limit.key, 'tat', string.format('%.4f', limit.tat))
  if limit.rest > 0 then
    redis.call('HSET', limit.key, limit.name, string.format('%d %.0f', limit.rest, now + life))
  elseif limit.own > 0 then
    redis.call('HDEL', limit.key, limit.name)
  end
  -- A full bucket with nothing outside is the same as none; one that leases kept from filling up is full that much later.
  local full = math.max(limit.tat - now, limit.held > 0 and life + limit.held * limit.interval or 0)
  redis.call('ZADD', endings, string.format('%.0f', now + full), limit.key)
  answer[#answer + 1] = limit.free
  answer[#answer + 1] = limit.leased
  answer[#answer + 1] = math.ceil(limit.tat - now)
  answer[#answer + 1] = wait
end

-- No limit expires by Redis' own means: what does, a Redis that is full evicts to make room for results, and the limit
-- would count anew. So each decision clears away a few that are over, more than it can add.
for _, key in ipairs(redis.call('ZRANGEBYSCORE', endings, '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, 4)) do
  redis.call('DEL', key)
  redis.call('ZREM', endings, key)
end
return answer
