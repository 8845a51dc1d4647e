"""What an instance is made of, whether it serves HTTP or standard input and output."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler

from trinitycore_mcp import protocol, tools
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.limits import Limiter
from trinitycore_mcp.cache.results import ResultCache
from trinitycore_mcp.config import Config
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.database import Database
from trinitycore_mcp.dispatch import Dispatcher
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.flights import Flights
from trinitycore_mcp.health import Health
from trinitycore_mcp.lifecycle.logins import reader_settings, redis_settings
from trinitycore_mcp.observe.recorder import Recorder
from trinitycore_mcp.redis_link import RedisLink
from trinitycore_mcp.schema import Schemas
from trinitycore_mcp.services import Services


@dataclass
class Parts:
    """The parts, put together but not running."""

    services: Services
    link: RedisLink
    cache: ResultCache
    authenticator: Authenticator
    limiter: Limiter | None
    flights: Flights
    dispatcher: Dispatcher
    recorder: Recorder
    listen: ListenHandler
    protocol: Server[Any]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep everything going while the context is open."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.link.running())
            await stack.enter_async_context(self.cache.running())
            await stack.enter_async_context(self.services.database.running())
            await stack.enter_async_context(self.authenticator.running())
            sweeping = asyncio.create_task(self.flights.sweep())
            try:
                yield
            finally:
                sweeping.cancel()
                if self.limiter is not None:
                    await self.limiter.close()
                self.recorder.flush()

    def configure(self, config: Config) -> None:
        """Apply what a reload applies."""
        self.services.config = config
        if self.limiter is not None:
            self.limiter.configure(config.limits)
        self.dispatcher.configure(config)


def assemble(loaded: Loaded) -> Parts:
    """Put an instance together.

    :raises ConfigError: a file that the configuration names can't be used.
    """
    config = loaded.config
    names = config.database.databases
    database = Database(config.database, reader_settings(loaded))
    schemas = Schemas(
        database,
        {"world": names.world, "characters": names.characters, "auth": names.auth, "hotfixes": names.hotfixes},
    )
    health = Health(config.server.instance_name or socket.gethostname(), database, schemas)
    services = Services(config, database, schemas, health)
    link = RedisLink(redis_settings(loaded))
    cache = ResultCache(link, config.cache, fingerprint=schemas.fingerprint, is_answer=_is_answer)
    authenticator = Authenticator(loaded)
    limiter = Limiter(config.limits, link) if config.limits.enabled else None
    flights = Flights()
    dispatcher = Dispatcher(services, tools.catalogue(config), flights, cache=cache, limiter=limiter)
    recorder = Recorder(dispatcher.tools)
    listen = ListenHandler(InMemorySubscriptionBus())
    server = protocol.build(services, dispatcher, recorder, listen)
    return Parts(services, link, cache, authenticator, limiter, flights, dispatcher, recorder, listen, server)


def _is_answer(error: Exception) -> bool:
    """Return whether a tool's error is the true answer, such as "there is no such creature"."""
    return isinstance(error, ToolError) and error.kind == "tool_error"
