"""Databases, tables, relations and versions: over the lab's world, over one with foreign keys, over the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.structure.relations import written_down
from trinitycore_mcp.tools import database_versions, schema_listing, table_structure

pytestmark = pytest.mark.anyio
TOOLS = (*schema_listing.TOOLS, *table_structure.TOOLS, *database_versions.TOOLS)


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS) as box:
        yield box


@pytest.fixture(scope="module")
def linked(mariadb: MariaDb) -> MariaDb:
    """Make a world with foreign keys, a view, and an account that may read one column of one table."""
    mariadb.sql(
        """
        CREATE DATABASE schema_world; USE schema_world;
        CREATE TABLE trinity_string (entry int PRIMARY KEY);
        CREATE TABLE owner (a int, b int, PRIMARY KEY (a, b)) COMMENT 'who owns';
        CREATE TABLE owned (
          id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'its number', a int, b int,
          label varchar(20) NOT NULL DEFAULT 'none', secret varchar(20), quest int,
          KEY label (label), UNIQUE KEY secret (secret),
          CONSTRAINT to_owner FOREIGN KEY (a, b) REFERENCES owner (a, b));
        CREATE VIEW owned_labels AS SELECT label FROM owned;
        CREATE TABLE version_db_world (sql_rev varchar(100) PRIMARY KEY);
        INSERT INTO version_db_world VALUES ('1700000000'), ('1600000000');
        """
    )
    mariadb.account("schema_part", "part", "SELECT (id, label) ON schema_world.owned")
    return mariadb


def names(*, world: str) -> dict[str, Any]:
    return {"database": {"databases": {"world": world}}}


async def test_databases_are_listed_with_real_names_and_sizes(tools: Toolbox, mariadb: MariaDb) -> None:
    result = await tools.call("schema_databases")
    assert result["family"] == "TrinityCore 3.3.5"
    assert result["updated"] == "2026-06-01 12:00:00"
    found = {each["database"]: each for each in result["databases"]}
    assert list(found) == ["world", "characters", "auth", "hotfixes"]
    [[tables]] = mariadb.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'world'")
    assert found["world"]["tables"] == int(tables)
    assert found["world"]["data_bytes"] > 100_000
    assert found["hotfixes"] == {
        "database": "hotfixes",
        "actual_name": "hotfixes",
        "present": False,
        "tables": 0,
        "estimated_rows": None,
        "data_bytes": None,
        "index_bytes": None,
    }
    assert [each["arguments"]["database"] for each in result["related"]] == ["world", "characters", "auth"]


async def test_tables_come_in_pages_that_neither_repeat_nor_skip(tools: Toolbox, mariadb: MariaDb) -> None:
    rows = mariadb.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'world'")
    expected = sorted(row[0] for row in rows)
    seen: list[str] = []
    cursor = None
    for _ in range(50):
        page = await tools.call("schema_tables", limit=40, cursor=cursor)
        seen += [each["name"] for each in page["tables"]]
        assert page["found"] == len(expected)
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == expected


async def test_tables_are_found_by_the_name_of_a_column(tools: Toolbox) -> None:
    page = await tools.call("schema_tables", text="LOOTID")
    found = {each["name"]: each for each in page["tables"]}
    assert found["creature_template"]["matching_columns"] == ["lootid"]
    assert "quest_template" not in found
    assert (await tools.call("schema_tables", text="no_such_thing"))["tables"] == []
    assert "schema_databases shows" in await tools.refusal("schema_tables", database="hotfixes")


async def test_a_table_is_described(tools: Toolbox, linked: MariaDb) -> None:
    async with toolbox(linked, TOOLS, **names(world="schema_world")) as box:
        result = await box.call("table_describe", table="owned")
        view = await box.call("table_describe", table="owned_labels")
    columns = {each["name"]: each for each in result["columns"]}
    assert columns["id"] == {
        "name": "id",
        "type": "int(10) unsigned",
        "nullable": False,
        "default": None,
        "key": "PRI",
        "extra": "auto_increment",
        "comment": "its number",
    }
    assert [columns[name]["default"] for name in ("label", "secret", "quest")] == ["'none'", None, None]
    assert {"name": "secret", "unique": True, "columns": ["secret"]} in result["indexes"]
    assert result["indexes"][0]["name"] == "PRIMARY"
    assert result["foreign_keys"] == [
        {"name": "to_owner", "columns": ["a", "b"], "references_table": "owner", "references_columns": ["a", "b"]}
    ]
    assert view["kind"] == "VIEW"
    assert view["comment"] is None
    assert view["estimated_rows"] is None
    message = await tools.refusal("table_describe", table="creature_templat")
    assert "creature_template" in message
    assert "world" in message


async def test_only_what_the_account_may_see_is_told(linked: MariaDb) -> None:
    async with toolbox(linked, TOOLS, user="schema_part", password="part", **names(world="schema_world")) as box:
        listed = await box.call("schema_tables")
        described = await box.call("table_describe", table="owned")
        assert "owner" in await box.refusal("table_describe", table="owner")
    assert [each["name"] for each in listed["tables"]] == ["owned"]
    assert [each["name"] for each in described["columns"]] == ["id", "label"]


async def test_relations_name_their_basis(tools: Toolbox, linked: MariaDb) -> None:
    async with toolbox(linked, TOOLS, **names(world="schema_world")) as box:
        enforced = await box.call("table_relations", table="owned")
        backward = await box.call("table_relations", table="owner")
    assert [(each["column"], each["table"], each["basis"]) for each in enforced["refers_to"]] == [
        ("a", "owner", "foreign key"),
        ("b", "owner", "foreign key"),
    ]
    assert backward["referred_by"][0]["join"] == "`schema_world`.`owner`.`a` = `schema_world`.`owned`.`a`"

    loot = await tools.call("table_relations", table="creature_loot_template")
    known = {(each["column"], each["table"], each["other_column"]): each for each in loot["refers_to"]}
    assert known["Item", "item_template", "entry"]["basis"] == "known"
    assert known["Item", "item_template", "entry"]["when"] == "Reference is 0"
    assert ("Entry", "creature_template", "lootid") in known

    quests = await tools.call("table_relations", table="quest_template")
    by_player = [each for each in quests["referred_by"] if each["table"] == "character_queststatus"]
    assert [(each["database"], each["other_column"]) for each in by_player] == [("characters", "quest")]
    # A column that nothing else explains is taken at its word, and marked as a guess.
    items = await tools.call("table_relations", table="item_template")
    guessed = {(each["table"], each["other_column"]) for each in items["referred_by"] if each["basis"] == "column name"}
    assert ("creature_equip_template", "ItemID1") not in guessed
    inventory = await tools.call("table_relations", table="character_inventory", database="characters")
    assert {each["table"] for each in inventory["refers_to"]} == {"characters", "item_instance"}


async def test_entities_definitions_tell_relations(tools: Toolbox) -> None:
    creature = await tools.call("table_relations", table="creature_template")
    assert ("gossip_menu_id", "gossip_menu") in {(each["column"], each["table"]) for each in creature["refers_to"]}
    assert len(creature["referred_by"]) > 10


async def test_versions_and_updates(tools: Toolbox, mariadb: MariaDb) -> None:
    result = await tools.call("database_versions", limit=2)
    world = next(each for each in result["versions"] if each["database"] == "world")
    assert world["updates"] == 5
    assert world["newest_update"] == "custom_lab_places.sql"
    assert world["db_version"] == mariadb.sql("SELECT db_version FROM world.version")[0][0]
    seen = [each["name"] for each in result["updates"]]
    for _ in range(10):
        if result["next_cursor"] is None:
            break
        result = await tools.call("database_versions", limit=2, cursor=result["next_cursor"])
        seen += [each["name"] for each in result["updates"]]
    assert seen == [
        "custom_lab_places.sql",
        "2026_05_20_00_world_quests.sql",
        "2026_03_02_01_world.sql",
        "2026_03_02_00_world.sql",
        "2026_01_10_00_world.sql",
    ]
    only = await tools.call("database_versions", text="quests")
    assert [each["duration_ms"] for each in only["updates"]] == [310]
    characters = await tools.call("database_versions", database="characters")
    assert len(characters["updates"]) == 1


async def test_versions_without_a_table_of_updates(linked: MariaDb) -> None:
    async with toolbox(linked, TOOLS, **names(world="schema_world")) as box:
        result = await box.call("database_versions")
    world = next(each for each in result["versions"] if each["database"] == "world")
    assert world["db_version"] == "1700000000"
    assert world["updates"] is None
    assert result["notice"] == "database world has no table of updates"


async def test_real_azerothcore(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, TOOLS) as box:
        databases = await box.call("schema_databases")
        tables = await box.call("schema_tables", text="quest")
        described = await box.call("table_describe", table="npc_vendor")
        related = await box.call("table_relations", table="npc_vendor")
        versions = await box.call("database_versions")
    assert databases["family"] == "AzerothCore"
    assert "quest_template_addon" in {each["name"] for each in tables["tables"]}
    assert [each["name"] for each in described["columns"]][:3] == ["entry", "slot", "item"]
    assert related["table"] == "npc_vendor"
    [[updates]] = azerothcore.sql("SELECT COUNT(*) FROM world.updates")
    assert next(each for each in versions["versions"] if each["database"] == "world")["updates"] == int(updates)
    assert versions["updates"]


async def test_every_written_down_relation_stands_in_the_real_schema(trinitycore: MariaDb) -> None:
    rows = trinitycore.sql("SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS")
    columns = {tuple(row) for row in rows}
    missing = []
    for database, relations in written_down().items():
        for source, meaning in relations.items():
            target = meaning.partition(", ")[0]
            *elsewhere, table, column = target.split(".")
            for place in ((database, *source.split(".")), (elsewhere[0] if elsewhere else database, table, column)):
                if place not in columns:
                    missing.append((source, place))
    assert missing == []
    async with toolbox(trinitycore, TOOLS) as box:
        assert (await box.call("schema_databases"))["family"] == "TrinityCore 3.3.5"
        result = await box.call("table_relations", table="creature")
        assert ("id", "creature_template") in {(each["column"], each["table"]) for each in result["refers_to"]}
        await box.call("table_describe", table="item_instance", database="characters")
        assert (await box.call("database_versions", database="auth"))["updates"]
