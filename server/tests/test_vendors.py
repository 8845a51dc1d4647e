"""Vendors and trainers over the lab's world, and over small ones of other families."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import trainer, vendor

pytestmark = pytest.mark.anyio
TOOLS = (*vendor.TOOLS, *trainer.TOOLS)


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS) as box:
        yield box


@pytest.fixture(scope="module")
def other_families(mariadb: MariaDb) -> MariaDb:
    """Make an AzerothCore world and a TrinityCore master one, of a few tables each."""
    mariadb.sql(
        """
        CREATE DATABASE vendors_acore; USE vendors_acore;
        CREATE TABLE acore_string (entry int PRIMARY KEY, content_default text);
        CREATE TABLE npc_vendor LIKE world.npc_vendor;
        INSERT INTO npc_vendor (entry, slot, item, ExtendedCost) VALUES (40, 0, 49426, 2500),
          (40, 0, 25, 2501), (40, 1, 25, 0);
        CREATE TABLE item_template LIKE world.item_template;
        INSERT INTO item_template SELECT * FROM world.item_template WHERE entry IN (25, 49426);
        UPDATE item_template SET FlagsExtra = 4 WHERE entry = 25;
        UPDATE item_template SET BuyPrice = 777 WHERE entry = 49426;
        CREATE TABLE itemextendedcost_dbc (
          ID int PRIMARY KEY, HonorPoints int DEFAULT 0, ArenaPoints int DEFAULT 0, ArenaBracket int DEFAULT 0,
          ItemID_1 int DEFAULT 0, ItemID_2 int DEFAULT 0, ItemID_3 int DEFAULT 0, ItemID_4 int DEFAULT 0,
          ItemID_5 int DEFAULT 0, ItemCount_1 int DEFAULT 0, ItemCount_2 int DEFAULT 0, ItemCount_3 int DEFAULT 0,
          ItemCount_4 int DEFAULT 0, ItemCount_5 int DEFAULT 0, RequiredArenaRating int DEFAULT 0,
          ItemPurchaseGroup int DEFAULT 0);
        INSERT INTO itemextendedcost_dbc (ID, HonorPoints, ArenaPoints, ItemID_1, ItemCount_1, RequiredArenaRating)
          VALUES (2500, 150, 20, 49426, 3, 1800);
        CREATE TABLE npc_trainer (
          ID int, SpellID int, MoneyCost int DEFAULT 0, ReqSkillLine int DEFAULT 0, ReqSkillRank int DEFAULT 0,
          ReqLevel int DEFAULT 0, ReqSpell int DEFAULT 0, PRIMARY KEY (ID, SpellID));
        INSERT INTO npc_trainer VALUES (913, -200001, 0, 0, 0, 0, 0), (913, 100, 100, 0, 0, 4, 0),
          (200001, 772, 10, 0, 0, 4, 0), (200001, 6546, 200, 0, 0, 10, 772), (200001, -200001, 0, 0, 0, 0, 0),
          (200001, -200002, 0, 0, 0, 0, 0);
        CREATE DATABASE vendors_master; USE vendors_master;
        CREATE TABLE creature_template_difficulty (Entry int, DifficultyID int, LootID int);
        CREATE TABLE npc_vendor (entry int, slot int, item int, maxcount int, incrtime int, ExtendedCost int, type int);
        INSERT INTO npc_vendor VALUES (1, 0, 25, 0, 0, 0, 1), (1, 1, 390, 0, 0, 0, 2);
        CREATE TABLE trainer LIKE world.trainer; CREATE TABLE trainer_spell LIKE world.trainer_spell;
        CREATE TABLE creature_trainer (CreatureID int, TrainerID int, MenuID int, OptionID int);
        INSERT INTO trainer SELECT * FROM world.trainer; INSERT INTO trainer_spell SELECT * FROM world.trainer_spell;
        INSERT INTO creature_trainer VALUES (913, 17, 0, 0), (913, 18, 1, 1);
        INSERT INTO trainer VALUES (18, 2, 0, '', 0); INSERT INTO trainer_spell (TrainerId, SpellId) VALUES (18, 2550);
        """
    )
    return mariadb


async def test_a_vendor_sells_what_its_lists_hold(tools: Toolbox) -> None:
    answer = await tools.call("vendor_items", id=295)
    assert answer["vendor"] == {"id": 295, "name": "Innkeeper Farley"}
    assert answer["has_vendor_flag"] is True
    items = {each["item"]["id"]: each for each in answer["items"]}
    assert list(items) == [117, 159, 118, 2512, 5976, 50818, 7974]
    assert items[117]["price"]["text"] == "25c"
    assert items[117]["pieces"] == 5
    assert [items[each]["list_entry"] for each in (117, 118, 5976)] == [None, 910001, 910002]
    assert (items[5976]["stock"], items[5976]["restock_s"]) == (2, 3600)
    assert (items[117]["stock"], items[117]["restock_s"]) == (None, None)
    # An extended cost takes the place of the money; this database does not hold what it is.
    assert items[50818]["extended_cost"]["id"] == 2749
    assert items[50818]["extended_cost"]["known"] is False
    assert items[50818]["price"]["copper"] == 0
    assert items[7974]["event"]["id"] == 12
    assert answer["missing_lists"] == []


async def test_conditions_of_a_vendors_item(tools: Toolbox) -> None:
    answer = await tools.call("vendor_items", id=233)
    assert {each["item"]["id"]: bool(each["conditions"]) for each in answer["items"]} == {117: False, 828: True}


async def test_a_list_without_rows_is_named(tools: Toolbox) -> None:
    assert (await tools.call("vendor_items", id=6740))["missing_lists"] == [910099]


async def test_vendors_pages_join_to_the_whole(tools: Toolbox) -> None:
    whole = await tools.call("vendor_items", id=295)
    first = await tools.call("vendor_items", id=295, limit=4)
    second = await tools.call("vendor_items", id=295, limit=4, cursor=first["next_cursor"])
    assert first["items"] + second["items"] == whole["items"]
    assert second["next_cursor"] is None


async def test_nobody_sells_nothing(tools: Toolbox) -> None:
    empty = await tools.call("vendor_items", id=448)
    assert (empty["items"], empty["has_vendor_flag"]) == ([], False)
    assert "there is no vendor with id 999999" in await tools.refusal("vendor_items", id=999999)


async def test_who_sells_an_item_by_whichever_list(tools: Toolbox) -> None:
    answer = await tools.call("vendors_of_item", id=118)
    by_id = {each["vendor"]["id"]: each for each in answer["vendors"]}
    assert set(by_id) == {253, 295, 6929, 910001, 910002}
    assert by_id[253]["has_vendor_flag"] is False
    assert (by_id[295]["has_vendor_flag"], by_id[295]["list_entry"]) == (True, 910001)
    assert by_id[295]["spawn_count"] == 1
    assert by_id[910001] | {"spawn_count": 0} == {
        "vendor": {"id": 910001, "name": None}, "has_vendor_flag": None, "spawn_count": 0, "extended_cost": None,
        "stock": None, "restock_s": None, "list_entry": None, "event": None, "conditions": [],
    }  # fmt: skip
    first = await tools.call("vendors_of_item", id=118, limit=2)
    rest = await tools.call("vendors_of_item", id=118, limit=10, cursor=first["next_cursor"])
    assert first["vendors"] + rest["vendors"] == answer["vendors"]
    event = (await tools.call("vendors_of_item", id=7974))["vendors"]
    assert [(each["vendor"]["name"], each["event"]["id"]) for each in event] == [("Innkeeper Farley", 12)]
    assert (await tools.call("vendors_of_item", id=647))["vendors"] == []
    assert "there is no item with id 999999" in await tools.refusal("vendors_of_item", id=999999)


async def test_what_a_trainer_teaches(tools: Toolbox) -> None:
    answer = await tools.call("trainer_spells", id=913)
    assert (answer["trainer"]["name"], answer["type"]["name"], answer["requirement"]) == ("Lyria Du Lac", "Class", 1)
    spells = {each["spell"]["id"]: each for each in answer["spells"]}
    assert list(spells) == [100, 772, 3127, 6343, 6546]
    assert spells[6546]["cost"] == {"copper": 200, "text": "2s"}
    assert [each["id"] for each in spells[6546]["required_spells"]] == [772]
    assert (spells[3127]["required_skill_id"], spells[3127]["required_skill_rank"]) == (95, 1)
    assert answer["greeting"].startswith("Stand straight")
    german = await tools.call("trainer_spells", id=913, locale="deDE")
    assert german["greeting"] == "Haltung, und zugehört!"
    assert "creature 295 teaches nothing" in await tools.refusal("trainer_spells", id=295)
    assert "there is no creature with id 7" in await tools.refusal("trainer_spells", id=7)


async def test_azerothcore_tells_extended_costs_and_has_trainers_lists(other_families: MariaDb) -> None:
    world = {"databases": {"world": "vendors_acore"}}
    async with toolbox(other_families, TOOLS, database=world) as tools:
        answer = await tools.call("vendor_items", id=40)
        rows = {(each["item"]["id"], (each["extended_cost"] or {}).get("id")): each for each in answer["items"]}
        assert rows[49426, 2500]["extended_cost"] == {
            "id": 2500, "known": True, "honor_points": 150, "arena_points": 20, "arena_rating": 1800,
            "items": [{"item": {"id": 49426, "name": "Emblem of Frost"}, "count": 3}],
        }  # fmt: skip
        assert rows[49426, 2500]["price"]["copper"] == 0
        # FlagsExtra 4: money besides the extended cost.
        assert rows[25, 2501]["price"]["copper"] == rows[25, None]["price"]["copper"] == 35
        assert answer["notice"] is not None  # no spawns here, so what events add is not known
        lessons = await tools.call("trainer_spells", id=913)
        assert {each["spell"]["id"]: each["list_id"] for each in lessons["spells"]} == {
            100: 913, 772: 200001, 6546: 200001,
        }  # fmt: skip
        assert lessons["missing_lists"] == [200002]
        assert [each["id"] for each in lessons["spells"][-1]["required_spells"]] == [772]


async def test_trinitycore_master_sells_currencies_and_has_several_trainers(other_families: MariaDb) -> None:
    world = {"databases": {"world": "vendors_master"}}
    async with toolbox(other_families, TOOLS, database=world) as tools:
        assert [each["item"]["id"] for each in (await tools.call("vendor_items", id=1))["items"]] == [25]
        lessons = await tools.call("trainer_spells", id=913)
        assert lessons["spell_count"] == 6
        assert {each["list_id"] for each in lessons["spells"]} == {17, 18}
