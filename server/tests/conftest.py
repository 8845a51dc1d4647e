"""Servers that the tests share: one MariaDB with the lab's world, one MCP server over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.tests.database_support import FRESH_STATISTICS
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer, answer_of, database_section, load_lab_world
from tests.support.reading_account import make_reading_account
from tests.support.tools import DATA as REAL_DATA


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb.start(tmp_path_factory.mktemp("db")) as server:
        load_lab_world(server)
        yield server


@pytest.fixture(scope="session")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """Serve the same world from Oracle MySQL. Tests of it are in the group "catalogue", so that it starts once."""
    with SERVERS["mysql"].start(tmp_path_factory.mktemp("my")) as server:
        load_lab_world(server)
        server.sql(FRESH_STATISTICS)
        yield server


@pytest.fixture(scope="session")
def server(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    config = {"database": database_section(mariadb), "server": {"max_body_size": 64 * 1024}}
    with McpServer.start(tmp_path_factory.mktemp("mcp"), config) as running:
        running.wait_until_ready()
        yield running


def _real_data(tmp_path_factory: pytest.TempPathFactory, family: str, suffix: str) -> Iterator[MariaDb]:
    """Serve one of the real databases, where the machine has them (they are in no commit)."""
    folder = REAL_DATA / family
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    with MariaDb.start(tmp_path_factory.mktemp(family[:8]), options={"innodb-buffer-pool-size": "256M"}) as server:
        for database in ("world", "characters", "auth"):
            server.load(database, folder / suffix.format(database))
        make_reading_account(server)
        yield server


@pytest.fixture(scope="session")
def azerothcore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """AzerothCore's databases, with rows; some tables are missing."""
    yield from _real_data(tmp_path_factory, "azerothcore", "db_{}.sql.gz")


@pytest.fixture(scope="session")
def trinitycore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """TrinityCore 3.3.5's databases, nearly without rows."""
    yield from _real_data(tmp_path_factory, "trinitycore-3.3.5", "{}_database.sql.gz")


Call = Callable[..., Any]


@pytest.fixture
def call(server: McpServer) -> Call:
    """Call a tool and return its structured result; the call must succeed."""

    async def result(tool: str, **arguments: Any) -> Any:
        answer = await answer_of(server, tool, **arguments)
        assert not answer.is_error, answer.result
        return answer.result

    return result


@pytest.fixture
def refusal(server: McpServer) -> Call:
    """Call a tool and return its error text; the tool must report one."""

    async def text(tool: str, **arguments: Any) -> str:
        answer = await answer_of(server, tool, **arguments)
        assert answer.is_error, answer.result
        return str(answer.result)

    return text
