"""One database host: its pool of sessions, its role, and whether it can be read from now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from time import perf_counter

from asyncmy.connection import Connection

from trinitycore_mcp import metrics
from trinitycore_mcp.config import DatabaseHost, Pool
from trinitycore_mcp.database.errors import Busy, DatabaseError, HostLost, HostSilent, translate
from trinitycore_mcp.database.session import Row, SessionSettings, connect, fetch

_log = logging.getLogger(__name__)
CHECK_INTERVAL = 1.0
CHECK_TIMEOUT = 1.0
# The server stops a statement at the query timeout; a host silent for this much longer is taken for frozen.
_GRACE = 0.5


class Role(StrEnum):
    """What a host last said it is."""

    UNKNOWN = "unknown"
    PRIMARY = "primary"
    REPLICA = "replica"


class Host:
    """Reads from one database server and watches it.

    `on_change` is called whenever the host comes up or goes down.
    """

    def __init__(
        self, address: DatabaseHost, settings: SessionSettings, pool: Pool, on_change: Callable[[], None]
    ) -> None:
        self.address = address
        self.name = f"{address.host}:{address.port}"
        self.role = Role.UNKNOWN
        self.version = ""
        self.up = False
        self.silent = False
        """Down for giving no answer; when no host is up, it is still worth trying."""
        self.reason = "not checked yet"
        self.checked = asyncio.Event()
        """Set once the first check is done, whatever it found."""
        self._settings = settings
        self._pool = pool
        self._on_change = on_change
        self._slots = asyncio.Semaphore(pool.size)
        self._idle: list[Connection] = []
        self._running: set[asyncio.Timeout] = set()
        self._check_now = asyncio.Event()
        gauge = metrics.DB_POOL_CONNECTIONS
        gauge.labels(self.name, "idle").set_function(lambda: len(self._idle))
        gauge.labels(self.name, "used").set_function(lambda: self.in_use)

    @property
    def in_use(self) -> int:
        """Statements running now."""
        return len(self._running)

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object]) -> list[Row]:
        """Run one read.

        :param kind: a bounded label for metrics, e.g. the tool's name.
        :raises HostLost: the host failed, not the statement: try another host.
        :raises DatabaseError: the statement failed; another host would say the same.
        """
        started = perf_counter()
        try:
            async with (
                self._session() as connection,
                asyncio.timeout(self._pool.query_timeout + _GRACE) as limit,
            ):
                self._running.add(limit)
                try:
                    return await fetch(connection, sql, parameters)
                finally:
                    self._running.discard(limit)
        except Exception as error:
            failure = translate(error)
            if failure is None:
                raise
            metrics.DB_QUERY_FAILURES.labels(self.name, type(failure).__name__).inc()
            if isinstance(failure, HostLost):
                self._set_down(failure)
                self._check_now.set()
            raise failure from error
        finally:
            metrics.DB_QUERY_DURATION.labels(self.name, kind).observe(perf_counter() - started)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Connection]:
        """Lend a session from the pool, or a new one; one that ended in trouble is not taken back."""
        try:
            async with asyncio.timeout(self._pool.acquire_timeout):
                await self._slots.acquire()
        except TimeoutError:
            raise Busy(f"all {self._pool.size} connections to {self.name} are in use") from None
        try:
            connection = self._take_idle() or await connect(self.address, self._settings)
            try:
                yield connection
            except BaseException as error:
                # After a clean refusal the session is fine; after anything else its stream may be out of step.
                failure = translate(error)
                if failure is None or isinstance(failure, HostLost):
                    connection.close()
                raise
            finally:
                if connection.connected:
                    self._idle.append(connection)
        finally:
            self._slots.release()

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            # The server may have closed it meanwhile (restart, wait_timeout): the driver knows without asking.
            if connection.connected and not connection._stream_broken:  # type: ignore[attr-defined]
                return connection
            connection.close()
        return None

    async def watch(self) -> None:
        """Check the host about once a second, at once when a read failed; never returns."""
        connection: Connection | None = None
        while True:
            self._check_now.clear()
            try:
                async with asyncio.timeout(CHECK_TIMEOUT):
                    if connection is None:
                        connection = await connect(self.address, self._settings)
                    [row] = await fetch(connection, "SELECT @@global.read_only AS read_only, @@version AS version")
            except Exception as error:  # whatever it is, the host can't be read from now
                if connection is not None:
                    connection.close()
                    connection = None
                self._set_down(translate(error) or HostLost(type(error).__name__))
                self.checked.set()
                await asyncio.sleep(CHECK_INTERVAL)
            else:
                primary = str(row["read_only"]).upper() in ("0", "OFF")
                self._set_up(Role.PRIMARY if primary else Role.REPLICA, str(row["version"]))
                self.checked.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_INTERVAL):
                        await self._check_now.wait()

    def _set_up(self, role: Role, version: str) -> None:
        changed = not self.up or role is not self.role
        self.up, self.silent, self.role, self.version, self.reason = True, False, role, version, ""
        if changed:
            self._publish(logging.INFO, "database host is up")

    def _set_down(self, failure: DatabaseError) -> None:
        changed = self.up
        self.up, self.silent, self.reason = False, isinstance(failure, HostSilent), str(failure)
        self.close()
        if changed:
            self._publish(logging.WARNING, "database host is down")

    def give_up_running(self) -> None:
        """End the wait of all reads running here, so that they are repeated on another host now."""
        for limit in self._running:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    def _publish(self, level: int, message: str) -> None:
        for role in Role:
            metrics.DB_HOST_UP.labels(self.name, role).set(self.up and role is self.role)
        fields = {
            "host": self.name,
            "role": self.role,
            "reason": self.reason or None,
            "version": self.version,
        }
        _log.log(level, message, extra={"fields": fields})
        self._on_change()

    def close(self) -> None:
        """Drop the idle sessions."""
        while self._idle:
            self._idle.pop().close()
