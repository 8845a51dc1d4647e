"""Loot, vendors, trainers and quests over the cores' own data, where a machine has it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from server.tests.loot_dice import check
from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.loot.answer import read_loot
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.tools import (
    item_sources,
    loot,
    quest_chain,
    quest_givers,
    quest_requirements,
    quest_rewards,
    trainer,
    vendor,
)

pytestmark = pytest.mark.anyio
MODULES = (item_sources, loot, quest_chain, quest_givers, quest_requirements, quest_rewards, trainer, vendor)
TOOLS = tuple(tool for module in MODULES for tool in module.TOOLS)


@pytest.fixture
async def acore(azerothcore: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(azerothcore, TOOLS) as box:
        yield box


def _call(tools: Toolbox) -> Call:
    nobody = Principal("tests", frozenset({"read"}), "api_key", None, None)
    return Call(tools.services, nobody, "tests", msgspec.defstruct("Nothing", [])())


@pytest.mark.parametrize(
    ("kind", "loot_id"), [("reference", 6002), ("gameobject", 27081), ("gameobject", 12260), ("gameobject", 20712)]
)
async def test_chances_of_real_loot_are_what_dice_give(acore: Toolbox, kind: str, loot_id: int) -> None:
    found, _ = await read_loot(_call(acore), kind, [loot_id])
    template = found[loot_id].template
    assert template.grouped_references
    check(template.entries, azerothcore=True, rolls=2_000)


async def test_azerothcore_references_share_their_group(acore: Toolbox) -> None:
    page = await acore.call("reference_loot", id=6002, limit=200)
    groups = {group["group"]: group for group in page["groups"]}
    assert groups[1]["explicit_percent"] == 60
    assert groups[1]["nothing_percent"] == 40
    first = page["rows"][0]
    assert first["via"] == [{"reference": 4002, "chance_percent": 30, "rolls": 1, "group": 1}]
    assert page["row_count"] > len(page["rows"]) - 1


async def test_what_real_loot_says_where_items_have_no_names(acore: Toolbox) -> None:
    chest = await acore.call("gameobject_loot", id=2843)
    assert (chest["owner"]["name"], chest["loot_id"]) == ("Battered Chest", 2265)
    rows = {row["id"]: row for row in chest["rows"]}
    assert (rows[159]["chance_percent"], rows[159]["count"]) == (36, {"min": 1, "max": 2})
    assert rows[159]["name"] is None
    sources = await acore.call("item_sources", id=159)
    assert sources["sold_by_count"] > 200
    assert any(source["loot_id"] == 2265 and source["chance_percent"] == 36 for source in sources["loot"])
    assert {"creature_loot_template", "quest_template"} <= set(sources["missing_tables"])


async def test_vendors_and_trainers_lists(acore: Toolbox) -> None:
    sold = await acore.call("vendor_items", id=34043, limit=200)
    assert {item["list_entry"] for item in sold["items"]} == {34040}
    assert len((await acore.call("vendors_of_item", id=159, limit=200))["vendors"]) == 200
    mage = await acore.call("trainer_spells", id=198)
    assert {(spell["spell"]["id"], spell["list_id"]) for spell in mage["spells"]} >= {(116, 200007), (1459, 200007)}
    assert (await acore.call("trainer_spells", id=328))["spell_count"] == 256


async def test_chains_where_quests_have_no_names(acore: Toolbox) -> None:
    chain = await acore.call("quest_chain", id=24712)
    assert [quest["id"] for quest in chain["quests"]] == [24506, 24511, 24682, 24507, 24712, 24713, 24802]
    assert chain["quests"][0]["exists"] is None
    exclusive = await acore.call("quest_chain", id=2)
    assert {"group": -2, "rule": "all", "quests": [2, 23, 24]} in exclusive["exclusive_groups"]
    brewfest = await acore.call("creature_quests", id=26221)
    assert sum(bool(quest["starts_in_events"]) for quest in brewfest["quests"]) == 8


@pytest.mark.parametrize(
    ("tool", "arguments", "table"),
    [
        ("creature_loot", {"id": 448}, "creature_template"),
        ("item_loot", {"id": 25, "kind": "disenchant"}, "item_template"),
        ("quest_requirements", {"id": 783}, "quest_template"),
        ("quest_rewards", {"id": 783}, "quest_template"),
    ],
)
async def test_a_missing_table_is_named(acore: Toolbox, tool: str, arguments: dict[str, Any], table: str) -> None:
    assert f"table {table} is missing from database world" in await acore.refusal(tool, **arguments)


async def test_every_statement_suits_trinitycores_tables(trinitycore: MariaDb) -> None:
    """The tables are there without rows: each tool ends in an answer or in one of its own errors."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("item_loot", {"id": 25}), ("item_loot", {"id": 25, "kind": "milling"}), ("creature_loot", {"id": 1}),
        ("gameobject_loot", {"id": 1}), ("item_sources", {"id": 25}), ("vendor_items", {"id": 1}),
        ("vendors_of_item", {"id": 25}), ("trainer_spells", {"id": 1}), ("creature_quests", {"id": 1}),
        ("creature_quests", {"id": 1, "kind": "gameobject"}), ("quest_chain", {"id": 1}),
        ("quest_requirements", {"id": 1}), ("quest_rewards", {"id": 1}),
        *(("reference_loot", {"id": 1, "table": table}) for table in ("reference", "fishing", "mail", "spell")),
    ]  # fmt: skip
    async with toolbox(trinitycore, TOOLS) as tools:
        refused = {}
        for name, arguments in calls:
            with contextlib.suppress(AssertionError):  # it answered
                refused[name] = await tools.refusal(name, **arguments)
    assert set(refused) >= {"creature_loot", "gameobject_loot", "item_sources", "quest_chain", "quest_rewards"}
    for name, text in refused.items():
        assert "there is no" in text or "has no rows" in text, (name, text)
