"""Realms, accounts, characters, guilds, auctions, mail and tickets, as the tools show them."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import account, auction, character, character_items, guild, mail, realm, tickets

MODULES = (realm, account, character, character_items, guild, auction, mail, tickets)
TOOLS = [tool for module in MODULES for tool in module.TOOLS]
# What auth_players.sql and characters_players.sql hold that nobody may see.
NEVER = ("never@", "203.0.113.", "totp-never", "ssss", "vvvv", "kkkk", "never read", "QQ")


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS) as box:
        yield box


def names(items: list[dict[str, Any]], key: str = "name") -> list[Any]:
    return [item[key] for item in items]


@pytest.mark.anyio
async def test_realms(tools: Toolbox) -> None:
    lab, annex = (await tools.call("realm_list"))["realms"]
    assert (lab["name"], lab["accounts"], lab["characters"]) == ("Lab", 3, 6)
    assert (lab["last_start"], lab["last_uptime_seconds"]) == ("2026-09-22T15:13:20Z", 43200)
    assert lab["last_seen"] == "2026-09-23T03:13:20Z"
    assert annex["address"] == "annex.lab.example"
    assert annex["type"]["name"] == "Roleplaying PvP"
    assert annex["flags"]["names"] == ["Offline", "New"]
    assert (annex["region"]["name"], annex["required_security_level"]["name"]) == ("English", "Game Master")
    assert (annex["accounts"], annex["revision"]) == (0, "TrinityCore annex")


@pytest.mark.anyio
async def test_uptime_pages_newest_first(tools: Toolbox) -> None:
    whole = (await tools.call("uptime_history"))["runs"]
    assert [(run["realm_id"], run["uptime_seconds"]) for run in whole] == [(1, 43200), (1, 86400), (2, 30), (2, 600)]
    assert [run["down_seconds_before"] for run in whole] == [3600, None, 400, None]
    first = await tools.call("uptime_history", limit=3)
    rest = await tools.call("uptime_history", limit=3, cursor=first["next_cursor"])
    assert first["runs"] + rest["runs"] == whole
    assert rest["next_cursor"] is None
    annex = (await tools.call("uptime_history", realm=2))["runs"]
    assert [run["max_players"] for run in annex] == [0, 1]


@pytest.mark.anyio
async def test_population(tools: Toolbox) -> None:
    found = await tools.call("population")
    assert found["online"] == 4
    assert found["by_faction"] == [{"name": "Alliance", "online": 3}, {"name": "Horde", "online": 1}]
    assert {part["name"]: part["online"] for part in found["by_race"]} == {"Human": 1, "Night Elf": 2, "Undead": 1}
    assert {part["name"]: part["online"] for part in found["by_level"]} == {"1-9": 1, "40-49": 1, "80-89": 2}
    assert [(zone["zone"]["id"], zone["online"]) for zone in found["by_zone"]] == [
        (1519, 1),
        (141, 1),
        (1637, 1),
        (4395, 1),
    ]


@pytest.mark.anyio
async def test_account(tools: Toolbox) -> None:
    warden = await tools.call("account_get", name="warden")
    assert (warden["id"], warden["username"], warden["online"], warden["locked"]) == (11, "WARDEN", True, True)
    assert warden["joined"] is not None
    assert (warden["failed_logins"], warden["client_os"], warden["recruiter_account_id"]) == (2, "Win", 2)
    assert warden["expansion"]["name"] == "Wrath of the Lich King"
    assert warden["locale"]["name"] == "deDE"
    assert warden["access"] == [
        {"realm_id": None, "level": {"value": 1, "name": "Moderator"}},
        {"realm_id": 1, "level": {"value": 2, "name": "Game Master"}},
    ]
    assert warden["mute"] is None
    assert warden["active_ban"] is None
    assert warden["character_count"] == 3
    assert names(warden["characters"]) == ["Warden", "Crafter", "Quester"]
    assert "there is no account with id 77" in await tools.refusal("account_get", id=77)
    assert "did you mean WARDEN?" in await tools.refusal("account_get", name="wardenn")
    assert "give either id or name" in await tools.refusal("account_get")
    assert "give either id or name" in await tools.refusal("account_get", id=11, name="WARDEN")


@pytest.mark.anyio
async def test_mutes(tools: Toolbox) -> None:
    loud = (await tools.call("account_get", id=12))["mute"]
    assert (loud["until"][:4], loud["seconds_from_login"], loud["by"]) == ("2096", None, "Warden")
    assert loud["reason"] == "Shouting in the library"
    later = (await tools.call("account_get", id=13))["mute"]
    assert (later["until"], later["seconds_from_login"]) == (None, 3600)


@pytest.mark.anyio
async def test_bans(tools: Toolbox) -> None:
    ban = (await tools.call("account_get", id=12))["active_ban"]
    assert (ban["reason"], ban["until"]) == ("For good", None)
    in_force = await tools.call("account_bans")
    assert names(in_force["bans"], "reason") == ["For long", "For good"]
    every = await tools.call("account_bans", active=False)
    assert [(ban["reason"], ban["in_force"]) for ban in every["bans"]] == [
        ("For long", True), ("For good", True), ("Ran out, not yet swept", False), ("Ran out", False),
        ("Lifted", False),
    ]  # fmt: skip
    paged, cursor = [], None
    while True:
        page = await tools.call("account_bans", active=False, limit=2, cursor=cursor)
        paged += page["bans"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == every["bans"]
    of_one = await tools.call("account_bans", name="LATER", active=False)
    assert names(of_one["bans"], "username") == ["LATER", "LATER"]


@pytest.mark.anyio
async def test_characters_online(tools: Toolbox) -> None:
    every = await tools.call("characters_online")
    assert names(every["characters"]) == ["Testine", "Warden", "Crafter", "Quester"]
    warden = every["characters"][1]
    assert (warden["game_master"], warden["guild"]["name"], warden["faction"]) == (True, "Lab Assistants", "Alliance")
    assert every["characters"][3]["guild"] is None
    first = await tools.call("characters_online", limit=3)
    assert names((await tools.call("characters_online", limit=3, cursor=first["next_cursor"]))["characters"]) == [
        "Quester"
    ]
    assert names((await tools.call("characters_online", race="night elf", max_level=40))["characters"]) == ["Quester"]
    assert names((await tools.call("characters_online", player_class="Mage", map=1))["characters"]) == ["Crafter"]
    assert "did you mean Mage" in await tools.refusal("characters_online", player_class="Maga")


@pytest.mark.anyio
async def test_character(tools: Toolbox) -> None:
    crafter = await tools.call("character_get", name="CRAFTER")
    assert (crafter["guid"], crafter["account_id"], crafter["level"]) == (12, 11, 45)
    assert crafter["money"] == {"copper": 12345678, "text": "1234g 56s 78c"}
    assert (crafter["race"]["name"], crafter["player_class"]["name"], crafter["faction"]) == ("Undead", "Mage", "Horde")
    assert crafter["guild"] == {"id": 1, "name": "Lab Assistants", "rank": 1, "rank_name": "Technician"}
    assert crafter["active_ban"]["reason"] == "Sold air"
    assert crafter["unread_mail"] == 1
    warden = await tools.call("character_get", guid=11)
    assert warden["flags"]["names"] == ["Game Master"]
    assert warden["at_next_login"]["names"] == ["Rename"]
    assert (warden["honor_points"], warden["arena_points"], warden["kills"]) == (30, 5, 2)
    assert (await tools.call("character_get", guid=13))["active_ban"] is None


@pytest.mark.anyio
async def test_deleted_character_is_found_and_marked(tools: Toolbox) -> None:
    by_name = await tools.call("character_get", name="ghosted")
    assert (by_name["guid"], by_name["name"], by_name["deleted"], by_name["account_id"]) == (14, "Ghosted", True, 12)
    assert by_name["deleted_at"] == "2025-04-18T18:13:20Z"
    assert await tools.call("character_get", guid=14) == by_name
    assert "there is no character named 'Nobody'" in await tools.refusal("character_get", name="Nobody")
    assert "did you mean Crafter?" in await tools.refusal("character_get", name="Craftor")


@pytest.mark.anyio
async def test_inventory(tools: Toolbox) -> None:
    whole = await tools.call("character_inventory", guid=11)
    places = [(item["guid"], item["place"]["section"], item["place"]["slot_name"]) for item in whole["items"]]
    assert places == [
        (101, "equipped", "Main Hand"), (102, "bag", "1"), (103, "backpack", "1"), (105, "bank", "1"),
        (106, "bank", "28"), (107, "keyring", "1"), (104, "in bag", "3"),
    ]  # fmt: skip
    items = {item["guid"]: item for item in whole["items"]}
    sword = items[101]
    assert (sword["item"]["name"][:11], sword["quality"]["name"]) == ("Thunderfury", "Legendary")
    assert (sword["durability"], sword["max_durability"], sword["flags"]["names"]) == (80, 125, ["Soulbound"])
    assert [
        (each["slot"]["name"], each["enchantment_id"], each["remaining_ms"], each["charges"])
        for each in sword["enchantments"]
    ] == [("Permanent", 3789, None, None), ("Temporary", 2, 600000, 5)]
    assert items[102]["creator"] == {"id": 12, "name": "Crafter"}
    assert (items[104]["charges"], items[104]["random_property"], items[104]["place"]["bag_guid"]) == ([-1], -25, 102)
    assert (items[106]["durability"], items[106]["max_durability"]) == (0, 145)
    assert (items[107]["item"], items[107]["quality"]) == ({"id": 999999, "name": None}, None)
    first = await tools.call("character_inventory", guid=11, limit=6)
    rest = await tools.call("character_inventory", guid=11, limit=6, cursor=first["next_cursor"])
    assert first["items"] + rest["items"] == whole["items"]


@pytest.mark.anyio
async def test_quests_of_a_character(tools: Toolbox) -> None:
    found = await tools.call("character_quests", name="Quester")
    assert (found["rewarded"], found["daily_done"], found["weekly_done"]) == (2, 1, 0)
    quests = {each["quest"]["id"]: each for each in found["active"]}
    assert {quest: each["status"]["name"] for quest, each in quests.items()} == {
        7: "Incomplete",
        60: "Complete",
        783: "Failed",
    }
    assert quests[7]["quest"]["name"] == "Kobold Camp Cleanup"
    assert quests[7]["objectives"] == [
        {"kind": "creature", "target": {"id": 6, "name": "Kobold Vermin"}, "done": 4, "needed": 10}
    ]
    assert quests[60]["objectives"] == [
        {"kind": "item", "target": {"id": 772, "name": "Large Candle"}, "done": 8, "needed": 8}
    ]
    assert quests[7]["time_left_until"] is None
    assert quests[60]["time_left_until"][:4] == "2096"
    assert (quests[783]["explored"], quests[783]["objectives"]) == (True, [])


@pytest.mark.anyio
async def test_guild(tools: Toolbox) -> None:
    found = await tools.call("guild_get", name="Lab Assistants")
    assert found["leader"] == {"id": 2, "name": "Testine"}
    assert (found["bank_money"]["text"], found["bank_tabs"]) == ("125g", 2)
    assert (found["member_count"], found["online_count"]) == (4, 3)
    assert [(rank["rank"], rank["name"], rank["members"]) for rank in found["ranks"]] == [
        (0, "Head of the Lab", 1), (1, "Technician", 2), (2, "Visitor", 0), (4, None, 1),
    ]  # fmt: skip
    assert found["ranks"][0]["bank_money_per_day"] is None
    assert found["ranks"][1]["rights"]["names"] == ["Listen To Guild Chat", "Speak In Guild Chat", "Guild Rank"]
    assert [member["character"]["name"] for member in found["members"]] == ["Testine", "Warden", "Crafter", "Labrat"]
    first = await tools.call("guild_get", id=1, limit=2)
    rest = await tools.call("guild_get", id=1, limit=2, cursor=first["next_cursor"])
    assert first["members"] + rest["members"] == found["members"]
    assert "did you mean Lab Assistants?" in await tools.refusal("guild_get", name="Assist")


@pytest.mark.anyio
async def test_auctions_cheapest_first(tools: Toolbox) -> None:
    linen = await tools.call("auction_search", text="linen")
    assert [(each["id"], each["unit_buyout"] and each["unit_buyout"]["copper"]) for each in linen["auctions"]] == [
        (2, 50), (1, 100), (5, 100), (3, 300), (4, None),
    ]  # fmt: skip
    with_bid, bids_only = linen["auctions"][3], linen["auctions"][4]
    assert (with_bid["bid"]["copper"], with_bid["seller"]["name"], with_bid["house"]["name"]) == (250, "Probe", "Horde")
    assert (bids_only["buyout"], bids_only["seconds_left"], bids_only["house"]["name"]) == (None, 0, "Neutral")
    paged, cursor = [], None
    while True:
        page = await tools.call("auction_search", text="linen", limit=2, cursor=cursor)
        paged += page["auctions"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names(paged, "id") == names(linen["auctions"], "id")

    async def ids(**filters: Any) -> list[int]:
        return [each["id"] for each in (await tools.call("auction_search", **filters))["auctions"]]

    assert await ids(item=2589, house="Alliance") == [2, 1]
    assert await ids(quality="Rare") == [7, 6]
    assert await ids(min_unit_price=200, max_unit_price=150000) == [3, 7]
    assert await ids(text="_") == []


@pytest.mark.anyio
async def test_auction_prices(tools: Toolbox) -> None:
    every = (await tools.call("auction_prices"))["prices"]
    assert [each["item"]["id"] for each in every] == [2589, 8190, 43102]
    linen = every[0]
    assert (linen["auctions"], linen["bid_only"], linen["units"]) == (5, 1, 51)
    assert [
        linen[name]["copper"] for name in ("min", "lower_quartile", "median", "upper_quartile", "max")
    ] == [50, 50, 100, 100, 300]  # fmt: skip
    neutral = (await tools.call("auction_prices", item=2589, house="Neutral"))["prices"]
    assert (neutral[0]["auctions"], neutral[0]["units"], neutral[0]["median"]) == (1, 0, None)
    first = await tools.call("auction_prices", limit=2)
    rest = await tools.call("auction_prices", limit=2, cursor=first["next_cursor"])
    assert first["prices"] + rest["prices"] == every


@pytest.mark.anyio
async def test_mail(tools: Toolbox) -> None:
    found = await tools.call("mail_summary", name="Quester")
    assert {key: found[key] for key in ("total", "unread", "with_items", "items", "cash_on_delivery", "returned")} == {
        "total": 5, "unread": 4, "with_items": 2, "items": 3, "cash_on_delivery": 1, "returned": 1,
    }  # fmt: skip
    assert (found["money"]["copper"], found["cash_on_delivery_money"]["copper"]) == (525, 250)
    assert (found["not_yet_delivered"], found["expired"], found["expiring_soon"]) == (1, 1, 0)
    assert found["next_expiry"][:4] == "2093"
    assert {each["type"]["name"]: each["count"] for each in found["by_sender_type"]} == {
        "Player": 3, "Auction House": 1, "Creature": 1,
    }  # fmt: skip
    assert (await tools.call("mail_summary", guid=3))["total"] == 0


@pytest.mark.anyio
async def test_tickets(tools: Toolbox) -> None:
    opened = (await tools.call("tickets"))["tickets"]
    assert [each["id"] for each in opened] == [2, 1]
    assert len(opened[0]["message"]) == 600
    assert (opened[1]["assigned_to"]["name"], opened[1]["comment"], opened[1]["escalated"]) == (
        "Warden",
        "He ate them.",
        True,
    )
    closed = (await tools.call("tickets", status="closed"))["tickets"]
    assert [(each["id"], each["closed_by_console"]) for each in closed] == [(3, False), (4, True)]
    assert closed[0]["closed_by"] == {"id": 11, "name": "Warden"}
    assert [each["id"] for each in (await tools.call("tickets", status="all", name="Quester"))["tickets"]] == [1, 3]
    paged, cursor = [], None
    while True:
        page = await tools.call("tickets", status="all", limit=1, cursor=cursor)
        paged += [each["id"] for each in page["tickets"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == [2, 1, 3, 4]


@pytest.mark.anyio
async def test_nothing_personal_is_ever_shown(tools: Toolbox) -> None:
    answers = [
        await tools.call("realm_list"),
        *[await tools.call("account_get", id=number) for number in (11, 12, 13)],
        await tools.call("account_bans", active=False),
        *[await tools.call("character_get", guid=guid) for guid in (11, 12, 13, 14)],
        await tools.call("mail_summary", guid=13),
        await tools.call("tickets", status="all"),
    ]
    text = json.dumps(answers)
    assert [word for word in NEVER if word in text] == []


def test_no_tool_names_a_personal_column() -> None:
    text = "".join(inspect.getsource(module) for module in MODULES).lower()
    words = (
        "salt",
        "verifier",
        "session_key",
        "totp",
        "email",
        "reg_mail",
        "last_ip",
        "lock_country",
        "ip_banned",
        "select *",
    )
    assert [word for word in words if re.search(rf"\b{re.escape(word)}", text)] == []


@pytest.mark.anyio
async def test_a_grant_on_the_harmless_columns_is_enough(mariadb: MariaDb) -> None:
    columns = ", ".join(f"`{name}`" for name in account.ACCOUNT_COLUMNS)
    mariadb.sql(
        "CREATE USER IF NOT EXISTS narrow@'%' IDENTIFIED BY 'narrow'; GRANT SELECT ON world.* TO narrow@'%'; "
        f"GRANT SELECT ON characters.* TO narrow@'%'; GRANT SELECT ({columns}) ON auth.account TO narrow@'%'; "
        + "".join(
            f"GRANT SELECT ON auth.{table} TO narrow@'%'; "
            for table in ("account_access", "account_banned", "realmlist", "realmcharacters", "uptime")
        )
    )
    async with toolbox(mariadb, TOOLS, user="narrow", password="narrow") as narrow, toolbox(mariadb, TOOLS) as wide:
        for name, arguments in (
            ("account_get", {"id": 11}),
            ("account_get", {"name": "LATER"}),
            ("account_bans", {"active": False}),
            ("realm_list", {}),
            ("characters_online", {}),
        ):
            assert await narrow.call(name, **arguments) == await wide.call(name, **arguments)
