"""The tools about players on other cores' databases: shapes of TrinityCore master, and the real ones where they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.tools import account, auction, character, character_items, guild, mail, realm, tickets

MODULES = (realm, account, character, character_items, guild, auction, mail, tickets)
TOOLS = [tool for module in MODULES for tool in module.TOOLS]

# The tables of TrinityCore master that differ from those of 3.3.5, with the columns that the tools read.
MASTER = """
CREATE DATABASE IF NOT EXISTS m_world; CREATE DATABASE IF NOT EXISTS m_characters; CREATE DATABASE IF NOT EXISTS m_auth;
USE m_world;
CREATE TABLE creature_template (entry INT UNSIGNED PRIMARY KEY, name VARCHAR(100));
CREATE TABLE creature_template_difficulty (Entry INT UNSIGNED, DifficultyID TINYINT UNSIGNED, PRIMARY KEY (Entry, DifficultyID));
CREATE TABLE quest_template (ID INT UNSIGNED PRIMARY KEY, LogTitle TEXT);
CREATE TABLE quest_objectives (ID INT UNSIGNED PRIMARY KEY, QuestID INT UNSIGNED, Type TINYINT UNSIGNED, `Order` TINYINT UNSIGNED,
  StorageIndex TINYINT, ObjectID INT, Amount INT, Description TEXT);
INSERT INTO creature_template VALUES (6, 'Kobold Vermin');
INSERT INTO quest_template VALUES (28713, 'The Balance of Nature');
INSERT INTO quest_objectives VALUES (1, 28713, 0, 0, 0, 6, 6, ''), (2, 28713, 1, 1, 1, 750, 4, ''), (3, 28713, 10, 2, -1, 9, 1, '');
USE m_auth;
CREATE TABLE account LIKE auth.account;
CREATE TABLE account_access LIKE auth.account_access;
CREATE TABLE realmlist LIKE auth.realmlist;
INSERT INTO account (id, username, salt, verifier) VALUES (1, '1#1', '', '');
INSERT INTO account_access (AccountID, SecurityLevel, RealmID) VALUES (1, 3, -1);
USE m_characters;
CREATE TABLE characters (guid BIGINT UNSIGNED PRIMARY KEY, account INT UNSIGNED, name VARCHAR(12) COLLATE utf8mb4_bin, race TINYINT UNSIGNED,
  class TINYINT UNSIGNED, gender TINYINT UNSIGNED, level TINYINT UNSIGNED, xp INT UNSIGNED, money BIGINT UNSIGNED,
  map SMALLINT UNSIGNED, zone SMALLINT UNSIGNED, instance_id INT UNSIGNED, position_x FLOAT, position_y FLOAT, position_z FLOAT,
  playerFlags INT UNSIGNED, online TINYINT UNSIGNED, totaltime INT UNSIGNED, leveltime INT UNSIGNED, logout_time BIGINT,
  at_login SMALLINT UNSIGNED, honor INT UNSIGNED, totalKills INT UNSIGNED,
  deleteInfos_Account INT UNSIGNED, deleteInfos_Name VARCHAR(12), deleteDate BIGINT);
CREATE TABLE item_instance (guid BIGINT UNSIGNED PRIMARY KEY, itemEntry INT UNSIGNED, owner_guid BIGINT UNSIGNED,
  creatorGuid BIGINT UNSIGNED, count INT UNSIGNED, charges TINYTEXT, flags INT UNSIGNED, enchantments TEXT, durability SMALLINT UNSIGNED);
CREATE TABLE character_inventory (guid BIGINT UNSIGNED, bag BIGINT UNSIGNED, slot TINYINT UNSIGNED, item BIGINT UNSIGNED PRIMARY KEY);
CREATE TABLE character_queststatus (guid BIGINT UNSIGNED, quest INT UNSIGNED, status TINYINT UNSIGNED, explored TINYINT UNSIGNED,
  acceptTime BIGINT, endTime BIGINT, PRIMARY KEY (guid, quest));
CREATE TABLE character_queststatus_objectives (guid BIGINT UNSIGNED, quest INT UNSIGNED, objective TINYINT UNSIGNED, data INT,
  PRIMARY KEY (guid, quest, objective));
CREATE TABLE auctionhouse (id INT UNSIGNED PRIMARY KEY, auctionHouseId INT UNSIGNED, owner BIGINT UNSIGNED, bidder BIGINT UNSIGNED,
  minBid BIGINT UNSIGNED, buyoutOrUnitPrice BIGINT UNSIGNED, deposit BIGINT UNSIGNED, bidAmount BIGINT UNSIGNED, startTime BIGINT,
  endTime BIGINT, serverFlags TINYINT UNSIGNED);
CREATE TABLE auction_items (auctionId INT UNSIGNED, itemGuid BIGINT UNSIGNED, PRIMARY KEY (auctionId, itemGuid));
CREATE TABLE mail LIKE characters.mail;
CREATE TABLE gm_bug (id INT UNSIGNED PRIMARY KEY, playerGuid BIGINT UNSIGNED, note TEXT, createTime BIGINT, mapId SMALLINT UNSIGNED,
  posX FLOAT, posY FLOAT, posZ FLOAT, facing FLOAT, closedBy BIGINT, assignedTo BIGINT UNSIGNED, comment TEXT);
CREATE TABLE gm_suggestion LIKE gm_bug;
CREATE TABLE gm_complaint LIKE gm_bug;
INSERT INTO characters (guid, account, name, race, class, gender, level, xp, money, map, zone, position_x, position_y, position_z,
  online, totaltime, leveltime, honor, totalKills)
  VALUES (5000000001, 1, 'Later', 22, 12, 0, 70, 0, 99, 1, 141, 1, 2, 3, 1, 10, 5, 77, 4);
INSERT INTO item_instance (guid, itemEntry, owner_guid, count, enchantments) VALUES
  (1, 2589, 5000000001, 200, ''), (2, 2589, 5000000001, 50, ''), (3, 19019, 5000000001, 1, ''), (4, 117, 5000000001, 5, '');
INSERT INTO character_inventory VALUES (5000000001, 0, 15, 3), (5000000001, 0, 35, 4);
INSERT INTO character_queststatus VALUES (5000000001, 28713, 3, 0, 0, 0);
INSERT INTO character_queststatus_objectives VALUES (5000000001, 28713, 0, 2);
INSERT INTO auctionhouse VALUES (1, 6, 5000000001, 0, 0, 40, 1, 0, 0, 4000000000, 0), (2, 2, 5000000001, 0, 100, 9000, 1, 0, 0, 4000000000, 0);
INSERT INTO auction_items VALUES (1, 1), (1, 2), (2, 3);
INSERT INTO gm_bug VALUES (1, 5000000001, 'The moon is square.', 1748000000, 1, 1, 2, 3, 0, 0, 0, '');
INSERT INTO gm_suggestion VALUES (1, 5000000001, 'Round it.', 1748000001, 1, 1, 2, 3, 0, -1, 0, '');
"""  # noqa: E501 (shapes are easiest to compare in one line)


@pytest.fixture(scope="module")
def master_server(mariadb: MariaDb) -> MariaDb:
    mariadb.sql(MASTER)
    return mariadb


@pytest.fixture
async def master(master_server: MariaDb) -> AsyncIterator[Toolbox]:
    databases = {"world": "m_world", "characters": "m_characters", "auth": "m_auth"}
    async with toolbox(master_server, TOOLS, database={"databases": databases}) as box:
        yield box


@pytest.mark.anyio
async def test_auctions_of_master_are_priced_by_unit(master: Toolbox) -> None:
    found = (await master.call("auction_search"))["auctions"]
    assert [(each["id"], each["count"], each["unit_buyout"]["copper"], each["buyout"]["copper"]) for each in found] == [
        (1, 250, 40, 10000),
        (2, 1, 9000, 9000),
    ]
    assert [each["house"]["name"] for each in found] == ["Horde", "Alliance"]
    assert found[0]["seller"] == {"id": 5000000001, "name": "Later"}
    prices = (await master.call("auction_prices"))["prices"]
    assert [(each["item"]["id"], each["units"], each["median"]["copper"]) for each in prices] == [
        (2589, 250, 40),
        (19019, 1, 9000),
    ]


@pytest.mark.anyio
async def test_characters_of_master(master: Toolbox) -> None:
    later = await master.call("character_get", guid=5000000001)
    assert (later["race"]["name"], later["player_class"]["name"], later["faction"]) == (
        "Worgen",
        "Demon Hunter",
        "Alliance",
    )
    assert (later["honor_points"], later["arena_points"], later["kills"]) == (77, None, 4)
    assert (later["guild"], later["unread_mail"]) == (None, 0)
    items = (await master.call("character_inventory", name="Later"))["items"]
    assert [(each["place"]["section"], each["place"]["slot_name"]) for each in items] == [
        ("equipped", "Main Hand"),
        ("other", None),
    ]
    assert (await master.call("account_get", id=1))["access"][0]["level"]["name"] == "Administrator"
    assert [each["guild"] for each in (await master.call("characters_online"))["characters"]] == [None]


@pytest.mark.anyio
async def test_objectives_of_master(master: Toolbox) -> None:
    quests = await master.call("character_quests", name="Later")
    assert (quests["rewarded"], quests["active"][0]["quest"]["name"]) == (None, "The Balance of Nature")
    assert quests["active"][0]["objectives"] == [
        {"kind": "creature", "target": {"id": 6, "name": "Kobold Vermin"}, "done": 2, "needed": 6},
        {"kind": "item", "target": {"id": 750, "name": None}, "done": 0, "needed": 4},
    ]


@pytest.mark.anyio
async def test_tickets_of_master_come_in_kinds(master: Toolbox) -> None:
    every = (await master.call("tickets", status="all"))["tickets"]
    assert [(each["kind"], each["message"], each["open"]) for each in every] == [
        ("suggestion", "Round it.", False),
        ("bug", "The moon is square.", True),
    ]
    assert [each["kind"] for each in (await master.call("tickets"))["tickets"]] == ["bug"]


@pytest.mark.anyio
async def test_missing_tables_are_named(master: Toolbox) -> None:
    assert "table guild is missing from database m_characters" in await master.refusal("guild_get", id=1)
    assert "table item_template" in await master.refusal("auction_search", text="cloth")
    assert "table uptime is missing" in await master.refusal("uptime_history")


# Each tool once, about a character, an account and a guild that are there.
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("realm_list", {}),
    ("uptime_history", {}),
    ("population", {}),
    ("account_get", {"id": 7}),
    ("account_bans", {"active": False}),
    ("characters_online", {}),
    ("character_get", {"guid": 7}),
    ("character_inventory", {"guid": 7}),
    ("character_quests", {"guid": 7}),
    ("guild_get", {"id": 7}),
    ("auction_search", {}),
    ("auction_prices", {}),
    ("mail_summary", {"guid": 7}),
    ("tickets", {"status": "all"}),
)


def populate(server: MariaDb, level_column: str, account_column: str) -> None:
    """Put one row of each kind into the empty databases of a core."""
    server.sql(
        "SET sql_mode = '';"
        "REPLACE INTO auth.account (id, username, salt, verifier) "
        "VALUES (7, 'SEVEN', REPEAT('s', 32), REPEAT('v', 32));"
        f"REPLACE INTO auth.account_access ({account_column}, {level_column}, RealmID) VALUES (7, 1, -1);"
        "REPLACE INTO auth.account_banned VALUES (7, 1700000000, 1700000000, 'x', 'y', 1);"
        "REPLACE INTO auth.uptime (realmid, starttime, uptime) VALUES (1, 1700000000, 60);"
        "REPLACE INTO characters.characters (guid, account, name, race, class, level, online, taximask) "
        "VALUES (7, 7, 'Seven', 1, 1, 7, 1, '');"
        "REPLACE INTO characters.guild (guildid, name, leaderguid, info, motd) VALUES (7, 'Sevens', 7, '', '');"
        "REPLACE INTO characters.guild_member (guildid, guid, `rank`) VALUES (7, 7, 0);"
        "REPLACE INTO characters.item_instance (guid, itemEntry, owner_guid, count, enchantments) "
        "VALUES (7, 25, 7, 2, ''), (8, 25, 7, 2, '');"
        "REPLACE INTO characters.character_inventory VALUES (7, 0, 15, 7);"
        "REPLACE INTO characters.character_queststatus (guid, quest, status, mobcount1) VALUES (7, 7, 3, 4);"
        "REPLACE INTO characters.auctionhouse (id, houseid, itemguid, itemowner, buyoutprice, time) "
        "VALUES (7, 2, 8, 7, 10, 1);"
        "REPLACE INTO characters.mail (id, receiver, money) VALUES (7, 7, 5);"
        "REPLACE INTO characters.gm_ticket (id, playerGuid, name, description, comment, response) "
        "VALUES (7, 7, 'Seven', 'x', '', '')"
    )


async def answers(server: MariaDb) -> dict[str, Any]:
    async with toolbox(server, TOOLS) as box:
        found: dict[str, Any] = {}
        for name, arguments in CALLS:
            try:
                found[name] = await box.call(name, **arguments)
            except ToolError as error:
                found[name] = str(error)
        assert found.keys() == box.tools.keys()
    assert {name: each for name, each in found.items() if isinstance(each, str)} == {}
    return found


def check_answers(found: dict[str, Any]) -> None:
    assert found["realm_list"]["realms"][0]["game_build"] == 12340
    assert found["account_get"]["access"][0]["level"]["name"] == "Moderator"
    assert found["account_get"]["characters"][0]["name"] == "Seven"
    assert found["account_bans"]["bans"][0]["in_force"] is True
    assert found["population"]["online"] == 1
    assert found["character_get"]["guild"]["name"] == "Sevens"
    assert found["character_inventory"]["items"][0]["place"]["slot_name"] == "Main Hand"
    assert found["guild_get"]["member_count"] == 1
    assert found["auction_search"]["auctions"][0]["unit_buyout"]["copper"] == 5
    assert found["auction_prices"]["prices"][0]["units"] == 2
    assert found["mail_summary"]["money"]["copper"] == 5
    assert found["tickets"]["tickets"][0]["character"]["name"] == "Seven"


@pytest.mark.anyio
async def test_every_tool_on_the_schema_of_trinitycore(trinitycore: MariaDb) -> None:
    populate(trinitycore, "SecurityLevel", "AccountID")
    found = await answers(trinitycore)
    check_answers(found)
    # The quest's template is not there, so what it asks for is not known.
    assert found["character_quests"]["active"][0]["objectives"] == []


@pytest.mark.anyio
async def test_every_tool_on_azerothcore(azerothcore: MariaDb) -> None:
    populate(azerothcore, "gmlevel", "id")
    found = await answers(azerothcore)
    check_answers(found)
    # Without the table of templates the counters themselves are shown.
    assert found["character_quests"]["active"][0]["objectives"] == [
        {"kind": "creature", "target": None, "done": 4, "needed": None}
    ]
    assert found["character_inventory"]["items"][0]["quality"] is None
