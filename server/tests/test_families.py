"""Both families of world database, incomplete ones, and worlds that come while the server runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import LAB_WORLD, McpServer, answer_of, database_section
from trinitycore_mcp.database.schema import Family, detect

pytestmark = pytest.mark.anyio

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
    assert family(trinity_string="entry", creature_template_difficulty="Entry") is Family.UNKNOWN
    assert family() is Family.UNKNOWN


@pytest.fixture
def world(mariadb: MariaDb) -> Iterator[str]:
    """A database name for one test's world."""
    name = f"world_{time.monotonic_ns()}"
    yield name
    mariadb.sql(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def over(mariadb: MariaDb, world: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    """A server over that world, which is not there yet."""
    section = database_section(mariadb, databases={"world": world})
    with McpServer.start(tmp_path_factory.mktemp("mcp"), {"database": section}) as server:
        yield server


async def test_azerothcore_is_read_like_trinitycore(mariadb: MariaDb, world: str, over: McpServer) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    mariadb.sql(AZEROTHCORE, world)
    guard = (await answer_of(over, "creature_get", id=68)).result
    assert guard["models"] == [
        {"display_id": 3167, "scale": 1.25, "probability": 1.0},
        {"display_id": 5446, "scale": 1.0, "probability": 0.5},
    ]
    assert guard["scale"] is None
    assert (await answer_of(over, "creature_get", id=299)).result["spawn_count"] == 3
    assert (await answer_of(over, "item_get", id=19019)).result["stats"][0]["amount"] == 5
    assert (await answer_of(over, "quest_get", id=7)).result["next_quest"]["id"] == 15
    assert (await answer_of(over, "creature_search", text="wolf")).result["creatures"]
    described = (await answer_of(over, "table_describe", table="creature_template_model")).result
    assert described["world_family"] == "AzerothCore"
    assert over.get("/health/ready").json()["world"]["family"] == "AzerothCore"


async def test_a_missing_table_is_named_with_database_and_family(mariadb: MariaDb, world: str, over: McpServer) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    mariadb.sql("DROP TABLE creature_template, item_template, quest_template", world)
    for table, tool, arguments in (
        ("creature_template", "creature_get", {"id": 1}),
        ("creature_template", "creature_search", {"text": "a"}),
        ("item_template", "item_get", {"id": 25}),
        ("item_template", "item_search", {"text": "a"}),
        ("quest_template", "quest_get", {"id": 7}),
    ):
        answer = await answer_of(over, tool, **arguments)
        assert answer.is_error
        assert f"table {table} is missing from database {world} (family: TrinityCore 3.3.5)" in answer.result
    assert not (await answer_of(over, "table_describe", table="npc_vendor")).is_error


async def test_side_tables_that_are_missing_are_listed_and_the_rest_is_told(
    mariadb: MariaDb, world: str, over: McpServer
) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    mariadb.sql("DROP TABLE creature, creature_template_spell, quest_offer_reward, gameobject_template", world)
    hogger = (await answer_of(over, "creature_get", id=448)).result
    assert (hogger["name"], hogger["spawn_count"], hogger["spells"]) == ("Hogger", None, [])
    assert set(hogger["missing_tables"]) == {"creature", "creature_template_spell"}
    quest = (await answer_of(over, "quest_get", id=176)).result
    assert quest["missing_tables"] == ["quest_offer_reward"]
    assert quest["started_by"]["gameobjects"] == [{"id": 68, "name": None}]


async def test_a_world_loaded_later_is_found_without_a_restart(mariadb: MariaDb, world: str, over: McpServer) -> None:
    answer = await answer_of(over, "creature_get", id=448)
    assert "table creature_template is missing: database" in answer.result
    mariadb.load(world, LAB_WORLD / "world.sql")
    deadline = time.monotonic() + 5
    while (answer := await answer_of(over, "creature_get", id=448)).is_error and time.monotonic() < deadline:
        time.sleep(0.2)  # noqa: ASYNC251 (nothing else runs in this loop)
    assert answer.result["name"] == "Hogger"


async def test_a_world_replaced_while_running_is_noticed(mariadb: MariaDb, world: str, over: McpServer) -> None:
    mariadb.load(world, LAB_WORLD / "world.sql")
    assert (await answer_of(over, "creature_get", id=68)).result["models"][0]["scale"] is None
    mariadb.sql(AZEROTHCORE, world)
    await answer_of(over, "creature_get", id=68)  # meets the unexpected, says so or not, and looks again
    assert (await answer_of(over, "creature_get", id=68)).result["spawn_count"] == 0
    mariadb.sql("DROP TABLE creature_template", world)
    await answer_of(over, "creature_get", id=68)
    answer = await answer_of(over, "creature_get", id=68)
    assert "table creature_template is missing" in answer.result
    assert "AzerothCore" in answer.result
