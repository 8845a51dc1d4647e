"""A world that is loaded while the server runs is there for the very next call."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.tests.database_support import database_over
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import load_lab_world
from tests.support.tools import toolbox
from trinitycore_mcp.schema import Schemas
from trinitycore_mcp.schema.catalogue import MissingTable
from trinitycore_mcp.tools.entities import TOOLS

pytestmark = pytest.mark.anyio


async def test_the_first_call_after_the_load_sees_it(tmp_path: Path) -> None:
    with MariaDb.start(tmp_path / "db") as server:
        server.account("app_ro", "app_ro")
        async with toolbox(server, TOOLS) as tools:
            assert "is empty or not there" in await tools.refusal("creature_get", id=448)
            await asyncio.to_thread(load_lab_world, server)
            await asyncio.sleep(2.1)  # what was found incomplete holds for two seconds
            assert (await tools.call("creature_get", id=448))["name"] == "Hogger"


@pytest.mark.parametrize("folds", [True, False])
async def test_a_database_configured_in_another_case(tmp_path: Path, folds: bool) -> None:
    names = {"world": "World", "characters": "characters", "auth": "auth", "hotfixes": "hotfixes"}
    with MariaDb.start(tmp_path / "db", options={"lower_case_table_names": str(int(folds))}) as server:
        server.account("app_ro", "app_ro")
        server.sql("CREATE DATABASE world; CREATE DATABASE auth")
        server.sql("CREATE TABLE version (db_version VARCHAR(9)); INSERT INTO version VALUES ('TDB 1')", "world")
        if not folds:  # two databases, of which neither may be taken for the other
            server.sql("CREATE DATABASE AUTH; CREATE TABLE AUTH.account (id INT); CREATE TABLE auth.realm (id INT)")
        async with database_over(server) as database:
            schema = await Schemas(database, names).current()
            if folds:
                assert schema.table("version") == "`world`.`version`"
                assert (schema.databases["world"], schema.version) == ("world", "TDB 1")
            else:
                with pytest.raises(MissingTable, match="database World is empty or not there"):
                    schema.table("version")
                assert sorted(schema.tables["auth"]) == ["realm"]
