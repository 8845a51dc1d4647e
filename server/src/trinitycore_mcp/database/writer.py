"""Write to our own database, on whichever server takes writes now.

A write is repeated only when it was surely not applied. When the connection is lost while it runs nobody can tell,
and the caller learns just that (OutcomeUnknown).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import TypeVar

from trinitycore_mcp.database.cluster import Database
from trinitycore_mcp.database.errors import (
    DatabaseError,
    Deadlock,
    HostLost,
    HostReadOnly,
    NotSent,
    OutcomeUnknown,
    Unavailable,
    translate,
)
from trinitycore_mcp.database.host import Role
from trinitycore_mcp.database.pool import Pool, sweep
from trinitycore_mcp.database.session import Row, Session, SessionSettings
from trinitycore_mcp.tasks import end

T = TypeVar("T")
# While a write waits for a primary, the hosts are asked this often.
_ASK_EVERY = 0.2
# After these a write is surely not applied, so it may be tried once more.
_NOT_APPLIED = (HostReadOnly, NotSent, Deadlock)


class Transaction:
    """An open transaction; its statements take effect together when the context ends well.

    The next statement, or the end, must come within the query timeout after the last one.
    """

    def __init__(self, pool: Pool, session: Session) -> None:
        self.failure: DatabaseError | None = None
        """Why it is over before its end."""
        self.over = False
        """Whether its session is settled already."""
        self._pool = pool
        self._session = session

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement and return how many rows it changed.

        :param sql: %s stands for each parameter.
        :raises HostLost: the transaction is over, nothing of it was written.
        :raises DatabaseError: the statement failed; the transaction goes on without it.
        """
        return await self._run(Session.execute, sql, parameters)

    async def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one read and return its rows; errors as in `execute`."""
        return await self._run(Session.fetch, sql, parameters)

    async def _run(
        self,
        statement: Callable[[Session, str, Sequence[object]], Awaitable[T]],
        sql: str,
        parameters: Sequence[object],
    ) -> T:
        if self.over:
            raise self.failure or HostLost("the transaction is over")
        self._session.deadline = monotonic() + self._pool.limit
        try:
            return await statement(self._session, sql, parameters)
        except BaseException as error:
            failure = self._session.verdict or translate(error)
            if failure is not None and not isinstance(failure, HostLost | Deadlock):
                raise failure from error
            self.over, self.failure = True, failure
            raise self._pool.settle(self._session, error, clean=False) from error


class Writer:
    """Writes, as an account of its own.

    It knows the hosts' roles from the reading side's checks, and has a host that refused a write checked at once.
    """

    def __init__(self, database: Database, settings: SessionSettings) -> None:
        """:param settings: the writing account's; its `schema` is our database."""
        self._database = database
        limits = database.options.pool
        self._patience = limits.acquire_timeout
        settings = replace(settings, read_only=False)
        self._pools = {
            host: Pool(host, settings, limits, name=f"{host.name}/writer", blame=False) for host in database.hosts
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the deadlines while the context is open; the database must be running too."""
        sweeper = asyncio.create_task(sweep(self._pools.values()))
        try:
            yield
        finally:
            await end(sweeper)
            await asyncio.gather(*(pool.stop() for pool in self._pools.values()))

    @property
    def available(self) -> bool:
        """Whether a write would find a host now."""
        return any(host.usable and host.role is Role.PRIMARY for host in self._pools)

    async def execute(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one writing statement and return how many rows it changed.

        :param kind: a bounded label for metrics.
        :param sql: %s stands for each parameter.
        :raises Unavailable: no host took the write; nothing was written.
        :raises OutcomeUnknown: the connection was lost while it ran.
        :raises DatabaseError: the statement failed; nothing was written.
        """
        return await self._run(Session.execute, kind, sql, parameters, again=_NOT_APPLIED)

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one read where the writes go, so that it sees them.

        :raises Unavailable: no host could serve.
        :raises DatabaseError: the statement failed.
        """
        return await self._run(Session.fetch, kind, sql, parameters, again=(HostLost,))

    async def _run(
        self,
        statement: Callable[[Session, str, Sequence[object]], Awaitable[T]],
        kind: str,
        sql: str,
        parameters: Sequence[object],
        *,
        again: tuple[type[DatabaseError], ...],
    ) -> T:
        """Run one statement, once more after a failure of these kinds."""
        started = monotonic()
        tries = 0
        while True:
            pool, session = await self._session(started)
            session.deadline = min(monotonic() + pool.limit, started + pool.patience + pool.limit)
            try:
                result = await statement(session, sql, parameters)
            except BaseException as error:
                pool.observe(kind, started)
                failure = pool.settle(session, error)
                tries += 1
                if tries > 1 or not isinstance(failure, again):
                    raise _told(failure, pool) from error
            else:
                pool.observe(kind, started)
                pool.give_back(session)
                return result

    @asynccontextmanager
    async def transaction(self, kind: str = "transaction") -> AsyncIterator[Transaction]:
        """Open a transaction; it is committed when the context ends well and rolled back when it doesn't.

        :param kind: a bounded label for metrics; the time is that of the whole transaction.
        :raises Unavailable: no host took it; nothing was written.
        :raises OutcomeUnknown: the connection was lost while it was committed.
        :raises DatabaseError: it could not be committed; nothing was written.
        """
        started = monotonic()
        pool, session = await self._begin(started)
        transaction = Transaction(pool, session)
        try:
            yield transaction
        except BaseException:
            if not transaction.over:
                pool.discard(session)  # the server rolls back what a closed session left open
            raise
        finally:
            pool.observe(kind, started)
        if transaction.over:
            raise transaction.failure or Unavailable("the transaction was ended before its end; nothing was written")
        session.deadline = monotonic() + pool.limit
        try:
            await session.execute("COMMIT")
        except BaseException as error:
            raise _told(pool.settle(session, error, clean=False), pool) from error
        pool.give_back(session)

    async def _begin(self, started: float) -> tuple[Pool, Session]:
        while True:
            pool, session = await self._session(started)
            session.deadline = min(monotonic() + pool.limit, started + pool.patience + pool.limit)
            try:
                await session.execute("START TRANSACTION READ WRITE")  # a read-only server refuses that already
            except BaseException as error:
                failure = pool.settle(session, error, clean=False)
                if not isinstance(failure, HostLost):
                    raise failure from error
            else:
                return pool, session

    async def _session(self, started: float) -> tuple[Pool, Session]:
        """Return a session of the host that takes writes; waits for one as long as for a free session."""
        by = started + self._patience
        failure: HostLost | None = None
        while True:
            host = next((each for each in self._pools if each.usable and each.role is Role.PRIMARY), None)
            if host is not None:
                pool = self._pools[host]
                try:
                    return pool, pool.take() or await pool.acquire(started)
                except HostLost as error:
                    failure = error
            if monotonic() >= by:
                raise Unavailable(self._why(failure)) from failure
            for each in self._pools:
                each.check_soon()
            await self._database.change(min(by, monotonic() + _ASK_EVERY))

    def _why(self, failure: HostLost | None) -> str:
        reasons = "; ".join(f"{host.name}: {host.why or failure or 'read-only'}" for host in self._pools)
        return f"no database host takes writes, nothing was written: {reasons}"


def _told(failure: DatabaseError, pool: Pool) -> DatabaseError:
    """Return the failure of a write as its caller should have it."""
    if isinstance(failure, HostReadOnly | NotSent):
        return Unavailable(f"{pool.host.name}: {failure}; nothing was written")
    if isinstance(failure, HostLost):
        return OutcomeUnknown(
            f"{pool.host.name}: {failure}; the connection was lost while a write was running, which may or may not "
            "have been applied"
        )
    return failure
