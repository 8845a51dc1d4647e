"""All database hosts as one: a read goes to a healthy one, replicas first, and moves on when that one fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from trinitycore_mcp import config
from trinitycore_mcp.database.errors import HostLost, Unavailable
from trinitycore_mcp.database.host import CHECK_TIMEOUT, Host, Role
from trinitycore_mcp.database.session import Row, SessionSettings

# How often one read is tried on one host: a session may be lost while its host is well.
_TRIES = 2


@dataclass(frozen=True)
class HostState:
    """A host's state for people: `role` is what it last said, `reason` why it is down."""

    host: str
    up: bool
    role: str
    reason: str


class Database:
    """Reads rows; writes nothing."""

    def __init__(self, options: config.Database, settings: SessionSettings) -> None:
        self._patience = options.pool.acquire_timeout
        self._changed = asyncio.Event()
        self._hosts = [Host(address, settings, options.pool, self._on_change) for address in options.hosts]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the hosts while the context is open; waits for the first round of checks, not for success."""
        watchers = [asyncio.create_task(host.watch()) for host in self._hosts]
        checks = [host.checked.wait() for host in self._hosts]
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_TIMEOUT):
                await asyncio.gather(*checks)
        try:
            yield
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            for host in self._hosts:
                host.close()

    def states(self) -> list[HostState]:
        """Return every host's state, in configured order."""
        return [HostState(host.name, host.up, host.role, host.reason) for host in self._hosts]

    @property
    def available(self) -> bool:
        """Whether a read would find a host now."""
        return any(host.up for host in self._hosts)

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one read on a healthy host and return its rows.

        When the host fails, the read is repeated on another; when none is healthy, it waits for one for as long
        as the pool waits for a connection (a failover of the last host, a restart).

        :param kind: a bounded label for metrics, e.g. the tool's name.
        :param sql: a SELECT with %s for each parameter.
        :raises Unavailable: no host could serve.
        :raises DatabaseError: the statement itself failed.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        failures: Counter[Host] = Counter()
        while True:
            host = self._pick(failures)
            if host is None:
                if not await self._a_change_before(deadline):
                    raise Unavailable(self._why())
                continue
            try:
                return await host.fetch(kind, sql, parameters)
            except HostLost as error:
                failures[host] += 1
                if all(failures[each] >= _TRIES for each in self._hosts):
                    raise Unavailable(self._why()) from error

    def _pick(self, failures: Counter[Host]) -> Host | None:
        """Return the least busy healthy replica that has not failed this read too often, else the primary.

        When no host is healthy, a silent one is better than none: the machine may just be slow.
        """
        usable = [host for host in self._hosts if failures[host] < _TRIES]
        healthy = [host for host in usable if host.up] or [host for host in usable if host.silent]
        readable = [host for host in healthy if host.role is Role.REPLICA] or healthy
        return min(readable, key=lambda host: (failures[host], host.in_use), default=None)

    def _on_change(self) -> None:
        """A host came up or went down: whoever waits for a silent one can be served elsewhere."""
        self._changed.set()
        if self.available:
            for host in self._hosts:
                if host.silent:
                    host.give_up_running()

    async def _a_change_before(self, deadline: float) -> bool:
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                return await self._changed.wait()
        return False

    def _why(self) -> str:
        return "no database host can be read from: " + "; ".join(f"{h.name}: {h.reason}" for h in self._hosts)
