"""What the database tests share: a pair of servers, and our database layer over some servers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypedDict, Unpack

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import LAB_WORLD
from trinitycore_mcp import config
from trinitycore_mcp.database import Database, Writer
from trinitycore_mcp.database.session import SessionSettings

PORT = "SELECT @@port AS port"
HEAVY = "SELECT COUNT(*) AS heavy FROM " + ", ".join(f"world.item_template t{n}" for n in range(7))


class Limits(TypedDict, total=False):
    """Keys of the configuration's pool."""

    size: int
    acquire_timeout: float
    connect_timeout: float
    query_timeout: float


@contextmanager
def primary_and_replica(folder: Path) -> Iterator[tuple[MariaDb, MariaDb]]:
    """Start both, with the lab's creatures and items, the reading account app_ro and the writing account app_rw."""
    safe = {"innodb_flush_log_at_trx_commit": "1"}  # tests kill the servers, and rows must survive that
    with (
        MariaDb.start(folder / "1", server_id=1, options=safe) as primary,
        MariaDb.start(folder / "2", server_id=2, options=safe) as replica,
    ):
        replica.replicate_from(primary)
        primary.load("world", LAB_WORLD / "world.sql")
        primary.account("app_ro", "app_ro", "SELECT, SLAVE MONITOR ON *.*")
        primary.sql("CREATE DATABASE mcp CHARACTER SET utf8mb4")
        primary.sql("CREATE TABLE mcp.note (id INT PRIMARY KEY, text VARCHAR(100)) ENGINE=InnoDB")
        primary.account("app_rw", "app_rw", "SELECT, INSERT, UPDATE, DELETE ON mcp.*")
        replica.wait_for_gtid(primary.sql("SELECT @@gtid_binlog_pos")[0][0])
        yield primary, replica


def settings_for(user: str, limits: config.Pool, tls: ssl.SSLContext | None = None) -> SessionSettings:
    """Return how to log in as the user, whose password is its name."""
    return SessionSettings(user, user, tls, limits.connect_timeout, limits.query_timeout)


@asynccontextmanager
async def database_over(
    *servers: MariaDb,
    tls: ssl.SSLContext | None = None,
    user: str = "app_ro",
    section: Mapping[str, object] | None = None,
    **pool: Unpack[Limits],
) -> AsyncIterator[Database]:
    """Run our database layer over the servers.

    :param section: more keys of the configuration's database section.
    :param pool: keys of its pool.
    """
    limits = config.Pool.model_validate({"connect_timeout": 1, "query_timeout": 3, **pool})
    hosts = [{"host": "127.0.0.1", "port": server.port} for server in servers]
    options = config.Database.model_validate({"hosts": hosts, "user": user, "pool": limits, **(section or {})})
    database = Database(options, settings_for(user, limits, tls))
    async with database.running():
        yield database


@asynccontextmanager
async def writer_over(*servers: MariaDb, user: str = "app_rw", **pool: Unpack[Limits]) -> AsyncIterator[Writer]:
    """Run a writer over the servers."""
    async with database_over(*servers, **pool) as database:
        writer = Writer(database, settings_for(user, database.options.pool))
        async with writer.running():
            yield writer


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something holds that happens elsewhere.

    :raises TimeoutError: it does not in time.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (what is waited for happens in another process)
            await asyncio.sleep(0.02)
