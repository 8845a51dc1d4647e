"""The databases, with a span for each read of a traced request. Used instead of `Database` where traces are on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.trace import SpanKind, StatusCode, Tracer, get_current_span

from trinitycore_mcp import config
from trinitycore_mcp.database import Database
from trinitycore_mcp.database.adhoc import SelectResult
from trinitycore_mcp.database.plan import Plan
from trinitycore_mcp.database.session import Row, SessionSettings


class TracedDatabase(Database):
    """Reads rows, and says in spans how long each read took, its waiting and repetitions included.

    Statements are in no span: those that people write hold values.
    """

    def __init__(self, options: config.Database, settings: SessionSettings, tracer: Tracer) -> None:
        super().__init__(options, settings)
        self._tracer = tracer

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one read; see `Database.fetch`."""
        with self._span("SELECT", kind):
            return await super().fetch(kind, sql, parameters)

    async def select(
        self,
        kind: str,
        sql: str,
        *,
        schema: str | None = None,
        max_rows: int | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (as Database has it)
    ) -> SelectResult:
        """Run one reading statement that somebody wrote; see `Database.select`."""
        with self._span("SELECT", kind):
            return await super().select(
                kind, sql, schema=schema, max_rows=max_rows, max_bytes=max_bytes, timeout=timeout
            )

    async def explain(self, kind: str, sql: str, *, schema: str | None = None) -> Plan:
        """Return the database's plan for one SELECT; see `Database.explain`."""
        with self._span("EXPLAIN", kind):
            return await super().explain(kind, sql, schema=schema)

    @contextmanager
    def _span(self, operation: str, kind: str) -> Iterator[None]:
        """Keep a span open; none for reads that no traced request asked for, such as checks of health."""
        if not get_current_span().is_recording():
            yield
            return
        system = "mariadb" if any("mariadb" in host.version.lower() for host in self.hosts) else "mysql"
        # https://opentelemetry.io/docs/specs/semconv/database/database-spans/
        attributes = {"db.system.name": system, "db.operation.name": operation, "db.query.summary": kind}
        span = self._tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes)
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end()
