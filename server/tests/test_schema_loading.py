"""A world that is loaded while the server runs is there for the very next call."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import load_lab_world
from tests.support.tools import toolbox
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
