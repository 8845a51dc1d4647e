"""Names in sentences: which numbers are ids."""

from __future__ import annotations

import time

import pytest
from msgspec import Struct

from tests.support.mariadb import MariaDb
from tests.support.tools import toolbox
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.sentences.names import resolve
from trinitycore_mcp.toolkit import Call

pytestmark = pytest.mark.anyio


async def test_zero_is_a_map_and_nothing_else(mariadb: MariaDb) -> None:
    world = f"world_{time.monotonic_ns()}"
    mariadb.sql(
        f"CREATE DATABASE {world}; CREATE TABLE {world}.acore_string (entry INT); "
        f"CREATE TABLE {world}.map_dbc (ID INT NOT NULL PRIMARY KEY, MapName_Lang_enUS VARCHAR(100)); "
        f"INSERT INTO {world}.map_dbc VALUES (0, 'Eastern Kingdoms'), (1, 'Kalimdor'); "
        f"CREATE TABLE {world}.areatable_dbc (ID INT NOT NULL PRIMARY KEY, AreaName_Lang_enUS VARCHAR(100)); "
        f"INSERT INTO {world}.areatable_dbc VALUES (0, 'Nowhere'), (12, 'Elwynn Forest')"
    )
    try:
        async with toolbox(mariadb, (), database={"databases": {"world": world}}) as tools:
            call = Call(
                tools.services, Principal("tests", frozenset({"read"}), "api_key", None, None), "test", Struct()
            )
            wanted = [("map", 0), ("map", 1), ("map", -1), ("area", 0), ("area", 12), ("skill", 0)]
            assert await resolve(call, wanted) == {
                ("map", 0): "Eastern Kingdoms",
                ("map", 1): "Kalimdor",
                ("area", 12): "Elwynn Forest",
            }
    finally:
        mariadb.sql(f"DROP DATABASE {world}")
