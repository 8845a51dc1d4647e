"""Spawns, scripts and conditions in the shapes of the other families of databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import toolbox
from trinitycore_mcp.tools import (
    areatriggers,
    conditions,
    creature_text,
    formations,
    gossip,
    places,
    smart_script,
    spawn_groups,
    spawns,
    waypoints,
)

pytestmark = pytest.mark.anyio

TOOLS = (
    *spawns.TOOLS,
    *spawn_groups.TOOLS,
    *formations.TOOLS,
    *places.TOOLS,
    *areatriggers.TOOLS,
    *conditions.TOOLS,
    *smart_script.TOOLS,
    *waypoints.TOOLS,
    *gossip.TOOLS,
    *creature_text.TOOLS,
)
SCRIPT = (
    "entryorguid INT, source_type TINYINT UNSIGNED DEFAULT 0, id SMALLINT UNSIGNED DEFAULT 0, "
    "link SMALLINT UNSIGNED DEFAULT 0, event_type TINYINT UNSIGNED DEFAULT 0, event_phase_mask SMALLINT DEFAULT 0, "
    "event_chance TINYINT UNSIGNED DEFAULT 100, event_flags SMALLINT UNSIGNED DEFAULT 0, "
    + "".join(f"event_param{n} INT UNSIGNED DEFAULT 0, " for n in range(1, 6))
    + "action_type TINYINT UNSIGNED DEFAULT 0, "
    + "".join(f"action_param{n} INT UNSIGNED DEFAULT 0, " for n in range(1, 7))
    + "target_type TINYINT UNSIGNED DEFAULT 0, "
    + "".join(f"target_param{n} INT UNSIGNED DEFAULT 0, " for n in range(1, 5))
    + "target_x FLOAT DEFAULT 0, target_y FLOAT DEFAULT 0, target_z FLOAT DEFAULT 0, target_o FLOAT DEFAULT 0, "
    "comment TEXT"
)
CONDITION = (
    "SourceTypeOrReferenceId INT, SourceGroup INT UNSIGNED DEFAULT 0, SourceEntry INT DEFAULT 0, "
    "SourceId INT DEFAULT 0, ElseGroup INT UNSIGNED DEFAULT 0, ConditionTypeOrReference INT, "
    "ConditionTarget TINYINT UNSIGNED DEFAULT 0, ConditionValue1 INT UNSIGNED DEFAULT 0, "
    "ConditionValue2 INT UNSIGNED DEFAULT 0, ConditionValue3 INT UNSIGNED DEFAULT 0, "
    "NegativeCondition TINYINT UNSIGNED DEFAULT 0, ErrorType INT UNSIGNED DEFAULT 0, "
    "ErrorTextId INT UNSIGNED DEFAULT 0, ScriptName CHAR(64) DEFAULT '', Comment VARCHAR(255)"
)
NPC_TEXT = ", ".join(f"BroadcastTextID{n} INT DEFAULT 0, Probability{n} FLOAT DEFAULT 0" for n in range(8))
PLACE = (
    "map SMALLINT UNSIGNED DEFAULT 0, zoneId SMALLINT UNSIGNED DEFAULT 0, areaId SMALLINT UNSIGNED DEFAULT 0, "
    "position_x FLOAT DEFAULT 0, position_y FLOAT DEFAULT 0, position_z FLOAT DEFAULT 0, orientation FLOAT DEFAULT 0, "
    "spawntimesecs INT DEFAULT 300"
)
AZEROTHCORE = f"""
CREATE DATABASE relations_acore; USE relations_acore;
CREATE TABLE acore_string (entry INT PRIMARY KEY);
CREATE TABLE creature_template (entry INT PRIMARY KEY, name CHAR(100), gossip_menu_id INT DEFAULT 0, AIName CHAR(64));
INSERT INTO creature_template VALUES (6, 'Kobold Vermin', 0, 'SmartAI'), (40, 'Kobold Miner', 0, '');
CREATE TABLE creature (guid INT PRIMARY KEY, id1 INT, id2 INT DEFAULT 0, id3 INT DEFAULT 0, {PLACE},
  spawnMask TINYINT UNSIGNED DEFAULT 1, phaseMask INT UNSIGNED DEFAULT 1, equipment_id TINYINT DEFAULT 0,
  wander_distance FLOAT DEFAULT 0, MovementType TINYINT UNSIGNED DEFAULT 0, ScriptName CHAR(64) DEFAULT '');
INSERT INTO creature (guid, id1, id2, position_x) VALUES (1, 6, 40, 10), (2, 40, 0, 20), (3, 6, 0, 30);
CREATE TABLE pool_template (entry INT PRIMARY KEY, max_limit INT, description VARCHAR(255));
INSERT INTO pool_template VALUES (5, 1, 'one of two'), (6, 1, 'above');
CREATE TABLE pool_creature (guid INT PRIMARY KEY, pool_entry INT, chance FLOAT, description VARCHAR(255));
CREATE TABLE pool_gameobject (guid INT PRIMARY KEY, pool_entry INT, chance FLOAT, description VARCHAR(255));
CREATE TABLE pool_pool (pool_id INT PRIMARY KEY, mother_pool INT, chance FLOAT, description VARCHAR(255));
INSERT INTO pool_creature VALUES (1, 5, 30, 'first'), (2, 5, 70, 'second');
INSERT INTO pool_pool VALUES (5, 6, 0, 'inner');
CREATE TABLE creature_formations (leaderGUID INT, memberGUID INT PRIMARY KEY, dist FLOAT, angle FLOAT, groupAI INT,
  point_1 INT DEFAULT 0, point_2 INT DEFAULT 0);
INSERT INTO creature_formations (leaderGUID, memberGUID, dist, angle, groupAI) VALUES (1, 1, 0, 0, 7), (1, 3, 2, 90, 7);
CREATE TABLE smart_scripts ({SCRIPT}, event_param6 INT UNSIGNED DEFAULT 0);
INSERT INTO smart_scripts (entryorguid, event_type, event_param1, event_param2, event_param5, event_param6, action_type,
  action_param1, target_type, target_param1) VALUES (6, 9, 2000, 2000, 0, 5, 208, 3, 204, 40);
CREATE TABLE conditions ({CONDITION});
INSERT INTO conditions (SourceTypeOrReferenceId, SourceEntry, ConditionTypeOrReference, ConditionValue1) VALUES
  (29, 6, 103, 7), (30, 6, 106, 0);
"""
MASTER = f"""
CREATE DATABASE relations_hotfixes; USE relations_hotfixes;
CREATE TABLE broadcast_text (ID INT PRIMARY KEY, Text TEXT, Text1 TEXT);
CREATE TABLE broadcast_text_locale (ID INT, locale VARCHAR(4), Text_lang TEXT, Text1_lang TEXT,
  PRIMARY KEY (ID, locale));
INSERT INTO broadcast_text VALUES (900, 'Good day.', ''), (901, '', 'No goods today.');
INSERT INTO broadcast_text_locale VALUES (900, 'deDE', 'Guten Tag.', '');
CREATE DATABASE relations_master; USE relations_master;
CREATE TABLE creature_template (entry INT PRIMARY KEY, name CHAR(100), AIName CHAR(64));
CREATE TABLE creature_template_difficulty (Entry INT PRIMARY KEY, DifficultyID INT);
CREATE TABLE creature_template_gossip (CreatureID INT, MenuID INT, PRIMARY KEY (CreatureID, MenuID));
INSERT INTO creature_template VALUES (6, 'Kobold Vermin', 'SmartAI');
INSERT INTO creature_template_gossip VALUES (6, 11), (6, 12);
CREATE TABLE gossip_menu (MenuID INT, TextID INT, PRIMARY KEY (MenuID, TextID));
INSERT INTO gossip_menu VALUES (11, 1), (12, 1);
CREATE TABLE npc_text (ID INT PRIMARY KEY, {NPC_TEXT});
INSERT INTO npc_text (ID, BroadcastTextID0, Probability0) VALUES (1, 900, 1);
CREATE TABLE creature_text (CreatureID INT, GroupID INT, ID INT, Text TEXT, Type INT, Language INT, Probability FLOAT,
  Emote INT, Duration INT, Sound INT, SoundPlayType INT, BroadcastTextId INT, TextRange INT, comment TEXT);
INSERT INTO creature_text VALUES (6, 0, 0, '', 12, 0, 100, 0, 0, 0, 0, 900, 0, '');
CREATE TABLE gossip_menu_option (MenuID INT, GossipOptionID INT, OptionID INT, OptionNpc TINYINT UNSIGNED,
  OptionText TEXT, OptionBroadcastTextID INT, ActionMenuID INT, ActionPoiID INT, BoxCoded INT, BoxMoney INT,
  BoxText TEXT, BoxBroadcastTextID INT);
INSERT INTO gossip_menu_option VALUES (11, 1, 0, 1, NULL, 901, 12, 0, 0, 0, NULL, 0);
CREATE TABLE creature (guid BIGINT PRIMARY KEY, id INT, spawnDifficulties VARCHAR(100) DEFAULT '0',
  PhaseId INT DEFAULT 0, PhaseGroup INT DEFAULT 0, {PLACE}, wander_distance FLOAT DEFAULT 0,
  MovementType TINYINT DEFAULT 2, equipment_id TINYINT DEFAULT 0, ScriptName CHAR(64) DEFAULT '', StringId VARCHAR(64));
INSERT INTO creature (guid, id, spawnDifficulties, PhaseId, StringId) VALUES (1000000001, 6, '1,2', 170, 'watcher');
CREATE TABLE creature_addon (guid BIGINT PRIMARY KEY, PathId INT DEFAULT 0);
INSERT INTO creature_addon VALUES (1000000001, 77);
CREATE TABLE waypoint_path (PathId INT PRIMARY KEY, MoveType INT);
CREATE TABLE waypoint_path_node (PathId INT, NodeId INT, PositionX FLOAT, PositionY FLOAT, PositionZ FLOAT,
  Orientation FLOAT, Delay INT);
INSERT INTO waypoint_path VALUES (77, 1);
INSERT INTO waypoint_path_node VALUES (77, 0, 0, 0, 0, NULL, 0), (77, 1, 3, 4, 0, NULL, 500);
CREATE TABLE world_safe_locs (ID INT PRIMARY KEY, MapID INT, LocX FLOAT, LocY FLOAT, LocZ FLOAT, Facing FLOAT,
  Comment VARCHAR(255));
INSERT INTO world_safe_locs VALUES (105, 0, 1, 2, 3, 0.5, 'By the abbey');
CREATE TABLE graveyard_zone (ID INT, GhostZone INT, Comment TEXT);
INSERT INTO graveyard_zone VALUES (105, 12, NULL);
CREATE TABLE areatrigger_teleport (ID INT PRIMARY KEY, PortLocID INT, Name TEXT);
INSERT INTO areatrigger_teleport VALUES (9, 105, 'Back out');
CREATE TABLE areatrigger (SpawnId INT PRIMARY KEY, AreaTriggerCreatePropertiesId INT);
CREATE TABLE smart_scripts ({SCRIPT}, event_param_string VARCHAR(255), action_param7 INT UNSIGNED DEFAULT 0,
  action_param_string VARCHAR(255), target_param_string VARCHAR(255), Difficulties VARCHAR(100) DEFAULT '');
INSERT INTO smart_scripts (entryorguid, event_type, action_type, action_param1, action_param2, target_type,
  target_param1, target_param_string, Difficulties) VALUES (6, 4, 44, 170, 1, 19, 6, 'watcher', '1,2');
CREATE TABLE conditions ({CONDITION}, ConditionStringValue1 VARCHAR(64) DEFAULT '');
INSERT INTO conditions (SourceTypeOrReferenceId, SourceEntry, ConditionTypeOrReference, ConditionStringValue1) VALUES
  (17, 5, 58, 'watcher');
"""


@pytest.fixture(scope="module")
def worlds(mariadb: MariaDb) -> Iterator[MariaDb]:
    mariadb.sql(AZEROTHCORE)
    mariadb.sql(MASTER)
    yield mariadb
    mariadb.sql("DROP DATABASE relations_acore; DROP DATABASE relations_master; DROP DATABASE relations_hotfixes")


async def test_azerothcore(worlds: MariaDb) -> None:
    async with toolbox(worlds, TOOLS, database={"databases": {"world": "relations_acore"}}) as tools:
        miners = await tools.call("spawns", kind="creature", id=40)
        assert [each["guid"] for each in miners["spawns"]] == [1, 2]  # the first one only now and then
        first = miners["spawns"][0]
        assert first["entry"]["name"] == "Kobold Vermin"
        assert [each["name"] for each in first["or_entries"]] == ["Kobold Miner"]
        assert (first["pool"], first["phase_mask"], first["spawn_mask"]["value"]) == (5, 1, 1)
        near = await tools.call("spawns_near", map=0, x=0, y=0, radius=25)
        assert [(each["guid"], each["distance"]) for each in near["spawns"]] == [(1, 10.0), (2, 20.0)]
        pools = (await tools.call("spawn_groups_pools", guid=1))["pools"]
        assert [(pool["id"], [member["id"] for member in pool["members"]]) for pool in pools] == [(5, [1, 2]), (6, [5])]
        formation = (await tools.call("formations", creature=6))["formations"][0]
        assert [member["guid"] for member in formation["members"]] == [1, 3]
        assert "All Evade Together (AzerothCore)" in formation["members"][1]["behaviour"]["names"]
        script = await tools.call("smart_script", id=6)
        assert script["rows"][0]["sentence"] == (
            "When its victim is 0-5 yd away, after 2 s, "
            "makes creature Kobold Miner (40) that it summoned immune (type 3, id 0, value 0)"
        )
        respawn = await tools.call("conditions_of", source_type="Creature Respawn", entry=6)
        assert respawn["sources"][0]["sentence"] == "World state condition 7 holds"
        assert respawn["sources"][0]["about"] == "respawn of a creature: creature Kobold Vermin (6)"
        seen = await tools.call("conditions_of", source_type="Creature Visibility")
        assert seen["sources"][0]["sentence"] == "The player is in combat"
        assert "this family has no" in await tools.refusal("conditions_of", source_type="Area Trigger")


async def test_trinitycore_master(worlds: MariaDb) -> None:
    names = {"world": "relations_master", "hotfixes": "relations_hotfixes"}
    async with toolbox(worlds, TOOLS, database={"databases": names}) as tools:
        spawn = (await tools.call("spawns", kind="creature", id=6))["spawns"][0]
        assert (spawn["difficulties"], spawn["phase_id"], spawn["string_id"]) == ("1,2", 170, "watcher")
        assert (spawn["spawn_mask"], spawn["phase_mask"], spawn["path"]) == (None, None, 77)
        path = (await tools.call("waypoints", spawn=1000000001))["paths"][0]
        assert (path["length"], path["points"][1]["delay"], path["points"][0]["move"]["name"]) == (5.0, 500, "run")
        graveyard = (await tools.call("graveyards", map=0))["graveyards"][0]
        assert (graveyard["position"]["y"], graveyard["faction"], graveyard["name"]) == (2.0, None, "By the abbey")
        trigger = (await tools.call("areatriggers", to_map=0))["triggers"][0]
        assert (trigger["id"], trigger["teleport"]["to"]["z"], trigger["shape"]) == (9, 3.0, None)
        script = await tools.call("smart_script", id=6)
        assert script["rows"][0]["sentence"] == (
            "When it enters combat, puts the closest creature Kobold Vermin (6) within 100 yd with string id 'watcher' "
            "into phase 170 [difficulties 1,2]"
        )
        spell = await tools.call("conditions_of", source_type="Spell")
        assert spell["sources"][0]["sentence"] == "The caster has the string id 'watcher'"
        tree = await tools.call("gossip_tree", creature=6)
        assert [node["menu"] for node in tree["menus"]] == [11, 12]
        option = tree["menus"][0]["options"][0]
        assert (option["does"], option["npc_flags"]) == ({"value": 1, "name": None}, None)
        assert option["text"] == "No goods today."  # in the hotfixes database
        assert option["ends"] == "menu 12 is shown elsewhere in this answer"
        german = await tools.call("gossip_tree", creature=6, locale="deDE")
        assert german["menus"][0]["texts"][0]["variants"][0]["text"] == "Guten Tag."
        assert (await tools.call("creature_text", creature=6))["groups"][0]["lines"][0]["text"] == "Good day."
        said = (await tools.call("creature_text", creature=6, locale="deDE"))["groups"][0]["lines"][0]
        assert (said["text"], said["origin"]) == ("Guten Tag.", "broadcast_text_locale")
