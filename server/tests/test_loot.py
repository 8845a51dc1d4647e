"""Loot tools over the lab's world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import loot

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, loot.TOOLS) as box:
        yield box


def by_path(page: Any) -> dict[tuple[int, ...], Any]:
    """Return rows by the references that lead to them and their own id."""
    return {(*(step["reference"] for step in row["via"]), row["id"]): row for row in page["rows"]}


async def test_creature_loot_follows_references_and_groups(tools: Toolbox) -> None:
    page = await tools.call("creature_loot", id=448)
    assert page["owner"] == {"id": 448, "name": "Hogger"}
    assert (page["table"], page["loot_id"]) == ("creature_loot_template", 448)
    rows = by_path(page)
    chances = {path: row["chance_percent"] for path, row in rows.items()}
    assert chances[752,] == 80
    assert rows[752,]["quest_required"] is True
    assert (chances[25,], chances[35,], chances[36,]) == (20, 40, 40)
    # Reference 24000 comes up by 10 % and is rolled twice; the sword is what the group's 5 % leaves.
    assert chances[24000, 8190] == pytest.approx(100 * 0.1 * (0.95 + 0.05 * 1), abs=0.01)
    assert chances[24000, 647] == pytest.approx(100 * 0.1 * (0.05 + 0.95 * 0.05), rel=1e-4)
    # In each of the two rolls 24001 comes up by 25 %.
    assert chances[24000, 24001, 828] == pytest.approx(100 * 0.1 * (1 - (1 - 0.25 * 0.12) ** 2), rel=1e-4)
    assert rows[24000, 24001, 828]["via"][1] == {
        "reference": 24001, "chance_percent": 25, "rolls": 1, "group": None,
    }  # fmt: skip
    # GroupId of a reference: only that group of the template, so no pouch and no cloth by this way.
    assert chances[24001, 117] == chances[24001, 159] == 25
    assert (24001, 828) not in rows
    cloth = rows[2589,]
    assert cloth["item_chance_percent"] > cloth["chance_percent"] == 45
    assert cloth["count"] == {"min": 1, "max": 3}
    assert page["groups"] == [
        {
            "group": 1,
            "rows": 3,
            "explicit_percent": 20,
            "equal_rows": 2,
            "equal_share_percent": 40,
            "nothing_percent": 0,
        }
    ]


async def test_rows_that_never_drop_say_why(tools: Toolbox) -> None:
    rows = by_path(await tools.call("creature_loot", id=448))
    assert rows[118,]["problem"] == "Chance is 0 without a group"
    assert rows[24099,]["problem"] == "reference_loot_template has no rows of Entry 24099"
    assert rows[24099,]["chance_percent"] == rows[118,]["chance_percent"] == 0
    assert rows[752,]["problem"] is None


async def test_hard_mode_rows_count_in_their_mode_only(tools: Toolbox) -> None:
    usual = by_path(await tools.call("creature_loot", id=448))[5191,]
    hard = by_path(await tools.call("creature_loot", id=448, loot_mode=3))[5191,]
    assert (usual["chance_percent"], hard["chance_percent"]) == (0, 100)
    assert usual["loot_mode"] == {"value": 2, "names": ["Hard Mode 1"]}


async def test_two_rolls_of_a_group_give_two_items(tools: Toolbox) -> None:
    page = await tools.call("creature_loot", id=10184)
    rows = by_path(page)
    assert rows[24003, 19019]["chance_percent"] == 50
    assert rows[24003, 19019]["quality"] == {"value": 5, "name": "Legendary"}
    assert {"tool": "creature_loot", "arguments": {"id": 36538, "kind": "corpse"},
            "why": "the same creature in another difficulty"} in page["related"]  # fmt: skip


async def test_skinning_and_pickpocketing_have_tables_of_their_own(tools: Toolbox) -> None:
    skin = await tools.call("creature_loot", id=299, kind="skinning")
    assert {row["name"]: row["chance_percent"] for row in skin["rows"]} == {
        "Light Leather": 30, "Ruined Leather Scraps": 70,
    }  # fmt: skip
    pockets = await tools.call("creature_loot", id=38, kind="pickpocketing")
    assert {row["id"] for row in pockets["rows"]} == {117, 118}
    none = await tools.call("creature_loot", id=448, kind="skinning")
    assert none["rows"] == []
    assert none["notice"] == "creature 448 has no skinning loot: its skinloot is 0"


async def test_pages_join_to_the_whole(tools: Toolbox) -> None:
    whole = await tools.call("creature_loot", id=448)
    found, cursor = [], None
    while True:
        page = await tools.call("creature_loot", id=448, limit=3, **({"cursor": cursor} if cursor else {}))
        found += page["rows"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == whole["rows"]
    assert len(found) == whole["row_count"] == 16


async def test_gameobject_loot(tools: Toolbox) -> None:
    page = await tools.call("gameobject_loot", id=1731)
    assert (page["owner"]["name"], page["loot_id"]) == ("Copper Vein", 1502)
    assert {row["name"]: row["chance_percent"] for row in page["rows"]} == {"Copper Ore": 100, "Malachite": 8}
    poster = await tools.call("gameobject_loot", id=68)
    assert poster["notice"] == "game object 68 has no loot: its type is 2, only types 3, 25 have loot"
    assert "there is no game object with id 999999" in await tools.refusal("gameobject_loot", id=999999)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"id": 5523}, {7974: 100, 774: 2}),
        ({"id": 5191, "kind": "disenchant"}, {10940: 80, 10938: 20}),
        ({"id": 765, "kind": "milling"}, {39151: 100}),
        ({"id": 2770, "kind": "prospecting"}, {774: 50, 818: 50}),
    ],
)
async def test_item_loot(tools: Toolbox, arguments: dict[str, Any], expected: dict[int, float]) -> None:
    page = await tools.call("item_loot", **arguments)
    assert {row["id"]: row["chance_percent"] for row in page["rows"]} == expected


async def test_item_loot_of_what_holds_nothing(tools: Toolbox) -> None:
    empty = await tools.call("item_loot", id=25)
    assert empty["notice"] == "item_loot_template has no rows of Entry 25"
    assert "its DisenchantID is 0" in (await tools.call("item_loot", id=25, kind="disenchant"))["notice"]


async def test_reference_loot_and_the_tables_without_an_owner_of_their_own(tools: Toolbox) -> None:
    page = await tools.call("reference_loot", id=24001)
    assert {row["id"]: row["chance_percent"] for row in page["rows"]} == {828: 12, 2589: 40, 117: 50, 159: 50}
    assert [group["nothing_percent"] for group in page["groups"]] == [60, 0]
    fish = await tools.call("reference_loot", id=12, table="fishing")
    assert {row["id"]: row["chance_percent"] for row in fish["rows"]} == {6291: 70, 5523: 30, 45902: 0}
    assert fish["rows"][-1]["loot_mode"]["names"] == ["Junk Fish"]
    assert await tools.refusal("reference_loot", id=7) == "reference_loot_template has no rows of Entry 7"


async def test_a_circle_of_references_ends(tools: Toolbox) -> None:
    rows = by_path(await tools.call("reference_loot", id=24002))
    assert rows[24002,]["problem"] == "reference 24002 leads back to itself"
    assert rows[2589,]["chance_percent"] == 50


async def test_conditions_of_rows_and_of_references_on_the_way(tools: Toolbox) -> None:
    rows = by_path(await tools.call("creature_loot", id=40))
    assert rows[24001, 117]["conditions"]
    assert rows[772,]["conditions"] == []


async def test_unknown_creatures(tools: Toolbox) -> None:
    assert await tools.refusal("creature_loot", id=7) == (
        "there is no creature with id 7; creature_search finds ids by name"
    )


@pytest.fixture(scope="module")
def other_families(mariadb: MariaDb) -> MariaDb:
    """Make an AzerothCore world and a TrinityCore master one, of a few tables each."""
    columns = "Chance float, QuestRequired int, LootMode int, GroupId int, MinCount int, MaxCount int, Comment text"
    mariadb.sql(
        f"""
        CREATE DATABASE loot_acore; USE loot_acore;
        CREATE TABLE acore_string (entry int);
        CREATE TABLE item_template (entry int PRIMARY KEY, name text, Quality int, InventoryType int);
        INSERT INTO item_template VALUES (1, 'Ring', 3, 11), (2, 'Gem', 2, 0), (3, 'Cloak', 3, 16);
        CREATE TABLE item_loot_template (Entry int, Item int, Reference int, {columns});
        CREATE TABLE reference_loot_template LIKE item_loot_template;
        INSERT INTO item_loot_template VALUES
          (10, 1, -500, 30, 0, 1, 1, 2, 2, ''), (10, 2, 0, 20, 0, 0, 1, 1, 1, ''), (10, 3, 0, 0, 0, 1, 1, 1, 1, ''),
          (10, 9, 0, 0, 0, 1, 1, 1, 1, 'no such item');
        INSERT INTO reference_loot_template VALUES
          (500, 1, 0, 0, 0, 1, 1, 1, 1, ''), (500, 3, 0, 0, 0, 1, 1, 1, 1, ''), (500, 2, 0, 0, 0, 1, 2, 1, 1, '');
        CREATE DATABASE loot_master; USE loot_master;
        CREATE TABLE creature_template (entry int PRIMARY KEY, name text);
        CREATE TABLE creature_template_difficulty (
          Entry int, DifficultyID int, LootID int, PickPocketLootID int, SkinLootID int);
        INSERT INTO creature_template VALUES (7, 'Boar'), (8, 'Ghost');
        INSERT INTO creature_template_difficulty VALUES (7, 1, 71, 0, 0), (7, 0, 70, 0, 72);
        CREATE TABLE creature_loot_template (Entry int, ItemType int, Item int, {columns});
        CREATE TABLE reference_loot_template LIKE creature_loot_template;
        CREATE TABLE skinning_loot_template LIKE creature_loot_template;
        INSERT INTO creature_loot_template VALUES
          (70, 0, 390, 50, 0, 1, 0, 1, 1, ''), (70, 1, 500, 40, 0, 1, 2, 1, 3, ''),
          (70, 2, 390, 100, 0, 1, 0, 5, 9, ''), (71, 0, 1, 100, 0, 1, 0, 1, 1, '');
        INSERT INTO reference_loot_template VALUES
          (500, 0, 11, 0, 0, 1, 2, 1, 1, ''), (500, 0, 12, 0, 0, 1, 2, 1, 1, ''), (500, 0, 13, 100, 0, 1, 0, 1, 1, '');
        INSERT INTO skinning_loot_template VALUES (72, 0, 5, 100, 0, 1, 0, 1, 1, '');
        """
    )
    return mariadb


async def test_azerothcore_rolls_references_as_rows_of_their_group(other_families: MariaDb) -> None:
    async with toolbox(other_families, loot.TOOLS, database={"databases": {"world": "loot_acore"}}) as tools:
        page = await tools.call("item_loot", id=10)
        rows = by_path(page)
        # What can be worn comes once, so of two rolls each half of the group is sure; the gem may come again.
        assert rows[500, 1]["chance_percent"] == rows[500, 3]["chance_percent"] == 30
        assert rows[500, 2]["chance_percent"] == 30
        assert (rows[2,]["chance_percent"], rows[3,]["chance_percent"]) == (20, 50)
        assert (rows[9,]["problem"], rows[9,]["chance_percent"]) == ("there is no item 9", 0)
        assert page["groups"][0]["equal_share_percent"] == 50
        # Both ways to the gem are in one group, so they exclude each other.
        assert rows[2,]["item_chance_percent"] == 50


async def test_trinitycore_master_has_item_types_and_loot_by_difficulty(other_families: MariaDb) -> None:
    async with toolbox(other_families, loot.TOOLS, database={"databases": {"world": "loot_master"}}) as tools:
        page = await tools.call("creature_loot", id=7)
        assert page["loot_id"] == 70
        rows = {(row["what"], row["id"]): row for row in page["rows"]}
        assert set(rows) == {("item", 390), ("currency", 390), ("item", 11), ("item", 12)}
        # Three rolls of the group, the same again and again.
        assert rows["item", 11]["chance_percent"] == pytest.approx(40 * (1 - 0.5**3), rel=1e-4)
        assert rows["item", 390]["item_chance_percent"] == 50
        assert rows["currency", 390]["count"] == {"min": 5, "max": 9}
        assert [row["id"] for row in (await tools.call("creature_loot", id=7, kind="skinning"))["rows"]] == [5]
        assert (await tools.call("creature_loot", id=8))["loot_id"] is None
