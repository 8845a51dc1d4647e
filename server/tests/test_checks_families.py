"""Checks on the shapes of TrinityCore master and AzerothCore, where they keep things elsewhere than 3.3.5."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import toolbox
from trinitycore_mcp.tools import checks

# Only the columns that matter, each table with one row that is right and one that is wrong.
MASTER = """
CREATE DATABASE IF NOT EXISTS c_master; USE c_master;
CREATE TABLE creature_template (entry INT UNSIGNED PRIMARY KEY, name VARCHAR(100), npcflag BIGINT UNSIGNED);
INSERT INTO creature_template VALUES (1, 'One', 1);
CREATE TABLE creature_template_difficulty (Entry INT UNSIGNED, DifficultyID TINYINT UNSIGNED, LootID INT UNSIGNED);
INSERT INTO creature_template_difficulty VALUES (1, 0, 77);
CREATE TABLE creature_template_gossip (CreatureID INT UNSIGNED, MenuID INT UNSIGNED);
INSERT INTO creature_template_gossip VALUES (1, 10), (1, 11);
CREATE TABLE gossip_menu (MenuID INT UNSIGNED, TextID INT UNSIGNED);
INSERT INTO gossip_menu VALUES (10, 1);
CREATE TABLE quest_template (ID INT UNSIGNED PRIMARY KEY, LogTitle TEXT);
INSERT INTO quest_template VALUES (1, 'Quest');
CREATE TABLE quest_objectives (ID INT UNSIGNED PRIMARY KEY, QuestID INT UNSIGNED, Type TINYINT UNSIGNED, ObjectID INT);
INSERT INTO quest_objectives VALUES (1, 1, 0, 1), (2, 1, 0, 999), (3, 1, 1, 999);
CREATE TABLE creature_loot_template (Entry INT UNSIGNED, ItemType TINYINT, Item INT UNSIGNED, Chance FLOAT,
  QuestRequired TINYINT, LootMode SMALLINT, GroupId TINYINT, MinCount TINYINT, MaxCount TINYINT);
INSERT INTO creature_loot_template VALUES (77, 1, 5, 10, 0, 1, 0, 1, 1), (77, 1, 6, 10, 0, 1, 0, 1, 1);
CREATE TABLE reference_loot_template LIKE creature_loot_template;
INSERT INTO reference_loot_template VALUES (5, 0, 25, 10, 0, 1, 0, 1, 1);
CREATE TABLE creature (guid BIGINT UNSIGNED PRIMARY KEY, id INT UNSIGNED, map SMALLINT UNSIGNED);
INSERT INTO creature VALUES (1, 1, 2552);
"""
AZEROTHCORE = """
CREATE DATABASE IF NOT EXISTS c_azeroth; USE c_azeroth;
CREATE TABLE acore_string (entry INT UNSIGNED PRIMARY KEY);
CREATE TABLE creature_template (entry INT UNSIGNED PRIMARY KEY, name VARCHAR(100));
INSERT INTO creature_template VALUES (1, 'One');
CREATE TABLE creature (guid INT UNSIGNED PRIMARY KEY, id1 INT UNSIGNED, map SMALLINT UNSIGNED);
INSERT INTO creature VALUES (1, 1, 0), (2, 999, 0), (3, 1, 999), (4, 1, 888);
CREATE TABLE map_dbc (ID INT UNSIGNED PRIMARY KEY);
INSERT INTO map_dbc VALUES (888);
CREATE TABLE pool_template (entry INT UNSIGNED PRIMARY KEY);
INSERT INTO pool_template VALUES (1);
CREATE TABLE pool_creature (guid INT UNSIGNED PRIMARY KEY, pool_entry INT UNSIGNED);
INSERT INTO pool_creature VALUES (1, 1), (2, 999), (77, 1);
CREATE TABLE creature_model_info (DisplayID INT UNSIGNED PRIMARY KEY);
INSERT INTO creature_model_info VALUES (50);
CREATE TABLE creature_template_model (CreatureID INT UNSIGNED, Idx SMALLINT UNSIGNED, CreatureDisplayID INT UNSIGNED);
INSERT INTO creature_template_model VALUES (1, 0, 50), (1, 1, 51);
"""


async def found(server: MariaDb, world: str, name: str) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Return the rows by kind, and the kinds that were not checked with the reason."""
    async with toolbox(server, checks.TOOLS, database={"databases": {"world": world}}) as box:
        page = await box.call(name, limit=200)
    rows: dict[str, list[dict[str, Any]]] = {}
    for problem in page["problems"]:
        rows.setdefault(problem["kind"], []).append(problem["row"])
    return rows, {each["kind"]: each["reason"] for each in page["not_checked"]}


@pytest.fixture(scope="module")
def master(mariadb: MariaDb) -> MariaDb:
    mariadb.sql(MASTER)
    return mariadb


@pytest.fixture(scope="module")
def azeroth(mariadb: MariaDb) -> MariaDb:
    mariadb.sql(AZEROTHCORE)
    return mariadb


@pytest.mark.anyio
async def test_objectives_of_master_are_rows(master: MariaDb) -> None:
    rows, not_checked = await found(master, "c_master", "check_quests")
    assert rows["required_creature_missing"] == [{"quest": 1, "slot": 2, "creature": 999}]
    # Items come from the client, so a database without them says nothing about them.
    assert "item_template" in not_checked["required_item_missing"]


@pytest.mark.anyio
async def test_references_of_master_are_a_type_of_item(master: MariaDb) -> None:
    rows, not_checked = await found(master, "c_master", "check_loot")
    assert [(row["item"], row["reference"]) for row in rows["reference_missing"]] == [(6, 6)]
    assert rows.get("loot_missing", []) == []
    assert "item_missing" in not_checked


@pytest.mark.anyio
async def test_menus_of_master_have_a_table(master: MariaDb) -> None:
    rows, _ = await found(master, "c_master", "check_gossip")
    assert rows["menu_missing"] == [{"creature": 1, "menu": 11}]


@pytest.mark.anyio
async def test_maps_of_master_are_not_known(master: MariaDb) -> None:
    rows, not_checked = await found(master, "c_master", "check_spawns")
    assert rows == {}
    assert "map_dbc" in not_checked["creature_on_missing_map"]


@pytest.mark.anyio
async def test_spawns_of_azerothcore(azeroth: MariaDb) -> None:
    rows, _ = await found(azeroth, "c_azeroth", "check_spawns")
    assert rows == {
        "creature_without_template": [{"guid": 2, "creature": 999, "map": 0}],
        "pool_without_creature": [{"guid": 77, "pool": 1}],
        "creature_in_missing_pool": [{"guid": 2, "pool": 999}],
        "creature_on_missing_map": [{"guid": 3, "creature": 1, "map": 999}],
        "creature_model_missing": [{"creature": 1, "slot": 1, "model": 51}],
    }
