"""The layer in Redis, and through it the agreement on which instance produces a result.

A stored value is a header (1 byte format, 8 bytes: fresh until, milliseconds of the Unix clock) and the result. One
script returns the value or takes the lock to produce it, so a miss costs one round trip before the work and one after.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from dataclasses import dataclass

from trinitycore_mcp.cache.policy import CachePolicy
from trinitycore_mcp.redis_link import RedisAway, RedisLink, Script

_HEADER = struct.Struct(">BQ")
_FORMAT = 1
LOCK = 1.0
"""Seconds that an instance has to produce before another one may: what a dead one costs the others at most."""
_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.05

_GET_OR_LOCK = Script("""
local value = redis.call('GET', KEYS[1])
if value then return value end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
""")
_UNLOCK = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")
_STORE = Script("""
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
""")


@dataclass(frozen=True, slots=True)
class Found:
    """A stored result; `fresh_for` is in seconds, negative when it is stale."""

    value: bytes
    fresh_for: float


class RemoteLayer:
    """Stored results by name; a name holds the versions, so it never means two results."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._owner = secrets.token_hex(8)

    async def look_up(self, name: str, policy: CachePolicy) -> Found | None:
        """Return what is stored, or None when we are to produce it: locked for us, or after waiting in vain.

        :raises RedisAway: it could not be asked.
        """
        until = time.monotonic() + LOCK
        wait = _FIRST_WAIT
        keys = [name, _lock(name)]
        while True:
            answer = await _GET_OR_LOCK.run(self._link, keys, self._owner, int(LOCK * 1000))
            if isinstance(answer, bytes):
                return _opened(answer, policy)
            left = until - time.monotonic()
            if answer == 1 or left <= 0:
                return None
            # Another instance is at it.
            await asyncio.sleep(min(wait, left))
            wait = min(wait * 1.6, _LONGEST_WAIT)

    async def lock(self, name: str) -> bool:
        """Take the lock to refresh a stale result; with Redis away everybody may.

        Another instance's lock means that it does the work.
        """
        try:
            taken = await self._link.client.set(_lock(name), self._owner, nx=True, px=int(LOCK * 1000))
        except RedisAway:
            return True
        return bool(taken)

    async def unlock(self, name: str) -> None:
        """Let others try. A lock that can't be given back now ends by itself."""
        await self._quietly(_UNLOCK, [_lock(name)], self._owner)

    async def store(self, name: str, value: bytes, fresh_for: float, stale: float) -> None:
        """Store a result for `fresh_for` + `stale` seconds and give the lock back; not stored while Redis is away."""
        packed = _HEADER.pack(_FORMAT, int((time.time() + fresh_for) * 1000)) + value
        kept = max(1, int((fresh_for + stale) * 1000))
        await self._quietly(_STORE, [name, _lock(name)], self._owner, packed, kept)

    async def remove(self, name: str) -> None:
        """Delete a result and give the lock back."""
        try:
            await self._link.client.delete(name, _lock(name))
        except RedisAway:
            return

    async def _quietly(self, script: Script, keys: list[str], *arguments: str | bytes | int) -> None:
        try:
            await script.run(self._link, keys, *arguments)
        except RedisAway:
            return


def _lock(name: str) -> str:
    return f"{name}:lock"


def _opened(packed: bytes, policy: CachePolicy) -> Found | None:
    """Return what was stored, or None when it is of another format or too old for the policy."""
    if len(packed) < _HEADER.size:
        return None
    form, until = _HEADER.unpack_from(packed)
    # No instance's clock may make a result live longer than the policy says.
    fresh_for = min(until / 1000 - time.time(), policy.ttl)
    if form != _FORMAT or fresh_for <= -policy.stale:
        return None
    return Found(packed[_HEADER.size :], fresh_for)
