"""Tools called in this process, over a real database: for tests of what a tool answers.

    async with toolbox(mariadb) as tools:
        loot = await tools.call("creature_loot", id=448)

Arguments and results take the way they take in the server: as JSON, checked against the tool's schemas.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
from trinitycore_mcp.config import Config
from trinitycore_mcp.database import Database
from trinitycore_mcp.database.session import SessionSettings
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.health import Health
from trinitycore_mcp.schema import Schemas
from trinitycore_mcp.services import Services
from trinitycore_mcp.toolkit import Call, Tool

from tests.support.database_server import DatabaseServer

DATA = Path(__file__).parents[3] / "shared/data"
"""Real databases, where a machine has them."""


class Toolbox:
    """The tools at hand, and the services behind them."""

    def __init__(self, services: Services, tools: Iterable[Tool]) -> None:
        self.services = services
        self.tools = {tool.name: tool for tool in tools}

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Return the structured result as JSON values, after it was validated against the output schema.

        :raises ToolError: the tool refused.
        """
        from trinitycore_mcp.access.principal import Principal  # noqa: PLC0415 (tests of less need not load it)

        tool = self.tools[name]
        everything = Principal("tests", frozenset({"read", "players", "admin"}), "api_key", None, None)
        read = tool.read(msgspec.json.encode(arguments))
        call = Call(self.services, everything, name, read)
        result = await tool.function(call, *msgspec.structs.astuple(read))
        data = json.loads(msgspec.json.encode(result))
        assert tool.output_schema is not None
        jsonschema.validate(data, tool.output_schema, cls=jsonschema.Draft202012Validator)
        return data

    async def refusal(self, name: str, /, **arguments: Any) -> str:
        """Return the message of the error that the call must end in."""
        try:
            result = await self.call(name, **arguments)
        except ToolError as error:
            return str(error)
        raise AssertionError(f"{name} answered {result}")


@contextlib.asynccontextmanager
async def toolbox(
    server: DatabaseServer, tools: Iterable[Tool], *, user: str = "app_ro", password: str = "app_ro", **sections: Any
) -> AsyncIterator[Toolbox]:
    """Open the services over one database server; `sections` are merged over the configuration's."""
    config = Config.model_validate(
        {
            "auth": {"enabled": False},
            **sections,
            "database": {
                "hosts": [{"host": "127.0.0.1", "port": server.port}],
                "user": user,
                **sections.get("database", {}),
            },
        }
    )
    options = config.database
    settings = SessionSettings(user, password, None, options.pool.connect_timeout, options.pool.query_timeout)
    database = Database(options, settings)
    names = {"world": options.databases.world, "characters": options.databases.characters}
    names |= {"auth": options.databases.auth, "hotfixes": getattr(options.databases, "hotfixes", "hotfixes")}
    schemas = Schemas(database, names)
    async with database.running():
        yield Toolbox(Services(config, database, schemas, Health("test", database, schemas)), tools)
