"""Redis pub/sub on one connection for all channels of the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from redis.asyncio import Redis

from trinitycore_mcp.tasks import end

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

_log = logging.getLogger(__name__)
# After this many seconds without a message the server is asked for a sign of life.
_QUIET = 1.0

Channels = dict[str, tuple[Callable[[bytes], None], Callable[[], None]]]


class Source(Protocol):
    """Where connections come from: the link."""

    @property
    def timeout(self) -> float:
        """Seconds that a command may take."""
        ...

    @property
    def generation(self) -> int:
        """Another number after each change of the primary."""
        ...

    def listening_client(self) -> Redis | None:
        """Return a client of the primary for us alone, or None while there is none."""
        ...

    async def changed(self) -> None:
        """Return when the primary may have changed."""
        ...


class Listener:
    """Passes messages on; joins again whenever the connection or the primary is lost."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.channels: Channels = {}
        """Full name of a channel: what to call with a message, and when listening has begun."""

    async def run(self) -> None:
        """Listen for ever; never returns."""
        while self.channels:
            client = self._source.listening_client()
            if client is None:
                await self._source.changed()
                continue
            generation = self._source.generation
            tasks = {
                asyncio.ensure_future(self._listen(client)),
                asyncio.ensure_future(self._until_moved(generation)),
            }
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end(*tasks)
            if self._source.generation == generation:
                # A connection that fails though the link is up must not make a busy loop of this one.
                await asyncio.sleep(self._source.timeout)

    async def _until_moved(self, generation: int) -> None:
        while self._source.generation == generation:
            await self._source.changed()

    async def _listen(self, client: Redis) -> None:
        """Listen until the connection fails or is silent for too long."""
        pubsub: PubSub = client.pubsub()
        try:
            async with asyncio.timeout(max(self._source.timeout, _QUIET)):
                await pubsub.subscribe(*self.channels)
            silent = 0
            while silent < 2:
                # The driver's own limit ends a wait for nothing, ours a connection that hangs while it is made anew.
                async with asyncio.timeout(_QUIET + self._source.timeout):
                    message: dict[str, Any] | None = await pubsub.get_message(timeout=_QUIET)
                    if message is None:
                        silent += 1
                        await pubsub.ping()
                    else:
                        silent = 0
                        self._take(message)
                        # Messages that came together are there without waiting; others want to run in between.
                        await asyncio.sleep(0)
            reason = "no sign of life"
        except Exception as error:  # whatever it is, the way on is to join anew
            reason = type(error).__name__
        finally:
            with suppress(Exception):  # its server may be long gone
                async with asyncio.timeout(self._source.timeout):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]  # the driver left it so
                    await client.aclose()
        _log.info("lost Redis pub/sub", extra={"fields": {"reason": reason}})

    def _take(self, message: dict[str, Any]) -> None:
        name = message["channel"]
        channel = self.channels.get(name.decode() if isinstance(name, bytes) else str(name))
        if channel is None:
            return  # the answer to a PING
        if message["type"] == "message":
            channel[0](message["data"])
        elif message["type"] == "subscribe":
            channel[1]()
