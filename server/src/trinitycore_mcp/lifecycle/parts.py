"""What an instance is made of, whether it serves HTTP or standard input and output."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from mcp.server.lowlevel import Server
from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated

from trinitycore_mcp import protocol, tools
from trinitycore_mcp.access.audit import AuditLog
from trinitycore_mcp.access.authenticator import Authenticator
from trinitycore_mcp.access.limits import Limiter
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.bus import FleetBus
from trinitycore_mcp.cache.results import ResultCache
from trinitycore_mcp.cache.warming import warm
from trinitycore_mcp.config import Config
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.database import Database, DatabaseError
from trinitycore_mcp.database.writer import Writer
from trinitycore_mcp.dispatch import Dispatcher
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.flights import Flights
from trinitycore_mcp.health import Health
from trinitycore_mcp.jobs import Schedule
from trinitycore_mcp.jobs.retention import audit_retention
from trinitycore_mcp.leader import Leader
from trinitycore_mcp.lifecycle.logins import reader_settings, request_state_keys, writer_settings
from trinitycore_mcp.observe import export
from trinitycore_mcp.observe.recorder import Recorder
from trinitycore_mcp.observe.trace import new_trace_id
from trinitycore_mcp.prompts import PROMPTS
from trinitycore_mcp.protocol.listen import FleetListenHandler
from trinitycore_mcp.redis_link import RedisLink, settings_from
from trinitycore_mcp.resources import RESOURCES
from trinitycore_mcp.schema import Schemas
from trinitycore_mcp.services import Services
from trinitycore_mcp.tasks import end

if TYPE_CHECKING:
    from trinitycore_mcp.database.session import SessionSettings
    from trinitycore_mcp.observe.sentry import ErrorReports
    from trinitycore_mcp.observe.tracing import Tracing

WARMER = Principal("warming", frozenset({"read", "players"}), "none")
"""Who asks for the lookups that fill the cache after start."""


@dataclass
class Parts:
    """The parts, put together but not running."""

    services: Services
    link: RedisLink
    cache: ResultCache
    writer: Writer | None
    audit: AuditLog
    authenticator: Authenticator
    limiter: Limiter
    leader: Leader
    schedule: Schedule
    flights: Flights
    dispatcher: Dispatcher
    recorder: Recorder
    bus: FleetBus
    listen: FleetListenHandler
    protocol: Server[Any]
    tracing: Tracing | None = None
    error_reports: ErrorReports | None = None
    leads: bool = True
    """Whether it may lead the fleet and run its jobs."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep everything going while the context is open."""
        async with AsyncExitStack() as stack:
            for telling in (self.error_reports, self.tracing):  # the last to end: they tell of the others' end too
                if telling is not None:
                    await stack.enter_async_context(telling.running())
            await stack.enter_async_context(self.services.health.running())
            await stack.enter_async_context(self.services.database.running())
            await stack.enter_async_context(self.link.running())
            await stack.enter_async_context(self.cache.running())
            if self.writer is not None:
                await stack.enter_async_context(self.writer.running())
            await stack.enter_async_context(self.audit.running())
            stack.push_async_callback(self.audit.flush)
            await stack.enter_async_context(self.authenticator.running())
            if self.leads:
                await stack.enter_async_context(self.leader.running())
                await stack.enter_async_context(self.schedule.running())
            await stack.enter_async_context(self.bus.running())
            stack.push_async_callback(self.limiter.close)
            works = [self.flights.sweep(), self._warm(), self._tell_of_updates(), self._look_at_rights()]
            tasks = [asyncio.create_task(work) for work in works]
            try:
                yield
            finally:
                await end(*tasks)
                self.recorder.flush()

    async def _warm(self) -> None:
        """Fill the cache with what the configuration wants there."""

        async def run(tool: str, arguments: Mapping[str, object]) -> None:
            answer = await self.dispatcher.run(
                self.dispatcher.tools[tool], msgspec.json.encode(arguments), WARMER, trace_id=new_trace_id()
            )
            if answer.error:
                raise ToolError(answer.error)

        await warm(self.services.config.cache.warm, run)

    async def _look_at_rights(self) -> None:
        """Have the log say at the start, not at the first call, why statements that people write are refused."""
        if "sql_select" in self.dispatcher.tools:
            with suppress(DatabaseError):
                await self.services.database.refuse_personal_data()

    async def _tell_of_updates(self) -> None:
        """Tell clients when the world was updated: the leader tells those of the whole fleet.

        What never leads tells its own, since there may be no fleet.
        """
        while True:
            await self.services.schemas.changed()
            for event in (ResourcesListChanged(), ResourceUpdated("trinity://schema")):
                if not self.leads:
                    self.bus.tell(event)
                elif self.leader.token_or_none() is not None:
                    await self.bus.publish(event)

    def configure(self, config: Config) -> None:
        """Apply what a reload applies."""
        self.services.config = config
        self.limiter.configure(config.limits)
        self.dispatcher.configure(config)


def assemble(loaded: Loaded, *, leads: bool = True) -> Parts:
    """Put an instance together.

    :param leads: whether it may lead the fleet and run its jobs.
    :raises ConfigError: a file that the configuration names can't be used.
    """
    config = loaded.config
    names = config.database.databases
    instance = config.server.instance_name or socket.gethostname()
    catalogue = tools.catalogue(config)
    tracing = export.tracing(loaded, instance, [tool.name for tool in catalogue])
    database = _database(config, reader_settings(loaded), tracing)
    schemas = Schemas(
        database,
        {"world": names.world, "characters": names.characters, "auth": names.auth, "hotfixes": names.hotfixes},
    )
    settings = writer_settings(loaded)
    writer = Writer(database, settings) if settings is not None else None
    link = RedisLink(settings_from(loaded))
    cache = ResultCache(
        link,
        config.cache,
        fingerprint=schemas.fingerprint,
        is_answer=_is_answer,
        limit=lambda name: dispatcher.limit(name),  # noqa: PLW0108 (it is made below)
    )
    bus = FleetBus(link)
    leader = Leader(link, config.leader.lease)
    authenticator = Authenticator(loaded, writer, writer)
    limiter = Limiter(config.limits, link if link.configured else None)
    audit = AuditLog(instance, writer, schema=names.mcp)
    services = Services(
        config,
        database,
        schemas,
        Health(instance, database, schemas),
        audit=audit,
        writer=writer,
        link=link,
        cache=cache,
        authenticator=authenticator,
        limiter=limiter,
        leader=leader,
        bus=bus,
        loaded=loaded,
    )
    jobs = [audit_retention(writer, lambda: services.config.retention.audit_days)] if writer is not None else []
    flights = Flights()
    dispatcher = Dispatcher(services, catalogue, flights, cache=cache, limiter=limiter)
    recorder = services.recorder = Recorder(dispatcher.tools)
    listen = FleetListenHandler(bus, still_known=authenticator.still_known)
    authenticator.on_change = listen.review
    server = protocol.build(
        services,
        dispatcher,
        recorder,
        listen,
        resources=RESOURCES,
        prompts=PROMPTS,
        request_state_keys=request_state_keys(loaded),
        tracing=tracing,
    )
    return Parts(
        services=services,
        link=link,
        cache=cache,
        writer=writer,
        audit=audit,
        authenticator=authenticator,
        limiter=limiter,
        leader=leader,
        schedule=Schedule(leader, link, jobs),
        flights=flights,
        dispatcher=dispatcher,
        recorder=recorder,
        bus=bus,
        listen=listen,
        protocol=server,
        tracing=tracing,
        error_reports=export.error_reports(loaded, instance),
        leads=leads,
    )


def _database(config: Config, settings: SessionSettings, tracing: Tracing | None) -> Database:
    """Return the databases; where there are traces, each read is in them."""
    if tracing is None:
        return Database(config.database, settings)
    from trinitycore_mcp.observe.traced_database import TracedDatabase  # noqa: PLC0415 (loads the SDK)

    return TracedDatabase(config.database, settings, tracing.tracer)


def _is_answer(error: Exception) -> bool:
    """Return whether a tool's error is the true answer, such as "there is no such creature"."""
    return isinstance(error, ToolError) and error.kind == "tool_error"
