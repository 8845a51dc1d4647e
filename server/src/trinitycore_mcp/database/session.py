"""One session with one database server; all that the package knows of its driver is here.

Measured with 64 tasks over 10 sessions, one primary-key SELECT of 6 columns: the driver's prepared statements take
18 us of CPU with rows as tuples and 22 us with its mappings, its text protocol 38 us and 33 us. So statements with
parameters are prepared, and mappings are made here.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from asyncmy.connection import Connection
from asyncmy.constants import CLIENT
from asyncmy.cursors import Cursor, SSCursor

from trinitycore_mcp.config import DatabaseHost
from trinitycore_mcp.database.dialect import Dialect, dialect_of
from trinitycore_mcp.database.errors import DatabaseError
from trinitycore_mcp.tasks import end

Row = dict[str, Any]
# Distinct statements a session keeps prepared. All sessions of all instances together must stay below the server's
# max_prepared_stmt_count (16,382 by default), beyond which the driver falls back to text.
_PREPARED_STATEMENTS = 64
# Rows taken from the driver at a time when a result is read in pieces.
_PIECE = 100
# The driver logs a statement's warnings, and those quote values of rows.
logging.getLogger("asyncmy").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class SessionSettings:
    """What every session needs besides its host."""

    user: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None
    connect_timeout: float
    query_timeout: float
    read_only: bool = True
    """Whether the session refuses to write even where its account may."""
    schema: str | None = None
    """The database that unqualified names are looked up in."""
    sql_mode: str | None = None
    """None: the server's."""


class Session:
    """A logged-in connection, used by one task at a time."""

    __slots__ = ("_connection", "_names", "deadline", "dialect", "max_buffer", "verdict")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: dict[str, tuple[object, list[str]]] = {}
        self.dialect: Dialect = dialect_of(self.version)
        self.deadline = inf
        """Monotonic time after which the pool's sweep aborts the session."""
        self.max_buffer = inf
        """Bytes received but not yet read at which the sweep aborts it: a row that large is not worth its memory."""
        self.verdict: DatabaseError | None = None
        """Why it was aborted; what its task gets instead of the driver's "lost connection"."""

    @property
    def version(self) -> str:
        """What the server greeted with."""
        return str(self._connection.server_version)  # type: ignore[attr-defined]  # not in the driver's stubs

    @property
    def thread_id(self) -> int:
        """The server's number for this connection."""
        return int(self._connection.thread_id())

    @property
    def usable(self) -> bool:
        """Whether the connection stands, as far as this side has heard: the server may have closed it while idle."""
        return not self._connection._stream_broken  # type: ignore[attr-defined]  # not in the driver's stubs

    @property
    def buffered(self) -> int:
        """Bytes received but not yet read."""
        state = self._connection._proto  # type: ignore[attr-defined]  # not in the driver's stubs
        return int(state.length - state.pos) if state is not None else 0

    async def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement and return its rows as mappings of column name to value.

        :param sql: %s stands for each parameter; without parameters a % is just that.
        :raises ValueError: two columns have the same name.
        :raises Exception: whatever the driver raises; see errors.translate.
        """
        cursor = self._connection.cursor()
        await cursor.execute(sql, tuple(parameters) if parameters else None)
        columns = cursor.description
        if columns is None:
            return []
        # A prepared statement hands out the same description as long as its columns stay as they are.
        known = self._names.get(sql)
        if known is not None and known[0] is columns:
            names = known[1]
        else:
            names = self._learn(sql, columns, keep=bool(parameters))
        return [dict(zip(names, row)) for row in await cursor.fetchall()]  # noqa: B905 (equal; strict costs time)

    def _learn(self, sql: str, columns: Sequence[Sequence[Any]], *, keep: bool) -> list[str]:
        names = [str(column[0]) for column in columns]
        if len(set(names)) < len(names):
            raise ValueError(f"columns of the same name: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")
        if keep:
            if len(self._names) >= 2 * _PREPARED_STATEMENTS:
                self._names.clear()
            self._names[sql] = (columns, names)
        return names

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        cursor = self._connection.cursor()
        return int(await cursor.execute(sql, tuple(parameters) if parameters else None))

    async def stream(self, sql: str) -> tuple[list[Any], AsyncIterator[list[tuple[Any, ...]]]]:
        """Run one statement; return the driver's fields (name, type_code, charsetnr) and its rows in pieces.

        The session is of no more use unless the rows are read to their end.
        """
        cursor = SSCursor(self._connection)
        await cursor.execute(sql)
        result = cursor._result  # type: ignore[attr-defined]  # not in the driver's stubs

        async def pieces() -> AsyncIterator[list[tuple[Any, ...]]]:
            while piece := await cursor.fetchmany(_PIECE):
                yield piece

        return list(result.fields or ()) if result.description else [], pieces()

    def abort(self, why: DatabaseError) -> None:
        """Drop the connection without a word, whatever its task is waiting for; the task gets an error."""
        self.verdict = self.verdict or why
        transport = self._connection._transport  # type: ignore[attr-defined]  # not in the driver's stubs
        if transport is not None:
            transport.abort()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


async def connect(host: DatabaseHost, settings: SessionSettings) -> Session:
    """Return a new session.

    A reading one has READ ONLY transactions as the second lock behind its account's grants; every one has the
    server's time limit, and takes one statement at a time (the protocol's multi-statement option is off).

    :raises TimeoutError: not connected within connect_timeout, TLS and login included.
    :raises Exception: whatever the driver raises; see errors.translate.
    """
    connection = Connection(  # type: ignore[no-untyped-call]
        host=host.host,
        port=host.port,
        user=settings.user,
        password=settings.password,
        database=settings.schema,
        ssl=settings.tls,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=settings.connect_timeout,
        stmt_cache_size=_PREPARED_STATEMENTS,  # parameters are bound by the server, not put into the text
        program_name="trinitycore-mcp",
        cursor_cls=Cursor,
    )
    # The driver always asks for it and has no option not to.
    connection._client_flag &= ~CLIENT.MULTI_STATEMENTS  # type: ignore[attr-defined]
    logging_in = asyncio.create_task(_log_in(connection, settings))
    try:
        async with asyncio.timeout(settings.connect_timeout):
            return await asyncio.shield(logging_in)
    except BaseException:
        # Not awaited as it is: a login that goes on in spite of its cancellation would never end on a frozen server.
        await end(logging_in, again=0.01)
        connection.close()
        raise


async def _log_in(connection: Connection, settings: SessionSettings) -> Session:
    await connection.connect()
    session = Session(connection)
    if settings.read_only:
        await session.execute("SET SESSION TRANSACTION READ ONLY")
    if settings.sql_mode is not None:
        await session.execute("SET SESSION sql_mode = %s", (settings.sql_mode,))
    await session.execute(session.dialect.limit(settings.query_timeout))
    return session
