"""The record of every call that needs scope admin: in the log at once, in our own database soon after.

Records wait in memory while the database is away, MAX_WAITING of them; when more come, the oldest are given up there,
counted and said so. The log has them all.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trinitycore_mcp import metrics
from trinitycore_mcp.access.key_store import Writer
from trinitycore_mcp.access.masking import recorded
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.tasks import end

_log = logging.getLogger(__name__)
MAX_WAITING = 1000
_BATCH = 50
_WRITE_TIMEOUT = 5.0
_FIRST_DELAY = 0.25
_LONGEST_DELAY = 10.0
_COLUMNS = "id, at, instance, principal, auth_method, tool, arguments, outcome, duration_ms, trace_id"
_ROW = f"({', '.join(['%s'] * 10)})"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One call, as it stands in the table. `at` is UTC."""

    id: int
    at: datetime
    instance: str
    principal: str
    auth_method: str
    tool: str
    arguments: dict[str, Any]
    outcome: str
    duration_ms: float
    trace_id: str | None

    def row(self) -> tuple[object, ...]:
        """Return the values for the table's columns."""
        at = self.at.replace(tzinfo=None)
        # Surrogates, which JSON can bring in, are no text to a database: as \\u escapes they are.
        arguments = json.dumps(self.arguments)
        names = (self.instance, self.principal, self.auth_method, self.tool)
        return (self.id, at, *names, arguments, self.outcome, self.duration_ms, self.trace_id)


class AuditLog:
    """Takes records and sees to it that they are kept."""

    def __init__(self, instance: str, writer: Writer | None, *, schema: str = "mcp") -> None:
        """:param writer: our own database; None: the log alone keeps the records."""
        self._instance = instance[:64]
        self._writer = writer
        self._schema = schema
        self._waiting: deque[AuditRecord] = deque()
        self._last_id = 0
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """Number of records that the database does not have yet."""
        return len(self._waiting)

    def record(
        self,
        principal: Principal,
        tool: str,
        arguments: bytes | Mapping[str, Any],
        outcome: str,
        seconds: float,
        trace_id: str | None,
    ) -> None:
        """Record a call; never waits, never fails.

        :param tool: a registered tool's name.
        :param arguments: as they came, as JSON text or as values; what is secret in them is masked here.
        :param outcome: "ok" or the kind of failure, a bounded label.
        :param seconds: how long the call took.
        """
        now = time.time()
        # In order of time, and known before it is written: a write whose answer was lost can be repeated.
        self._last_id = max(self._last_id + 1, (int(now * 1000) << 21) | secrets.randbits(21))
        entry = AuditRecord(
            id=self._last_id,
            at=datetime.fromtimestamp(now, UTC),
            instance=self._instance,
            principal=_text(principal.name, 128),
            auth_method=principal.method,
            tool=_text(tool, 64),
            arguments=recorded(_values(arguments) if isinstance(arguments, bytes) else arguments),
            outcome=_text(outcome, 32),
            duration_ms=round(seconds * 1000, 3),
            trace_id=_text(trace_id, 32) if trace_id is not None else None,
        )
        fields = {name: getattr(entry, name) for name in entry.__slots__ if name not in ("id", "at")}
        _log.info("audit", extra={"fields": fields})
        if self._writer is None:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            metrics.AUDIT_DROPPED.inc()
            _log.error(
                "audit record dropped before it reached the database", extra={"fields": {"waiting": MAX_WAITING}}
            )
        self._waiting.append(entry)
        self._some.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write records in the background while the context is open; `flush` before leaving it."""
        task = asyncio.create_task(self._write_all())
        try:
            yield
        finally:
            await end(task)

    async def flush(self, patience: float = 5.0) -> bool:
        """Write what is waiting, trying for so many seconds; return whether nothing waits any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._waiting:
                    if not await self._write():
                        await asyncio.sleep(_FIRST_DELAY)
        if self._waiting:
            fields = {"waiting": len(self._waiting)}
            _log.error("audit records did not reach the database; the log has them", extra={"fields": fields})
        return not self._waiting

    async def _write_all(self) -> None:
        delay = _FIRST_DELAY
        while True:
            await self._some.wait()
            if await self._write():
                delay = _FIRST_DELAY
            else:
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)

    async def _write(self) -> bool:
        """Write one batch and return whether that worked."""
        async with self._writing:
            batch = [self._waiting[i] for i in range(min(_BATCH, len(self._waiting)))]
            if not batch or self._writer is None:
                self._some.clear()
                return True
            rows = ", ".join([_ROW] * len(batch))
            sql = f"INSERT INTO `{self._schema}`.audit ({_COLUMNS}) VALUES {rows} ON DUPLICATE KEY UPDATE id = id"
            values = [value for entry in batch for value in entry.row()]
            try:
                async with asyncio.timeout(_WRITE_TIMEOUT):
                    await self._writer.execute("audit", sql, values)
            except Exception as error:  # whatever it is, the records wait
                fields = {"reason": type(error).__name__, "waiting": len(self._waiting)}
                _log.warning("audit records can't be written to the database", extra={"fields": fields})
                return False
            written = {entry.id for entry in batch}
            while self._waiting and self._waiting[0].id in written:  # some may have been dropped meanwhile
                self._waiting.popleft()
            if not self._waiting:
                self._some.clear()
            return True


def _values(raw: bytes) -> Mapping[str, Any]:
    """Return the values of arguments that came as JSON; what is no object was refused, and is not written down."""
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError):
        values = None
    return values if isinstance(values, dict) else {}


def _text(value: str, most: int) -> str:
    return value[:most].encode("utf-8", "replace").decode()
