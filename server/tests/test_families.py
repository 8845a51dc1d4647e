"""The families of world database, incomplete ones, and worlds that come while the server runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import LAB_WORLD
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.schema import Family
from trinitycore_mcp.schema.families import detect
from trinitycore_mcp.tools.entities import TOOLS
from trinitycore_mcp.tools.world_search import TOOLS as WORLD_SEARCH

pytestmark = pytest.mark.anyio
_DATA = Path(__file__).parent / "data"

# What AzerothCore's world has otherwise, said in SQL over the lab's TrinityCore world.
AZEROTHCORE = """
CREATE TABLE acore_string (entry INT UNSIGNED NOT NULL PRIMARY KEY, content_default TEXT) ENGINE=InnoDB;
DROP TABLE trinity_string;
CREATE TABLE creature_template_model (CreatureID INT UNSIGNED NOT NULL, Idx SMALLINT UNSIGNED NOT NULL,
  CreatureDisplayID INT UNSIGNED NOT NULL, DisplayScale FLOAT NOT NULL DEFAULT 1, Probability FLOAT NOT NULL DEFAULT 0,
  PRIMARY KEY (CreatureID, Idx)) ENGINE=InnoDB;
INSERT INTO creature_template_model SELECT entry, 0, modelid1, 1.25, 1 FROM creature_template;
INSERT INTO creature_template_model SELECT entry, 1, modelid2, 1, 0.5 FROM creature_template WHERE modelid2 > 0;
ALTER TABLE creature_template DROP modelid1, DROP modelid2, DROP modelid3, DROP modelid4, DROP scale,
  ADD speed_swim FLOAT NOT NULL DEFAULT 1, ADD speed_flight FLOAT NOT NULL DEFAULT 1,
  ADD detection_range FLOAT NOT NULL DEFAULT 20, DROP mechanic_immune_mask, DROP spell_school_immune_mask,
  ADD CreatureImmunitiesId INT NOT NULL DEFAULT 0, DROP StringId;
ALTER TABLE creature CHANGE id id1 INT UNSIGNED NOT NULL DEFAULT 0, ADD id2 INT UNSIGNED NOT NULL DEFAULT 0,
  ADD id3 INT UNSIGNED NOT NULL DEFAULT 0;
ALTER TABLE item_template DROP StatsCount, MODIFY holy_res SMALLINT DEFAULT NULL, MODIFY armor INT UNSIGNED NOT NULL;
UPDATE item_template SET holy_res = NULL;
ALTER TABLE quest_template CHANGE RewardBonusMoney RewardMoneyDifficulty INT UNSIGNED NOT NULL DEFAULT 0;
ALTER TABLE quest_template_addon DROP BreadcrumbForQuestId;
"""


def test_families_are_told_apart_by_what_only_one_has() -> None:
    def family(**tables: str) -> Family:
        return detect({name: frozenset(columns.split()) for name, columns in tables.items()})

    assert family(trinity_string="entry", creature_template="entry modelid1") is Family.TRINITYCORE
    assert family(creature_template="entry modelid1") is Family.TRINITYCORE
    assert family(acore_string="entry") is Family.AZEROTHCORE
    assert family(creature_template="entry", creature_template_model="CreatureID") is Family.AZEROTHCORE
    assert family(trinity_string="entry", creature_template_difficulty="Entry") is Family.TRINITYCORE_MASTER
    assert family() is Family.UNKNOWN


@pytest.fixture
def world(mariadb: MariaDb) -> Iterator[str]:
    """A database name for one test's world, hotfixes_ before it for its hotfixes."""
    name = f"world_{time.monotonic_ns()}"
    yield name
    mariadb.sql(f"DROP DATABASE IF EXISTS {name}; DROP DATABASE IF EXISTS hotfixes_{name}")


@pytest.fixture
async def over(mariadb: MariaDb, world: str) -> AsyncIterator[Toolbox]:
    """The tools over that world, which is not there yet."""
    names = {"world": world, "hotfixes": f"hotfixes_{world}"}
    async with toolbox(mariadb, TOOLS + WORLD_SEARCH, database={"databases": names}) as tools:
        yield tools


async def test_azerothcore_is_read_like_trinitycore(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    mariadb.sql(AZEROTHCORE, world)
    guard = await over.call("creature_get", id=68)
    assert guard["models"] == [
        {"display_id": 3167, "scale": 1.25, "probability": 1.0},
        {"display_id": 5446, "scale": 1.0, "probability": 0.5},
    ]
    assert guard["scale"] is None
    assert (await over.call("creature_get", id=299))["spawn_count"] == 3
    assert (await over.call("item_get", id=19019))["stats"][0]["amount"] == 5
    assert (await over.call("quest_get", id=7))["next_quest"]["id"] == 15
    assert (await over.call("creature_search", text="wolf"))["creatures"]
    assert (await over.services.schemas.current()).family is Family.AZEROTHCORE


async def test_azerothcore_calls_broadcast_texts_by_sex(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    mariadb.load(world, LAB_WORLD / "world_gossip.sql")
    mariadb.sql(
        "CREATE TABLE acore_string (entry INT UNSIGNED NOT NULL PRIMARY KEY); DROP TABLE trinity_string;"
        "ALTER TABLE broadcast_text CHANGE Text MaleText LONGTEXT, CHANGE Text1 FemaleText LONGTEXT;"
        "ALTER TABLE broadcast_text_locale CHANGE Text MaleText TEXT, CHANGE Text1 FemaleText TEXT;",
        world,
    )
    [[number, words]] = mariadb.sql(
        "SELECT n.ID, b.MaleText FROM npc_text n JOIN broadcast_text b ON b.ID = n.BroadcastTextID0 LIMIT 1", world
    )
    said = await over.call("npc_text_get", id=int(number))
    assert said["variants"][0]["male"] == words
    assert await over.call("npc_text_get", id=int(number), locale="deDE")


@pytest.fixture
def master(mariadb: MariaDb, world: str) -> None:
    """That world as TrinityCore master shapes it."""
    mariadb.load(world, _DATA / "trinitycore_master.sql")
    mariadb.load(f"hotfixes_{world}", _DATA / "trinitycore_master_hotfixes.sql")


@pytest.mark.usefixtures("master")
async def test_creatures_of_trinitycore_master(over: Toolbox) -> None:
    hogger = await over.call("creature_get", id=448, locale="deDE")
    assert (hogger["name"], hogger["rank"]["name"], hogger["level"]) == ("Hogger der Schreckliche", "Elite", None)
    assert (hogger["health_modifier"], hogger["damage_modifier"]) == (1.5, 1.35)
    assert (hogger["loot_id"], hogger["loot_money"]) == (448, {"min": 39, "max": 60})
    assert hogger["type_flags"]["names"] == ["Boss Mob"]
    assert hogger["models"] == [{"display_id": 384, "scale": 1.25, "probability": 1.0}]
    assert hogger["spells"] == [{"id": 6268, "name": "Sturmangriff"}]
    assert hogger["spawn_count"] == 2
    marshal = await over.call("creature_get", id=197)
    assert (marshal["faction"], marshal["gossip_menu_id"]) == ({"id": 12, "name": "Stormwind"}, 4110)
    assert marshal["npc_flags"]["value"] == 8589934594
    assert [each["id"] for each in (await over.call("creature_search", rank="Elite"))["creatures"]] == [448]
    text = await over.refusal("creature_search", min_level=10)
    assert text == "min_level: this database (family: TrinityCore master) does not have maxlevel"


@pytest.mark.usefixtures("master")
async def test_items_of_trinitycore_master_come_from_hotfixes(over: Toolbox) -> None:
    sword = await over.call("item_get", id=25)
    assert (sword["name"], sword["description"], sword["quality"]["name"]) == ("Worn Shortsword", "Notched.", "Common")
    assert (sword["item_class"]["name"], sword["subclass"]["name"]) == ("Weapon", "One-Handed Sword")
    assert (sword["armor"], sword["buy_count"], sword["attack_time_ms"]) == (None, 1, 1900)
    assert [(each["spell"]["name"], each["charges"], each["cooldown_ms"]) for each in sword["spells"]] == [
        ("Thrash", -1, 30000),
        ("Rushing Charge", 0, None),
    ]
    assert sword["starts_quest"] == {"id": 7, "name": "Kobold Camp Cleanup"}
    assert sword["required_reputation_faction"] == {"id": 72, "name": "Stormwind"}
    german = await over.call("item_search", text="kurzschwert", item_class="Weapon", locale="deDE")
    assert [(each["id"], each["name"]) for each in german["items"]] == [(25, "Abgenutztes Kurzschwert")]


@pytest.mark.usefixtures("master")
async def test_quests_of_trinitycore_master_have_objectives_of_their_own(over: Toolbox) -> None:
    quest = await over.call("quest_get", id=7, locale="deDE")
    assert (quest["name"], quest["summary"]) == ("Säuberung des Koboldlagers", "Dünnt sie aus.")
    assert [(each["kind"], each["target"], each["count"], each["text"]) for each in quest["objectives"]] == [
        ("creature", {"id": 448, "name": "Hogger der Schreckliche"}, 1, None),
        ("item", {"id": 25, "name": "Abgenutztes Kurzschwert"}, 2, "Swords taken"),
        ("players", None, 5, None),
        ("money", None, 100, None),
    ]
    assert (quest["level"], quest["rewards"]["money"]) == (None, None)
    assert quest["rewards"]["spell"] == {"id": 6268, "name": "Sturmangriff"}
    assert quest["rewards"]["reputation"][0]["faction"]["name"] == "Stormwind"
    assert quest["allowed_races"] == {"value": -1, "names": []}
    assert quest["started_by"]["creatures"] == [{"id": 197, "name": "Marshal McBride"}]


@pytest.mark.usefixtures("master")
async def test_what_the_client_knows_is_in_hotfixes_of_trinitycore_master(over: Toolbox) -> None:
    charge = await over.call("spell_get", id=6268)
    assert (charge["name"], charge["schools"]["names"]) == ("Rushing Charge", ["Physical"])
    assert [each["effect"]["name"] for each in charge["effects"]] == ["Charge", "Apply Aura"]
    assert charge["effects"][1]["triggers"] == {"id": 3391, "name": "Thrash"}
    faction = await over.call("faction_get", id=72)
    assert (faction["name"], faction["templates"]) == ("Stormwind", [{"id": 12, "name": "Stormwind"}])
    zone = await over.call("zone_get", id=12, locale="deDE")
    assert (zone["name"], zone["map"]) == ("Wald von Elwynn", {"id": 0, "name": "Eastern Kingdoms"})
    assert zone["areas"] == [{"id": 9, "name": "Northshire Valley"}]
    assert (await over.call("map_get", id=0))["name"] == "Eastern Kingdoms"
    said = await over.call("npc_text_get", id=4110)
    assert [(each["male"], each["probability"]) for each in said["variants"]] == [("Stay alert, soldier.", 1.0)]
    found = await over.call("world_search", text="th")
    assert [(hit["kind"], hit["match"]) for hit in found["hits"]] == [("spell", "prefix"), ("zone", "contained")]


async def test_a_missing_table_is_named_with_database_and_family(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    mariadb.sql("DROP TABLE creature_template, item_template, quest_template", world)
    for table, tool, arguments in (
        ("creature_template", "creature_get", {"id": 1}),
        ("creature_template", "creature_search", {"text": "a"}),
        ("item_template", "item_get", {"id": 25}),
        ("item_template", "item_search", {"text": "a"}),
        ("quest_template", "quest_get", {"id": 7}),
    ):
        text = await over.refusal(tool, **arguments)
        assert f"table {table} is missing from database {world} (family: TrinityCore 3.3.5)" in text


async def test_side_tables_that_are_missing_are_listed_and_the_rest_is_told(
    mariadb: MariaDb, world: str, over: Toolbox
) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    mariadb.sql("DROP TABLE creature, creature_template_spell, quest_offer_reward, gameobject_template", world)
    hogger = await over.call("creature_get", id=448)
    assert (hogger["name"], hogger["spawn_count"], hogger["spells"]) == ("Hogger", None, [])
    assert set(hogger["missing_tables"]) == {"creature", "creature_template_spell"}
    quest = await over.call("quest_get", id=176)
    assert quest["missing_tables"] == ["quest_offer_reward"]
    assert quest["started_by"]["gameobjects"] == [{"id": 68, "name": None}]


async def test_a_world_loaded_later_is_found_without_a_restart(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    assert "table creature_template is missing: database" in await over.refusal("creature_get", id=448)
    mariadb.load(world, LAB_WORLD / "world.sql")
    deadline = time.monotonic() + 10
    while True:
        try:
            hogger = await over.call("creature_get", id=448)
            break
        except ToolError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
    assert hogger["name"] == "Hogger"


async def test_a_world_replaced_while_running_is_noticed(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    assert (await over.call("creature_get", id=68))["models"][0]["scale"] is None
    mariadb.sql(AZEROTHCORE, world)
    # The statement of before meets other columns: the error says so, and the next call looks again.
    assert "the database's tables are not as expected" in await over.refusal("creature_get", id=68)
    assert (await over.call("creature_get", id=68))["models"][0]["scale"] == 1.25
