"""Open one session to one database server: TLS checked, read-only, with a time limit on statements."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncmy.connection import Connection
from asyncmy.cursors import DictCursor

from trinitycore_mcp.config import DatabaseHost

Row = dict[str, Any]
# Distinct statements a session keeps prepared; the tools have about this many.
_PREPARED_STATEMENTS = 48


@dataclass(frozen=True)
class SessionSettings:
    """What every session needs besides its host."""

    user: str
    password: str
    tls: ssl.SSLContext | None
    connect_timeout: float
    query_timeout: float


async def connect(host: DatabaseHost, settings: SessionSettings) -> Connection:
    """Return a session that can only read.

    The account's grants are the first lock; READ ONLY transactions are the second.

    :raises TimeoutError: not connected within connect_timeout, TLS and login included.
    :raises Exception: whatever the driver raises; see errors.translate.
    """
    connection = Connection(  # type: ignore[no-untyped-call]
        host=host.host,
        port=host.port,
        user=settings.user,
        password=settings.password,
        ssl=settings.tls,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=settings.connect_timeout,
        stmt_cache_size=_PREPARED_STATEMENTS,  # parameters are bound by the server, not put into the text
        program_name="trinitycore-mcp",
        cursor_cls=DictCursor,
    )
    try:
        async with asyncio.timeout(settings.connect_timeout):
            await connection.connect()
            await fetch(connection, "SET SESSION TRANSACTION READ ONLY")
            if "MariaDB" in str(connection.server_version):  # type: ignore[attr-defined]
                await fetch(connection, f"SET SESSION max_statement_time = {settings.query_timeout:.3f}")
            else:
                await fetch(connection, f"SET SESSION max_execution_time = {settings.query_timeout * 1000:.0f}")
    except BaseException:
        connection.close()
        raise
    return connection


async def fetch(connection: Connection, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
    """Run one statement and return its rows as mappings of column name to value."""
    cursor = connection.cursor()
    await cursor.execute(sql, tuple(parameters) or None)
    return list(await cursor.fetchall())
