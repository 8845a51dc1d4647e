"""One database host: its role, its replication lag, and whether it can be read from now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from math import nan
from time import monotonic

from trinitycore_mcp import config, metrics
from trinitycore_mcp.database.breaker import Breaker
from trinitycore_mcp.database.dialect import Replication
from trinitycore_mcp.database.errors import DatabaseError, HostLost, HostSilent, translate
from trinitycore_mcp.database.session import Session, SessionSettings, connect

_log = logging.getLogger(__name__)
CHECK_INTERVAL = 1.0
CHECK_TIMEOUT = 1.0
# Checks that are asked for come no closer than this, however many ask.
_CHECK_GAP = 0.1
# How often an account that may not see the replication status asks again: it may be granted the right.
_ASK_AGAIN = 60.0


class Role(StrEnum):
    """What a host last said it is."""

    UNKNOWN = "unknown"
    PRIMARY = "primary"
    REPLICA = "replica"


class Host:
    """Watches one database server.

    `on_change` is called whenever the host comes up, goes down, or changes in what it is good for.
    """

    def __init__(
        self,
        address: config.DatabaseHost,
        settings: SessionSettings,
        breaker: config.Breaker,
        max_lag: float,
        on_change: Callable[[], None],
    ) -> None:
        self.address = address
        self.name = f"{address.host}:{address.port}"
        self.role = Role.UNKNOWN
        self.version = ""
        self.up = False
        self.silent = False
        """Down for giving no answer; when no host is up, it is still worth trying."""
        self.reason = "not checked yet"
        """Why it is down."""
        self.lag: float | None = None
        """Seconds behind its source; None: unknown, or it is none's replica."""
        self.behind = ""
        """Why it is no replica to read from while another server is there; empty: it is fine."""
        self.note = ""
        """What people should know although it is up."""
        self.breaker = Breaker(breaker)
        self.checked = asyncio.Event()
        """Set once the first check is done, whatever it found."""
        self.on_down: list[Callable[[], None]] = []
        self._settings = settings
        self._max_lag = max_lag
        self._on_change = on_change
        self._check_now = asyncio.Event()
        self._session: Session | None = None
        self._ask_lag_at = 0.0
        metrics.DB_BREAKER_OPEN.labels(self.name).set(0)

    @property
    def usable(self) -> bool:
        """Whether it answered last time and is not left alone."""
        return self.up and not self.breaker.is_open

    def check_soon(self) -> None:
        """Have the host checked now instead of at the next second."""
        self._check_now.set()

    async def watch(self) -> None:
        """Check the host about once a second, at once when a statement failed; never returns."""
        while True:
            self._check_now.clear()
            began = monotonic()
            try:
                async with asyncio.timeout(CHECK_TIMEOUT):
                    await self._check_over_a_session()
            except Exception as error:  # whatever it is, the host can't be read from now
                self._set_down(translate(error) or HostLost(type(error).__name__))
            self.checked.set()
            await self._pause(began)

    async def _check_over_a_session(self) -> None:
        """Check over the watcher's own session; one that was lost alone (killed) is replaced at once."""
        session, self._session = self._session, None
        if session is not None and session.usable:
            try:
                await self._check(session)
            except asyncio.CancelledError:
                session.close()
                raise
            except Exception:  # the new session will tell what it is
                session.close()
            else:
                self._session = session
                return
        session = await connect(self.address, self._settings)
        try:
            await self._check(session)
        except BaseException:
            session.close()
            raise
        self._session = session

    async def _pause(self, began: float) -> None:
        """Wait until the next check is due: in a second, or soon when one is asked for, or when the breaker allows."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_INTERVAL):
                await self._check_now.wait()
        await asyncio.sleep(max(self.breaker.wait if self.breaker.is_open else 0.0, began + _CHECK_GAP - monotonic()))

    async def _check(self, session: Session) -> None:
        [row] = await session.fetch("SELECT @@global.read_only AS read_only")
        role = Role.PRIMARY if str(row["read_only"]).upper() in ("0", "OFF") else Role.REPLICA
        lag, behind, note = None, "", ""
        if role is Role.REPLICA:
            lag, behind, note = await self._replication(session)
        self._set_up(role, session.version, lag, behind, note)

    async def _replication(self, session: Session) -> tuple[float | None, str, str]:
        """Return the lag, why the replica is not fit for reads, and what people should know about it."""
        if self.role is Role.REPLICA and self.up and monotonic() < self._ask_lag_at:
            return None, "", self.note
        dialect = session.dialect
        try:
            rows = await session.fetch(dialect.replica_status)
            member = None if rows else await self._membership(session)
            state = member or dialect.replication(rows)
        except Exception as error:
            failure = translate(error)
            if failure is None or isinstance(failure, HostLost):
                raise
            self._ask_lag_at = monotonic() + _ASK_AGAIN
            note = f"replication lag is unknown: grant {dialect.replica_privilege} to {self._settings.user}"
            return None, "", note
        self._ask_lag_at = 0.0
        behind = ""
        if state.stopped:
            behind = f"replication is broken: {state.stopped}"
        elif state.lag is not None and state.lag > self._max_lag:
            behind = f"replication is {state.lag:.0f} s behind, allowed are {self._max_lag:g} s"
        return state.lag, behind, behind

    async def _membership(self, session: Session) -> Replication | None:
        """Return how it stands in a group of servers, as a reader may be told; None: it is in none."""
        dialect = session.dialect
        if not dialect.group_status:
            return None
        try:
            return dialect.membership(await session.fetch(dialect.group_status))
        except Exception as error:
            if isinstance(translate(error), HostLost | None):
                raise
            return None  # our account may not see it

    def _set_up(self, role: Role, version: str, lag: float | None, behind: str, note: str) -> None:
        came_up = not self.up or role is not self.role
        fitness_changed = bool(behind) is not bool(self.behind)
        noted = note and (came_up or not self.note)
        self.up, self.silent, self.reason = True, False, ""
        self.role, self.version, self.lag, self.behind, self.note = role, version, lag, behind, note
        if self.breaker.is_open:  # this was the one try that an open breaker allows
            self.breaker.reset()
        if role is Role.REPLICA:
            metrics.DB_REPLICATION_LAG.labels(self.name).set(nan if lag is None else lag)
        elif came_up:
            with suppress(KeyError):
                metrics.DB_REPLICATION_LAG.remove(self.name)
        if came_up:
            self._log(logging.INFO, "database host is up")
        if noted:
            self._log(logging.WARNING, "database replica needs attention")
        elif fitness_changed and not behind:
            self._log(logging.INFO, "database replica has caught up")
        if came_up or fitness_changed:
            self._publish()

    def failed(self, failure: HostLost) -> None:
        """Take the host for down until a check succeeds.

        What several statements meet at once is one failure: only the first finds it up.
        """
        if self.up:
            self._set_down(failure)

    def demoted(self) -> None:
        """Take the host for read-only: it just refused a write."""
        if self.role is Role.PRIMARY:
            self.role = Role.REPLICA
            self._log(logging.WARNING, "database host has become read-only")
            self._publish()
        self.check_soon()

    def _set_down(self, failure: DatabaseError) -> None:
        was_up, was_open = self.up, self.breaker.is_open
        self.breaker.failed()
        self.up, self.silent, self.reason = False, isinstance(failure, HostSilent), str(failure)
        for drop in self.on_down:
            drop()
        if was_up:
            self._log(logging.WARNING, "database host is down")
        if self.breaker.is_open and not was_open:
            self._log(logging.WARNING, "database host is left alone for a while")
        if was_up or self.breaker.is_open is not was_open:
            self._publish()

    def close(self) -> None:
        """Close the watcher's session."""
        if self._session is not None:
            self._session.close()

    @property
    def why(self) -> str:
        """Why it can't be used now, for people."""
        if self.breaker.is_open:
            return (
                f"circuit breaker open after {self.breaker.failures} failures in a row, "
                f"next try in {self.breaker.wait:.1f} s; last failure: {self.reason}"
            )
        return self.reason

    def _publish(self) -> None:
        for role in Role:
            metrics.DB_HOST_UP.labels(self.name, role).set(self.up and role is self.role)
        metrics.DB_BREAKER_OPEN.labels(self.name).set(self.breaker.is_open)
        self._on_change()

    def _log(self, level: int, message: str) -> None:
        fields = {
            "host": self.name,
            "role": self.role,
            "reason": self.reason or self.note or None,
            "version": self.version,
        }
        _log.log(level, message, extra={"fields": fields})
