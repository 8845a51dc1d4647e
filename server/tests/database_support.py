"""What the database tests share: a pair of servers, and our database layer over some servers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import TypedDict, Unpack

import pymysql
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import FLAVORS

from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS, kind_of
from tests.support.mcp_server import LAB_WORLD
from trinitycore_mcp import config
from trinitycore_mcp.database import Database, Writer
from trinitycore_mcp.database.session import SessionSettings

# Plans of tables just loaded are estimated from nothing until the server has looked at them, some seconds later.
FRESH_STATISTICS = "ANALYZE TABLE world.creature_template, world.item_template"
Pair = tuple[DatabaseServer, DatabaseServer]
PORT = "SELECT @@port AS port"
# A sum: MySQL multiplies the tables' sizes to count.
HEAVY = "SELECT SUM(t0.entry) AS heavy FROM " + ", ".join(f"world.item_template t{n}" for n in range(7))


class Limits(TypedDict, total=False):
    """Keys of the configuration's pool."""

    size: int
    acquire_timeout: float
    connect_timeout: float
    query_timeout: float


@contextmanager
def primary_and_replica(kind: str, folder: Path) -> Iterator[Pair]:
    """Start both, with the lab's creatures and items, the reading account app_ro and the writing account app_rw.

    :param kind: a name in SERVERS.
    """
    # Tests kill the servers, and rows must survive that.
    safe = {"innodb_flush_log_at_trx_commit": "1", "sync_binlog": "1"}
    with (
        SERVERS[kind].start(folder / "1", server_id=1, options=safe) as primary,
        SERVERS[kind].start(folder / "2", server_id=2, options=safe) as replica,
    ):
        replica.replicate_from(primary)
        primary.load("world", LAB_WORLD / "world.sql")
        primary.account("app_ro", "app_ro", everywhere(primary, "SELECT", "SLAVE MONITOR"))
        primary.sql("CREATE DATABASE mcp CHARACTER SET utf8mb4")
        primary.sql("CREATE TABLE mcp.note (id INT PRIMARY KEY, text VARCHAR(100)) ENGINE=InnoDB")
        primary.account("app_rw", "app_rw", "SELECT, INSERT, UPDATE, DELETE ON mcp.*")
        replica.wait_for_gtid(primary.position())
        yield primary, replica


def everywhere(server: DatabaseServer, *privileges: str) -> str:
    """Return what stands between GRANT and TO for privileges that the role grants, in this kind of server's words."""
    [(level, granted)] = FLAVORS[kind_of(server)].grants({"*.*": set(privileges)}).items()
    return f"{', '.join(sorted(granted))} ON {level}"


def kill_sessions(server: DatabaseServer, user: str) -> None:
    """Have the server drop all of a user's connections."""
    with (
        closing(pymysql.connect(unix_socket=server.socket, user="root")) as session,
        session.cursor() as cursor,
    ):
        cursor.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = %s", (user,))
        for (number,) in cursor.fetchall():
            with suppress(pymysql.OperationalError):  # it has gone meanwhile
                cursor.execute(f"KILL {number}")


def settings_for(user: str, limits: config.Pool, tls: ssl.SSLContext | None = None) -> SessionSettings:
    """Return how to log in as the user, whose password is its name."""
    return SessionSettings(user, user, tls, limits.connect_timeout, limits.query_timeout)


@asynccontextmanager
async def database_over(
    *servers: DatabaseServer,
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
async def writer_over(*servers: DatabaseServer, user: str = "app_rw", **pool: Unpack[Limits]) -> AsyncIterator[Writer]:
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
