"""Version numbers of the cached results, one for all and one for each kind: a flush raises one, for the whole fleet.

They are part of every key in Redis, so nothing has to be searched and deleted. A flush reaches the other instances at
once by pub/sub, and by asking every half second where that was lost. Numbers only ever grow: each instance raises
what it finds behind its own, so that a flush holds even if it was done while Redis was away or a failover lost it.
They begin at the clock's milliseconds, so that they don't come twice after Redis has lost everything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from trinitycore_mcp.redis_link import RedisAway, RedisLink, Script

_log = logging.getLogger(__name__)
POLL_INTERVAL = 0.5
_CHANNEL = "cache:flushed"
_ALL = "*"
# Raises the fields to the given numbers where they are lower, and tells everybody when one was.
_RAISE = Script("""
local raised = 0
for i = 2, #ARGV, 2 do
  local now = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if tonumber(ARGV[i + 1]) > now then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    raised = raised + 1
  end
end
if raised > 0 then redis.call('PUBLISH', ARGV[1], 'raised') end
return raised
""")

# Raises one field, beyond what is stored even where another instance's clock is ahead of ours.
_FLUSH = Script("""
local stored = tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '0')
local number = string.format('%.0f', math.max(stored + 1, tonumber(ARGV[3])))
redis.call('HSET', KEYS[1], ARGV[2], number)
redis.call('PUBLISH', ARGV[1], 'flushed')
return number
""")


class Versions:
    """The numbers as this instance knows them."""

    def __init__(self, link: RedisLink, on_flush: Callable[[str | None], None]) -> None:
        """:param on_flush: called with the kind that was flushed here or elsewhere, None for all."""
        self._link = link
        self._on_flush = on_flush
        self._numbers: dict[str, int] = {}
        self._tags: dict[str, str] = {}
        self._untold: set[str] = set()
        self._known_of = -1
        self._ask_now = asyncio.Event()
        link.subscribe(_CHANNEL, lambda _message: self._ask_now.set(), self._ask_now.set)

    @property
    def known(self) -> bool:
        """Whether Redis has been asked since it is what it is now; before that, old entries can't be told."""
        return self._link.up and self._known_of == self._link.generation

    @property
    def numbers(self) -> Mapping[str, int]:
        """The numbers: `*` is everything's."""
        return self._numbers

    def tag(self, kind: str) -> str:
        """Return what distinguishes the present versions of a kind from former ones."""
        tag = self._tags.get(kind)
        if tag is None:
            tag = self._tags[kind] = f"{self._numbers.get(_ALL, 0)}.{self._numbers.get(kind, 0)}"
        return tag

    async def flush(self, kind: str | None) -> int:
        """Raise a number, here and in the fleet, and return it; with Redis away the fleet learns it later."""
        field = kind or _ALL
        self._take({field: max(self._numbers.get(field, 0) + 1, time.time_ns() // 1_000_000)})
        self._untold.add(field)
        with suppress(RedisAway):
            await self._tell(field)
        return self._numbers[field]

    async def run(self) -> None:
        """Ask for ever; never returns."""
        while True:
            self._ask_now.clear()
            with suppress(RedisAway):
                await self.ask()
            waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._ask_now.wait())]
            if not self.known:
                waits.append(asyncio.ensure_future(self._link.changed()))
            try:
                await asyncio.wait(waits, timeout=POLL_INTERVAL, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def ask(self) -> None:
        """Learn what was flushed elsewhere, and tell what Redis does not know.

        :raises RedisAway: it could not be asked.
        """
        generation = self._link.generation
        for field in list(self._untold):
            await self._tell(field)
        found = cast(dict[bytes, bytes], await self._link.client.hgetall(self._key))
        stored = {field.decode(): int(number) for field, number in found.items()}
        self._take({field: number for field, number in stored.items() if number > self._numbers.get(field, 0)})
        behind = {field: number for field, number in self._numbers.items() if number > stored.get(field, 0)}
        if behind:
            await self._raise(behind)
        self._known_of = generation

    @property
    def _key(self) -> str:
        return self._link.key("cache:versions")

    async def _tell(self, field: str) -> None:
        number = int(await _FLUSH.run(self._link, [self._key], self._link.key(_CHANNEL), field, self._numbers[field]))
        self._untold.discard(field)
        if number > self._numbers[field]:
            self._take({field: number})

    async def _raise(self, numbers: Mapping[str, int]) -> None:
        pairs = [part for field, number in numbers.items() for part in (field, number)]
        await _RAISE.run(self._link, [self._key], self._link.key(_CHANNEL), *pairs)

    def _take(self, newer: Mapping[str, int]) -> None:
        if not newer:
            return
        self._numbers.update(newer)
        self._tags.clear()
        for field in newer:
            self._on_flush(None if field == _ALL else field)
        _log.info("cache flushed", extra={"fields": {"kinds": sorted(newer)}})
