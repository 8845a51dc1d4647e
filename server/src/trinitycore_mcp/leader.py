"""One of the instances leads: it runs the jobs that must run once in the fleet.

The lease is a key in Redis that says when it ends; its holder renews it every third of its time. With it comes a
fencing token, larger than all before it: whatever a job writes is to be checked against it (`jobs.fenced`), since no
lease alone can stop a process that was frozen in mid-sentence.

What makes two leaders at the same time impossible, as long as Redis has one primary:

- The holder counts from before it asked, by a clock that goes on while the machine sleeps, and only nine tenths of the
  lease. It holds itself deposed before Redis can give the lease to another, also after it was stopped and continued.
- A Redis that was restarted or promoted may have lost the lease of one who still counts on it. So nobody is given one
  there before it has been the primary for a whole lease; the script checks that it is still the same run.

- The lease does not expire by Redis' own means, so a Redis that is full of cached results does not evict it.

A Redis that forgets the lease while it runs (FLUSHALL) can make two, for a third of the lease; then, as between two
primaries, only the fencing token keeps order.

The token begins at the clock's milliseconds, so that it grows also across a Redis that lost everything.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from trinitycore_mcp import metrics
from trinitycore_mcp.redis_link import RedisAway, RedisLink, Script
from trinitycore_mcp.tasks import end

_log = logging.getLogger(__name__)
# The share of the lease that the holder counts on; the rest is for clocks that run at different speeds.
_TRUSTED = 0.9

# KEYS: a hash of `holder` ("<identity>:<token>"), `ends` and `lasts`, in milliseconds; the last token.
# ARGV: identity or holder; milliseconds; Redis' run.
_LEASE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function grant(holder)
  redis.call('HSET', KEYS[1], 'holder', holder, 'ends', string.format('%.0f', now + ARGV[2]), 'lasts', ARGV[2])
end
local holder, ends, lasts = unpack(redis.call('HMGET', KEYS[1], 'holder', 'ends', 'lasts'))
if holder and tonumber(ends) > now + lasts then
  -- A failover has brought a clock that is behind: a whole lease from now is long enough for everybody.
  ends = now + lasts
  redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', ends))
end
if holder and tonumber(ends) <= now then holder = false end
"""
_ACQUIRE = Script(
    _LEASE
    + """
if holder then
  if string.sub(holder, 1, #ARGV[1] + 1) ~= ARGV[1] .. ':' then return false end
  grant(holder)
  return string.sub(holder, #ARGV[1] + 2)
end
if not string.find(redis.call('INFO', 'server'), 'run_id:' .. ARGV[3], 1, true) then return false end
local token = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, now))
redis.call('SET', KEYS[2], token)
grant(ARGV[1] .. ':' .. token)
return token
"""
)
_RENEW = Script(
    _LEASE
    + """
if holder ~= ARGV[1] then return 0 end
grant(holder)
return 1
"""
)
_RESIGN = Script("if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('DEL', KEYS[1]) end")


def clock() -> float:
    """Return seconds by a clock that nobody sets and that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Leader:
    """A candidate, and now and then the leader.

    Without a Redis configured, each instance leads itself; the fencing token then lets the one that started last win.
    """

    def __init__(self, link: RedisLink, lease: float, name: str = "leader") -> None:
        """:param lease: seconds after which a leader that is lost can be replaced.
        :param name: what is led; the same on all instances.
        """
        self._link = link
        self._lease = lease
        self._milliseconds = int(lease * 1000)
        self._key = link.key(f"leader:{name}")
        self._identity = secrets.token_hex(8)
        self._token: int | None = None
        self._valid_until = 0.0
        self._leads = False
        self._changed = asyncio.Event()

    def token_or_none(self) -> int | None:
        """Return the fencing token while this instance leads, else None. Ask anew before each thing a leader does."""
        return self._token if clock() < self._valid_until else None

    async def elected(self) -> int:
        """Return the fencing token as soon as this instance leads."""
        while (token := self.token_or_none()) is None:
            await self._changed.wait()
        return token

    async def deposed(self, token: int) -> None:
        """Return as soon as this instance does not lead by this token any more."""
        while self.token_or_none() == token:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.001, min(self._lease, self._valid_until - clock()))):
                    await self._changed.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Stand for election while the context is open; a leader resigns when it ends. Open it inside the link's."""
        campaign = asyncio.create_task(self._campaign())
        try:
            yield
        finally:
            await end(campaign)
            await self._resign()

    async def _campaign(self) -> None:
        while True:
            with suppress(RedisAway):
                await self._turn()
            self._tell()
            moved = asyncio.ensure_future(self._link.changed())
            try:
                # A leader that can't renew learns at its lease's end, not a turn later, that it leads no more.
                left = self._valid_until - clock()
                turn = self._lease / 3
                await asyncio.wait({moved}, timeout=min(turn, left) if left > 0 else turn)
            finally:
                moved.cancel()

    async def _turn(self) -> None:
        if not self._link.configured:
            self._token = self._token or time.time_ns() // 1_000_000
            self._valid_until = float("inf")
            return
        now = clock()
        if self._token is not None:
            if await _RENEW.run(self._link, [self._key], self._value, self._milliseconds):
                self._valid_until = now + self._lease * _TRUSTED
            else:
                self._token, self._valid_until = None, 0.0
        elif time.monotonic() - self._link.since >= self._lease:
            await self._acquire(now)

    async def _acquire(self, now: float) -> None:
        keys = [self._key, f"{self._key}:token"]
        arguments = (self._identity, self._milliseconds, self._link.run_id)
        token: bytes | None = await _ACQUIRE.run(self._link, keys, *arguments)
        if token is not None:
            self._token, self._valid_until = int(token), now + self._lease * _TRUSTED

    async def _resign(self) -> None:
        value, held = self._value, self._token is not None
        self._token, self._valid_until = None, 0.0
        self._tell()
        if held and self._link.up:
            with suppress(RedisAway):
                await _RESIGN.run(self._link, [self._key], value)

    @property
    def _value(self) -> str:
        return f"{self._identity}:{self._token}"

    def _tell(self) -> None:
        token = self.token_or_none()
        metrics.LEADER.set(token is not None)
        if (token is not None) is not self._leads:
            self._leads = token is not None
            _log.info("leads" if self._leads else "leads no more", extra={"fields": {"fencing_token": token}})
            before, self._changed = self._changed, asyncio.Event()
            before.set()
