"""The sessions of one account on one host: lent without waiting where possible, in order of arrival where not.

A query costs a few microseconds of Python here, so what usually happens is synchronous: a session is popped from a
list, and one sweep every 50 ms ends what is overdue, instead of a timer for each query.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from math import inf
from time import monotonic
from typing import TypeVar

from trinitycore_mcp import config, metrics
from trinitycore_mcp.database.errors import (
    Busy,
    DatabaseError,
    HostLost,
    HostReadOnly,
    HostSilent,
    QueryFailed,
    translate,
)
from trinitycore_mcp.database.host import Host
from trinitycore_mcp.database.killer import Killer
from trinitycore_mcp.database.session import Row, Session, SessionSettings, connect

T = TypeVar("T")
SWEEP_INTERVAL = 0.05
# The server stops a statement at the query timeout; a host silent for this much longer is taken for frozen.
GRACE = 0.5


class Pool:
    """Lends sessions.

    :param name: the label in metrics.
    :param keep: whether sessions are used again.
    :param blame: whether a lost session counts as the host's failure; else the host is only checked anew.
    """

    def __init__(
        self,
        host: Host,
        settings: SessionSettings,
        limits: config.Pool,
        *,
        name: str | None = None,
        size: int | None = None,
        keep: bool = True,
        blame: bool = True,
    ) -> None:
        self.host = host
        self.name = name or host.name
        self.size = size or limits.size
        self.patience = limits.acquire_timeout
        self.limit = settings.query_timeout + GRACE
        """Seconds that a statement may take as seen from here."""
        self._settings = settings
        self._keep = keep
        self._blame = blame
        self._idle: list[Session] = []
        self._sessions: set[Session] = set()
        self._places = 0
        """Sessions, and those being connected."""
        self._waiting: deque[tuple[asyncio.Future[Session | None], float]] = deque()
        self._observers: dict[str, Callable[[float], None]] = {}
        self._killer = Killer(host.address, settings, self.name)
        gauge = metrics.DB_POOL_CONNECTIONS
        gauge.labels(self.name, "idle").set_function(lambda: len(self._idle))
        gauge.labels(self.name, "used").set_function(lambda: self.in_use)
        host.on_down.append(self.close_idle)

    @property
    def in_use(self) -> int:
        """Sessions lent or being connected."""
        return self._places - len(self._idle)

    @property
    def load(self) -> int:
        """Those lent and those waited for."""
        return self._places - len(self._idle) + len(self._waiting)

    @property
    def keeps_up(self) -> bool:
        """Whether nobody waits for long: whoever comes now can hope for a session."""
        return not self._waiting or self._waiting[0][1] - monotonic() > self.patience / 2

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object], started: float) -> list[Row]:
        """Run one read; see `run`."""
        return await self.run(Session.fetch, kind, sql, parameters, started)

    async def run(
        self,
        statement: Callable[[Session, str, Sequence[object]], Awaitable[T]],
        kind: str,
        sql: str,
        parameters: Sequence[object],
        started: float,
    ) -> T:
        """Run one statement on a session of the pool.

        :param statement: Session.fetch or Session.execute.
        :param kind: a bounded label for metrics, e.g. the tool's name.
        :param started: monotonic time when the caller began; the call is over at most patience + limit later.
        :raises HostLost: the host failed, not the statement: try another host.
        :raises DatabaseError: the statement failed; another host would say the same.
        """
        session = self.take() or await self.acquire(started)
        session.deadline = min(monotonic() + self.limit, started + self.patience + self.limit)
        try:
            result = await statement(session, sql, parameters)
        except BaseException as error:
            self.observe(kind, started)
            raise self.settle(session, error) from error
        self.give_back(session)
        if self.host.breaker.failures and self._blame:
            self.host.breaker.reset()
        self.observe(kind, started)
        return result

    def observe(self, kind: str, started: float) -> None:
        """Record how long a statement took."""
        observer = self._observers.get(kind)
        if observer is None:
            observer = self._observers[kind] = metrics.DB_QUERY_DURATION.labels(self.name, kind).observe
        observer(monotonic() - started)

    def take(self) -> Session | None:
        """Return an idle session, if there is one."""
        while self._idle:
            session = self._idle.pop()
            if session.usable:
                return session
            self.discard(session)
        return None

    async def acquire(self, started: float) -> Session:
        """Return a session when there is one, or a new one.

        Waits for the pool's patience, but never beyond what `started` leaves.

        :raises Busy: none became free in time.
        :raises HostLost: no connection could be made.
        """
        by = min(monotonic() + self.patience, started + self.patience + self.limit)
        if self._places < self.size:
            self._places += 1
            return await self._connect(by)
        waiter: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((waiter, by))
        try:
            session = await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                given = waiter.result()  # it came together with the cancellation: the next one has it
                if given is not None:
                    self.give_back(given)
                else:
                    self._free_place()
            raise
        except DatabaseError as error:
            self._count_failure(error)
            raise
        return session or await self._connect(by)

    async def _connect(self, by: float) -> Session:
        """Fill a place, already counted, with a new session."""
        left = by - monotonic()
        try:
            if left <= 0:
                raise HostSilent("no answer in time")
            settings = replace(self._settings, connect_timeout=min(left, self._settings.connect_timeout))
            session = await connect(self.host.address, settings)
        except BaseException as error:
            self._free_place()
            failure = translate(error)
            if failure is None:
                raise
            self._count_failure(failure)
            if isinstance(failure, HostLost):  # else it answered, e.g. that our database is not there yet
                self._blame_host(failure, shortly=monotonic() >= by)
            raise failure from error
        self._sessions.add(session)
        return session

    def give_back(self, session: Session) -> None:
        """Take back a session in good order; the one who waits longest has it next."""
        session.deadline = inf
        if not self._keep or session.verdict is not None:
            self.discard(session)
            return
        while self._waiting:
            waiter, _ = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(session)
                return
        self._idle.append(session)

    def discard(self, session: Session) -> None:
        """Close a session; the one who waits longest may connect in its place."""
        self._sessions.discard(session)
        session.close()
        self._free_place()

    def _free_place(self) -> None:
        while self._waiting:
            waiter, _ = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._places -= 1

    def abandon(self, session: Session) -> None:
        """Discard a session whose statement may still run: it is ended in the server too.

        Not by us if it may be a commit that must not be ended; the server's own time limit leaves those alone.
        """
        if self._settings.read_only or session.dialect.kill_spares_commits:
            self._killer.kill(session.thread_id)
        self.discard(session)

    def settle(self, session: Session, error: BaseException, *, clean: bool = True) -> DatabaseError:
        """Take back a session whose statement ended in this error; return our kind of it.

        :param clean: whether the session may be used again after a mere refusal (no transaction is open).
        :raises BaseException: the error itself, when it is a cancellation or a defect.
        """
        failure = session.verdict or translate(error)
        if failure is None or isinstance(error, asyncio.CancelledError):
            self.abandon(session)
            raise error
        if session.verdict is not None:
            self.abandon(session)
        elif clean and not isinstance(failure, HostLost):
            self.give_back(session)
        else:
            self.discard(session)
        self._count_failure(failure)
        if isinstance(failure, HostLost):
            self._blame_host(failure)
        return failure

    def _count_failure(self, failure: DatabaseError) -> None:
        metrics.DB_QUERY_FAILURES.labels(self.name, type(failure).__name__).inc()

    def _blame_host(self, failure: HostLost, *, shortly: bool = False) -> None:
        """Tell the host.

        :param shortly: the caller had too little time left for the failure to mean much.
        """
        if isinstance(failure, HostReadOnly):
            self.host.demoted()
        elif self._blame and not shortly:
            self.host.failed(failure)
        self.host.check_soon()

    def sweep(self, now: float) -> None:
        """End what is overdue: statements, and the patience of those who wait."""
        for session in self._sessions:
            if session.deadline < now:
                session.abort(HostSilent("no answer in time"))
            elif session.max_buffer < inf and session.buffered > session.max_buffer:
                session.abort(QueryFailed("a single row of the result is larger than the limit for the whole result"))
        for waiter, by in self._waiting:
            if by < now and not waiter.done():
                waiter.set_exception(Busy(f"all {self.size} connections to {self.host.name} are in use"))
        while self._waiting and self._waiting[0][0].done():
            self._waiting.popleft()

    def give_up_running(self) -> None:
        """End the wait of all that runs or waits here, so that it is repeated on another host now."""
        failure = HostSilent("no answer in time")
        for session in self._sessions:
            if session.deadline < inf:
                session.abort(failure)
        while self._waiting:
            waiter, _ = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(failure)

    def close_idle(self) -> None:
        """Drop the idle sessions."""
        while self._idle:
            self.discard(self._idle.pop())

    async def stop(self) -> None:
        """Drop the idle sessions and finish ending statements."""
        self.close_idle()
        await self._killer.stop()


async def sweep(pools: Iterable[Pool]) -> None:
    """Sweep the pools again and again; never returns."""
    each = list(pools)
    while True:
        await asyncio.sleep(SWEEP_INTERVAL)
        now = monotonic()
        for pool in each:
            pool.sweep(now)
