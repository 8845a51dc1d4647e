"""The examples of the README are real: its tool and its entity answer, its configurations are right."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import toolbox
from trinitycore_mcp import cli, config_load
from trinitycore_mcp.entities.making import tools_of

pytestmark = pytest.mark.anyio
README = (Path(__file__).parents[1] / "README.md").read_text()
IMPORTS = """from typing import Annotated
from msgspec import Struct
from trinitycore_mcp.entities import Entity
from trinitycore_mcp.entities.fields import key, label, number
from trinitycore_mcp.toolkit import Call, Id, ToolError, doc, tool
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def examples(tmp_path: Path) -> ModuleType:
    file = tmp_path / "examples.py"
    file.write_text(IMPORTS + "\n".join(blocks("python")))
    spec = importlib.util.spec_from_file_location("readme_examples", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_its_tool_and_its_entity_answer(mariadb: MariaDb, examples: ModuleType) -> None:
    async with toolbox(mariadb, (*examples.TOOLS, *tools_of(examples.TELEPORT))) as tools:
        creature, emote = mariadb.sql("SELECT entry, emote FROM world.creature_template_addon LIMIT 1")[0]
        assert await tools.call("creature_emote", id=int(creature)) == {"emote_id": int(emote)}
        assert await tools.refusal("creature_emote", id=999999) == "creature 999999 has no addon"
        [first, *_] = (await tools.call("teleport_search", text="a"))["teleports"]
        assert (await tools.call("teleport_get", id=first["id"]))["name"] == first["name"]


def test_its_configurations_are_right(tmp_path: Path) -> None:
    [section] = blocks("yaml")
    (tmp_path / "config.yml").write_text(section)
    config_load.load(tmp_path / "config.yml", {})
    [desktop] = [json.loads(block) for block in blocks("json")]
    command = desktop["mcpServers"]["trinitycore"]
    options = cli._parser().parse_args(command["args"])
    assert (command["command"], options.stdio) == ("trinitycore-mcp", True)
