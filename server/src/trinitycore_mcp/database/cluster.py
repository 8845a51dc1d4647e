"""All database hosts as one: a read goes to a healthy one, replicas first, and moves on when that one fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from trinitycore_mcp import config
from trinitycore_mcp.database import adhoc
from trinitycore_mcp.database.adhoc import SelectResult
from trinitycore_mcp.database.errors import Busy, HostLost, Unavailable
from trinitycore_mcp.database.host import CHECK_TIMEOUT, Host, Role
from trinitycore_mcp.database.personal import PersonalData
from trinitycore_mcp.database.plan import Plan
from trinitycore_mcp.database.pool import Pool, sweep
from trinitycore_mcp.database.session import Row, SessionSettings
from trinitycore_mcp.tasks import end

T = TypeVar("T")
# How often one read is tried on one host: a session may be lost while its host is well.
_TRIES = 2


@dataclass(frozen=True)
class HostState:
    """A host's state for people."""

    host: str
    up: bool
    role: str
    """What it last said it is."""
    reason: str
    """Why it is down."""
    lag: float | None = None
    """Seconds behind its source; None: unknown, or it is none's replica."""
    note: str = ""
    """What should be known although it is up, e.g. why its lag is unknown or it is not read from."""


class Database:
    """Reads rows; writes nothing."""

    def __init__(self, options: config.Database, settings: SessionSettings) -> None:
        self.options = options
        self.hosts = [
            Host(address, settings, options.breaker, options.max_replica_lag, self._on_change)
            for address in options.hosts
        ]
        self._patience = options.pool.acquire_timeout
        self._changed = asyncio.Event()
        self._pools = {host: Pool(host, settings, options.pool) for host in self.hosts}
        # Statements that people wrote get sessions of their own, used once, so that they neither leave anything
        # behind nor take the tools' sessions.
        self._adhoc = {
            host: Pool(
                host,
                replace(settings, sql_mode=adhoc.SQL_MODE),
                options.pool,
                name=f"{host.name}/sql",
                size=max(1, options.pool.size // 4),
                keep=False,
                blame=False,
            )
            for host in self.hosts
        }
        self._personal = PersonalData(options)
        self._best: list[Host] = []
        """Hosts to read from, all equally good."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the hosts while the context is open; waits for the first round of checks, not for success."""
        pools = [*self._pools.values(), *self._adhoc.values()]
        tasks = [asyncio.create_task(host.watch()) for host in self.hosts]
        tasks.append(asyncio.create_task(sweep(pools)))
        checks = [host.checked.wait() for host in self.hosts]
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_TIMEOUT):
                await asyncio.gather(*checks)
        try:
            yield
        finally:
            await end(*tasks)
            for host in self.hosts:
                host.close()
            await asyncio.gather(*(pool.stop() for pool in pools))

    def states(self) -> list[HostState]:
        """Return every host's state, in configured order."""
        return [HostState(host.name, host.up, host.role, host.why, host.lag, host.note) for host in self.hosts]

    @property
    def available(self) -> bool:
        """Whether a read would find a host now."""
        return bool(self._best)

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one read on a healthy host and return its rows.

        When the host fails, the read is repeated on another, once also when all its sessions stay in use; when none is
        healthy, it waits for one for as long as the pool waits for a connection (a failover of the last host, a
        restart). In the worst case it ends acquire_timeout + query_timeout + half a second after it began.

        :param kind: a bounded label for metrics, e.g. the tool's name.
        :param sql: a SELECT with %s for each parameter.
        :raises Unavailable: no host could serve.
        :raises Busy: all sessions of the host were in use for too long, and no other host helps.
        :raises DatabaseError: the statement itself failed.
        """
        started = monotonic()
        best = self._best
        host = best[0] if len(best) == 1 else self._pick(self._pools, None)
        if host is None:
            return await self._fetch_with_patience(kind, sql, parameters, started, None)
        try:
            return await self._pools[host].fetch(kind, sql, parameters, started)
        except HostLost as error:
            failed = (host, error)
        except Busy as error:
            return await self._elsewhere(
                self._pools, host, error, lambda pool: pool.fetch(kind, sql, parameters, started)
            )
        return await self._fetch_with_patience(kind, sql, parameters, started, failed)

    async def _fetch_with_patience(
        self, kind: str, sql: str, parameters: Sequence[object], started: float, failed: tuple[Host, HostLost] | None
    ) -> list[Row]:
        return await self._persist(
            self._pools, started, lambda pool: pool.fetch(kind, sql, parameters, started), failed
        )

    async def select(
        self,
        kind: str,
        sql: str,
        *,
        schema: str | None = None,
        max_rows: int | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (the server keeps to it too)
    ) -> SelectResult:
        """Run one reading statement that somebody wrote, within limits; see `adhoc`.

        :param schema: the database that unqualified names are looked up in.
        :param max_rows: default and upper limit: the configured ones; so with the other two.
        :param max_bytes: of the values as text.
        :param timeout: seconds.
        :raises StatementRefused: it is not one reading statement, or the account has too many rights.
        :raises TooExpensive: it would look at more rows than max_scan_rows.
        :raises DatabaseError: it failed, or no host could serve.
        """
        options, started = self.options, monotonic()
        limits = adhoc.Limits(
            rows=min(max_rows or options.max_rows, options.max_rows),
            size=min(max_bytes or options.max_result_bytes, options.max_result_bytes),
            seconds=min(timeout or options.pool.query_timeout, options.pool.query_timeout),
            scan=options.max_scan_rows,
        )
        statement = adhoc.check(sql, schema)

        async def read(pool: Pool) -> SelectResult:
            await self._personal.refuse(self._pools[pool.host], started)
            return await adhoc.select(pool, kind, statement, limits, started)

        return await self._persist(self._adhoc, started, read)

    async def explain(self, kind: str, sql: str, *, schema: str | None = None) -> Plan:
        """Return the database's plan for one SELECT, which is not run.

        :param schema: the database that unqualified names are looked up in.
        :raises StatementRefused: it is not one SELECT, or the account has too many rights.
        :raises DatabaseError: it failed, or no host could serve.
        """
        started = monotonic()
        statement = adhoc.check(sql, schema)

        async def read(pool: Pool) -> Plan:
            await self._personal.refuse(self._pools[pool.host], started)
            return await adhoc.explain(pool, kind, statement, started)

        return await self._persist(self._adhoc, started, read)

    async def refuse_personal_data(self) -> None:
        """Return if statements that people write can be run: a healthy host lets our account read nothing personal.

        :raises PersonalDataReadable: it does not.
        :raises DatabaseError: it can't be told.
        """
        started = monotonic()
        await self._persist(self._pools, started, lambda pool: self._personal.refuse(pool, started))

    async def _persist(
        self,
        pools: dict[Host, Pool],
        started: float,
        read: Callable[[Pool], Awaitable[T]],
        failed: tuple[Host, HostLost] | None = None,
    ) -> T:
        """Read, again elsewhere when a host fails; wait while there is none.

        :param failed: the host that failed already.
        """
        failures: Counter[Host] = Counter()
        last: dict[Host, HostLost] = {}
        if failed is not None:
            failures[failed[0]] += 1
            last[failed[0]] = failed[1]
        while True:
            host = self._pick(pools, failures)
            if host is None:
                exhausted = all(failures[each] >= _TRIES or each.breaker.is_open for each in self.hosts)
                if exhausted or not await self.change(started + self._patience):
                    raise Unavailable(self._why("read from", last)) from next(iter(last.values()), None)
                continue
            try:
                return await read(pools[host])
            except HostLost as error:
                failures[host] += 1
                last[host] = error
            except Busy as error:
                return await self._elsewhere(pools, host, error, read)

    async def _elsewhere(
        self, pools: dict[Host, Pool], full: Host, busy: Busy, read: Callable[[Pool], Awaitable[T]]
    ) -> T:
        """Read once on another host than the one whose sessions are in use: that may be frozen, which shows only later.

        :raises Busy: no other is fit to be read from and keeps up with its callers.
        """
        others = [host for host in self.hosts if host is not full and host.usable and not host.behind]
        fit = _fittest([host for host in others if pools[host].keeps_up])
        if not fit:
            raise busy
        try:
            return await read(pools[min(fit, key=lambda host: pools[host].load)])
        except HostLost as error:
            raise busy from error

    def _pick(self, pools: dict[Host, Pool], failures: Counter[Host] | None) -> Host | None:
        """Return the least busy of the best hosts that have not failed this read too often.

        When no host is healthy, a silent one is better than none: the machine may just be slow.
        """
        if not failures:
            best = self._best or [host for host in self.hosts if host.silent and not host.breaker.is_open]
            return min(best, key=lambda host: pools[host].load, default=None)
        usable = [host for host in self.hosts if failures[host] < _TRIES and not host.breaker.is_open]
        best = _fittest(usable) or [host for host in usable if host.silent]
        return min(best, key=lambda host: (failures[host], pools[host].load), default=None)

    def _on_change(self) -> None:
        """A host came up, went down or changed: whoever waits for a silent one can be served elsewhere."""
        self._best = _fittest(self.hosts)
        self._changed.set()
        if self._best:
            for host in self.hosts:
                if host.silent:
                    self._pools[host].give_up_running()
                    self._adhoc[host].give_up_running()

    async def change(self, by: float) -> bool:
        """Wait until a host changes; return whether one did before this monotonic time."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, by - monotonic())):
                return await self._changed.wait()
        return False

    def _why(self, what: str, last: dict[Host, HostLost]) -> str:
        reasons = "; ".join(f"{host.name}: {host.why or last.get(host) or 'failing'}" for host in self.hosts)
        return f"no database host can be {what}: {reasons}"


def _fittest(hosts: Sequence[Host]) -> list[Host]:
    """Return the best of the usable hosts: replicas in step, else the primary, else replicas that are behind."""
    usable = [host for host in hosts if host.usable]
    in_step = [host for host in usable if host.role is Role.REPLICA and not host.behind]
    return in_step or [host for host in usable if host.role is Role.PRIMARY] or usable
