"""Gossip menus as a tree."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import entities, gossip

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, gossip.TOOLS) as box:
        yield box


def every_menu(node: dict[str, Any]) -> list[int]:
    """Return the ids of a menu and of all menus below it, in the order they are shown."""
    below = [menu for option in node["options"] if option["submenu"] for menu in every_menu(option["submenu"])]
    return [node["menu"], *below]


async def test_what_an_innkeeper_says_and_offers(tools: Toolbox) -> None:
    tree = await tools.call("gossip_tree", creature=295)
    assert tree["of"] == {"id": 295, "name": "Innkeeper Farley"}
    (root,) = tree["menus"]
    assert every_menu(root) == [1291, 1221, 1222]
    first, second = root["texts"]
    assert [(each["text"], each["probability"]) for each in first["variants"]] == [
        ("Come in, warm yourself by the fire.", 0.75),
        ("Mind the step, the last guest did not.", 0.25),
    ]
    assert first["variants"][0]["female"] is None  # it is the same text
    assert second["conditions"] == ['The player has been rewarded for quest Wanted: "Hogger" (176)']
    assert [option["does"]["name"] for option in root["options"]] == ["Innkeeper", "Gossip", "Vendor", "Gossip"]
    assert root["options"][3]["text"] == "A treat or a trick, innkeeper!"  # of broadcast_text
    assert root["options"][3]["conditions"][0].endswith("or the level of the player is at least 80")
    assert {"tool": "vendor_items", "arguments": {"id": 295}, "why": "what it sells"} in tree["related"]


async def test_submenus_boxes_cycles_and_holes(tools: Toolbox) -> None:
    tree = await tools.call("gossip_tree", menu=1291)
    below = tree["menus"][0]["options"][1]["submenu"]
    back, secret = below["options"]
    assert (back["leads_to"], back["ends"], back["submenu"]) == (1291, "cycle: back to menu 1291 above", None)
    assert (secret["costs"]["text"], secret["code"]) == ("50s", True)
    assert secret["box"] == "Half a gold piece, and the password."
    assert secret["conditions"][0].startswith("Condition template 7 holds: either")
    cellar = secret["submenu"]
    assert cellar["texts"][0]["variants"][0]["text"] == "Down there? Turnips, mostly."
    assert cellar["options"][0]["ends"] == "there are no rows for menu 1223"


async def test_depth_is_bounded(tools: Toolbox) -> None:
    tree = await tools.call("gossip_tree", menu=1291, depth=1)
    assert every_menu(tree["menus"][0]) == [1291]
    assert tree["menus"][0]["options"][1]["ends"] == "too deep: ask for menu 1221, or for more depth"
    tree = await tools.call("gossip_tree", menu=1291, depth=2)
    assert every_menu(tree["menus"][0]) == [1291, 1221]


async def test_other_languages(tools: Toolbox) -> None:
    tree = await tools.call("gossip_tree", menu=1291, locale="deDE")
    root = tree["menus"][0]
    said = root["texts"][0]["variants"][0]
    assert (said["text"], said["female"]) == ("Kommt herein und wärmt Euch am Feuer.", None)
    assert root["options"][1]["text"] == "Wozu taugt ein Gasthaus?"
    cellar = root["options"][1]["submenu"]["options"][1]["submenu"]
    assert cellar["texts"][0]["variants"][0]["text"] == "Da unten? Vor allem Rüben."


async def test_a_broadcast_text_stands_for_own_words_and_their_translation(mariadb: MariaDb) -> None:
    option = "UPDATE gossip_menu_option SET {} WHERE MenuID = 1291 AND OptionID = 1"

    async def shown(locale: str) -> tuple[Any, ...]:
        async with toolbox(mariadb, (*gossip.TOOLS, *entities.TOOLS)) as tools:
            root = (await tools.call("gossip_tree", menu=1291, locale=locale))["menus"][0]
            text = await tools.call("npc_text_get", id=1854, locale=locale)
            said = root["texts"][1]["variants"][0]["text"]
            assert text["variants"][0]["male"] == said
            return root["options"][1]["text"], root["options"][1]["box"], said

    mariadb.sql(
        option.format("OptionBroadcastTextID = 4402, BoxText = 'Own box.', BoxBroadcastTextID = 4401")
        + "; UPDATE npc_text SET BroadcastTextID0 = 4400 WHERE ID = 1854"
        + "; INSERT INTO npc_text_locale (ID, Locale, Text0_0) VALUES (1854, 'deDE', 'Eigenes.')",
        "world",
    )
    try:
        box, smash = "A treat or a trick, innkeeper!", "Hogger smash! You are not taking Hogger!"
        assert await shown("enUS") == ("Down there? Turnips, mostly.", box, smash)
        assert await shown("deDE") == ("Da unten? Vor allem Rüben.", box, "Hogger zerschmettern!")
        assert await shown("frFR") == ("Down there? Turnips, mostly.", box, smash)
        # One that is not there stands for nothing.
        mariadb.sql(option.format("OptionBroadcastTextID = 99999, BoxBroadcastTextID = 99999"), "world")
        mariadb.sql("UPDATE npc_text SET BroadcastTextID0 = 99999 WHERE ID = 1854", "world")
        assert await shown("deDE") == ("Wozu taugt ein Gasthaus?", "Own box.", "Eigenes.")
    finally:
        mariadb.sql(
            option.format("OptionBroadcastTextID = 0, BoxText = '', BoxBroadcastTextID = 0")
            + "; UPDATE npc_text SET BroadcastTextID0 = 0 WHERE ID = 1854"
            + "; DELETE FROM npc_text_locale WHERE ID = 1854",
            "world",
        )


async def test_script_rows_of_an_option(mariadb: MariaDb, tools: Toolbox) -> None:
    mariadb.sql(
        "INSERT INTO smart_scripts (entryorguid, source_type, id, link, event_type, event_param1, event_param2, "
        "action_type, target_type, comment) VALUES (295, 0, 90, 0, 62, 1291, 0, 72, 7, '')",
        "world",
    )
    try:
        tree = await tools.call("gossip_tree", creature=295)
        assert tree["menus"][0]["options"][0]["scripts"] == ["creature 295, row 90"]
        assert any(each["tool"] == "smart_script" for each in tree["related"])
    finally:
        mariadb.sql("DELETE FROM smart_scripts WHERE entryorguid = 295", "world")


async def test_who_has_no_gossip(tools: Toolbox) -> None:
    assert "has no gossip menu" in await tools.refusal("gossip_tree", creature=6)
    assert "no creature with id 9999" in await tools.refusal("gossip_tree", creature=9999)
    assert "has no gossip menu" in await tools.refusal("gossip_tree", gameobject=68)
    assert "no gameobject with id 9999" in await tools.refusal("gossip_tree", gameobject=9999)
    assert "no gossip menu 9" in await tools.refusal("gossip_tree", menu=9)
    assert "give one" in await tools.refusal("gossip_tree")
    assert "give one" in await tools.refusal("gossip_tree", menu=9, creature=6)


async def test_real_menus(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, gossip.TOOLS) as box:
        menu, options = azerothcore.sql(
            "SELECT MenuID, COUNT(*) FROM gossip_menu_option GROUP BY MenuID ORDER BY COUNT(*) DESC, MenuID LIMIT 1",
            "world",
        )[0]
        tree = await box.call("gossip_tree", menu=int(menu), depth=8)
        assert len(tree["menus"][0]["options"]) == int(options)
        shown = every_menu(tree["menus"][0])
        assert len(shown) == len(set(shown))
        assert "table creature_template is missing" in await box.refusal("gossip_tree", creature=295)


async def test_empty_real_shapes(trinitycore: MariaDb) -> None:
    async with toolbox(trinitycore, gossip.TOOLS) as box:
        assert "there is no gossip menu 1291" in await box.refusal("gossip_tree", menu=1291)
