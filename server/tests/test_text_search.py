"""Where phrases occur in the world's texts, and which gossip menus have them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import LAB_WORLD
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.texts import excerpt
from trinitycore_mcp.tools import entities, gossip_search, text_search

pytestmark = pytest.mark.anyio
_TOOLS = text_search.TOOLS + gossip_search.TOOLS
_MASTER = Path(__file__).parent / "data/trinitycore_master.sql"
_MASTER_HOTFIXES = Path(__file__).parent / "data/trinitycore_master_hotfixes.sql"


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, _TOOLS + entities.TOOLS) as box:
        yield box


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
    async with toolbox(mariadb, _TOOLS, database={"databases": names}) as box:
        yield box


async def only(tools: Toolbox, **arguments: Any) -> Any:
    """Return the one match, after the marked part was compared with the phrase."""
    page = await tools.call("text_search", **arguments)
    (match,) = page["matches"]
    assert page["not_searched"] == []
    for each in match["found"]:
        marked = each["excerpt"][each["start"] :][: each["length"]]
        assert marked.lower() == arguments["text"].lower()
    return match


def brief(page: dict[str, Any]) -> list[tuple[str, dict[str, int], list[str]]]:
    """Return table, key and fields of each match."""
    return [(m["table"], m["key"], [each["field"] for each in m["found"]]) for m in page["matches"]]


async def test_each_kind_of_text_is_found_with_its_owner(tools: Toolbox) -> None:
    quest = await only(tools, text="elwynn owes")
    assert (quest["kind"], quest["table"], quest["key"]) == ("quest", "quest_offer_reward", {"ID": 176})
    assert quest["owners"] == [{"kind": "quest", "id": 176, "name": 'Wanted: "Hogger"'}]
    assert quest["related"] == [{"tool": "quest_get", "arguments": {"id": 176}, "why": "the quest, whole"}]
    assert (await only(tools, text="Do you have the bandanas"))["table"] == "quest_request_items"

    greeting = await only(tools, text="price of turnips")
    assert (greeting["kind"], greeting["key"]) == ("npc_greeting", {"ID": 68, "Type": 1})
    assert greeting["owners"] == [{"kind": "gameobject", "id": 68, "name": "Wanted Poster"}]
    trainer = await only(tools, text="listen, warrior")
    assert (trainer["table"], [each["id"] for each in trainer["owners"]]) == ("trainer", [913])
    assert trainer["related"][0]["tool"] == "trainer_spells"

    spirit = await only(tools, text="NOT YET your time")
    assert (spirit["kind"], spirit["key"], spirit["menus"]) == ("gossip", {"ID": 581}, [83])
    assert (spirit["owners"], spirit["owner_count"]) == (
        [{"kind": "creature", "id": 6491, "name": "Spirit Healer"}],
        1,
    )
    assert [each["tool"] for each in spirit["related"]] == ["npc_text_get", "gossip_tree"]
    box = await only(tools, text="and the password")
    assert (box["key"], box["found"][0]["field"]) == ({"MenuID": 1221, "OptionID": 1}, "BoxText")
    assert (box["menus"], box["owners"]) == ([1221], [])

    hogger = await only(tools, text="fresh meat")
    assert (hogger["kind"], hogger["key"]) == ("creature_text", {"CreatureID": 448, "GroupID": 0, "ID": 0})
    assert hogger["related"][0]["arguments"] == {"creature": 448, "group": 0}
    page = await only(tools, text="something answered")
    assert (page["kind"], page["key"], page["related"][0]["tool"]) == ("page_text", {"ID": 2}, "page_text_get")


async def test_broadcast_texts_are_found_where_they_are_shown(tools: Toolbox) -> None:
    smash = await tools.call("text_search", text="hogger smash")
    assert brief(smash) == [
        ("creature_text", {"CreatureID": 448, "GroupID": 1, "ID": 0}, ["broadcast_text.Text"]),
        ("broadcast_text", {"ID": 4400}, ["Text"]),
    ]
    assert smash["matches"][1]["owners"] == [{"kind": "creature", "id": 448, "name": "Hogger"}]
    treat = await tools.call("text_search", text="or a trick", kinds=["gossip"])
    assert brief(treat) == [("gossip_menu_option", {"MenuID": 1291, "OptionID": 3}, ["broadcast_text.Text"])]
    assert treat["matches"][0]["owners"][0]["name"] == "Innkeeper Farley"


async def test_a_text_that_several_fields_hold_is_shown_once(tools: Toolbox) -> None:
    fire = await only(tools, text="by the fire")
    assert [each["field"] for each in fire["found"]] == ["text0_0"]


async def test_translations(tools: Toolbox) -> None:
    kobold = await only(tools, text="koboldlager", locale="deDE")
    assert kobold["key"] == {"ID": 7}
    assert kobold["found"] == [
        {"field": "LogTitle", "excerpt": "Säuberung des Koboldlagers", "start": 14, "length": 11}
    ]
    assert kobold["owners"][0]["name"] == "Säuberung des Koboldlagers"
    assert kobold["related"][0]["arguments"] == {"id": 7, "locale": "deDE"}
    for words, table in {
        "Gut gemacht": "quest_offer_reward",
        "Wie geht die Jagd": "quest_request_items",
        "Die Weingärten": "quest_greeting",
        "und zugehört": "trainer",
        "wärmt Euch": "npc_text",
        "Wozu taugt": "gossip_menu_option",
        "Frisches": "creature_text",
        "nehme ein Licht": "page_text",
    }.items():
        assert (await only(tools, text=words, locale="deDE"))["table"] == table
    turnips = await tools.call("text_search", text="Rüben", locale="deDE")
    assert [m["table"] for m in turnips["matches"]] == ["npc_text", "broadcast_text"]
    assert (await tools.call("text_search", text="fresh meat", locale="deDE"))["matches"] == []
    assert (await tools.call("text_search", text="Frisches", locale="frFR"))["matches"] == []


async def test_case_and_accents_as_the_database_compares_them(tools: Toolbox) -> None:
    page = await tools.call("text_search", text="SAUBERUNG", locale="deDE")
    (found,) = page["matches"][0]["found"]
    assert (found["start"], found["length"], found["excerpt"][:9]) == (0, 9, "Säuberung")


async def test_wildcards_are_literal_and_short_phrases_refused(tools: Toolbox) -> None:
    assert (await only(tools, text="100% lost"))["table"] == "quest_greeting"
    for text in ("10%lost", "fresh_meat", "f%t", "!!!", "' OR 1=1 -- "):
        assert (await tools.call("text_search", text=text))["matches"] == []
    assert await tools.refusal("text_search", text=" of ") == "text: 'of' is too short; at least 3 characters"
    assert (await tools.call("text_search", text="地精"))["matches"] == []
    assert "shouts" in await tools.refusal("text_search", text="fresh meat", kinds=["shouts"])


async def test_pages_hold_every_match_once(tools: Toolbox) -> None:
    everything = await tools.call("text_search", text="the", limit=200)
    assert everything["next_cursor"] is None
    assert len({match["table"] for match in everything["matches"]}) > 5
    paged: list[Any] = []
    cursor = None
    while cursor is not None or not paged:
        page = await tools.call("text_search", text="the", limit=3, cursor=cursor)
        paged += page["matches"]
        cursor = page["next_cursor"]
        assert len(page["matches"]) == 3 or cursor is None
    assert paged == everything["matches"]
    one_kind = await tools.call("text_search", text="the", kinds=["gossip", "page_text"], limit=200)
    assert one_kind["matches"] == [m for m in paged if m["kind"] in ("gossip", "page_text")]


async def test_long_texts_are_cut_around_the_phrase() -> None:
    text = "a" * 300 + " Hidden words " + "b" * 300
    found = excerpt("Text", text, "hidden WORDS")
    assert found.start is not None
    assert found.excerpt[found.start : found.start + found.length] == "Hidden words"
    assert found.excerpt.startswith("…a")
    assert found.excerpt.endswith("b…")
    assert len(found.excerpt) < 200
    unseen = excerpt("Text", text, "elsewhere")
    assert (unseen.start, unseen.length, unseen.excerpt[:2]) == (None, 0, "aa")


async def test_gossip_menus_by_words(tools: Toolbox) -> None:
    page = await tools.call("gossip_menu_search", text="cellar")
    assert [hit["menu"] for hit in page["menus"]] == [1221, 1222]
    secret, below = page["menus"]
    assert (secret["text_count"], secret["option_count"], secret["opened_from"]) == (1, 2, [1291])
    assert [(each["text_id"], each["option_id"]) for each in secret["found"]] == [(None, 1)]
    assert (below["opened_by"], below["opened_by_count"], below["opened_from"]) == ([], 0, [1221])
    assert page["related"][0] == {
        "tool": "gossip_tree",
        "arguments": {"menu": 1221},
        "why": "the menu with all below it",
    }
    inn = (await tools.call("gossip_menu_search", text="the fire"))["menus"][0]
    assert (inn["menu"], inn["opened_by"][0]["name"]) == (1291, "Innkeeper Farley")
    assert inn["found"][0]["text_id"] == 1853
    turnips = await tools.call("gossip_menu_search", text="turnips, mostly")
    assert turnips["menus"][0]["found"][0]["found"][0]["field"] == "broadcast_text.Text"
    german = await tools.call("gossip_menu_search", text="Gasthaus", locale="deDE")
    assert [hit["menu"] for hit in german["menus"]] == [1291]
    first = await tools.call("gossip_menu_search", text="the", limit=2)
    rest = await tools.call("gossip_menu_search", text="the", limit=2, cursor=first["next_cursor"])
    assert [hit["menu"] for hit in first["menus"] + rest["menus"]] == [1221, 1222, 1291]


async def test_creatures_lead_to_their_lines_and_paths(tools: Toolbox) -> None:
    hogger = await tools.call("creature_get", id=448)
    assert hogger["line_count"] == 3
    arguments = {each["tool"]: each["arguments"] for each in hogger["related"]}
    assert arguments["creature_text"] == {"creature": 448}
    marshal = await tools.call("creature_get", id=197)
    assert "creature_text" not in {each["tool"] for each in marshal["related"]}
    vermin = await tools.call("creature_get", id=6)
    assert {"waypoints"} <= {each["tool"] for each in vermin["related"]}


async def test_azerothcore(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    for name in ("world", "world_entities", "world_gossip", "world_scripts", "world_texts"):
        mariadb.load(world, LAB_WORLD / f"{name}.sql")
    mariadb.sql(
        "CREATE TABLE acore_string (entry INT UNSIGNED NOT NULL PRIMARY KEY); DROP TABLE IF EXISTS trinity_string; "
        "ALTER TABLE quest_greeting CHANGE Type type TINYINT UNSIGNED NOT NULL; "
        "ALTER TABLE quest_greeting_locale CHANGE Type type TINYINT UNSIGNED NOT NULL; "
        "ALTER TABLE broadcast_text CHANGE Text MaleText LONGTEXT, CHANGE Text1 FemaleText LONGTEXT; "
        "ALTER TABLE broadcast_text_locale CHANGE Text MaleText TEXT, CHANGE Text1 FemaleText TEXT; "
        "UPDATE item_template SET PageText = 2 WHERE entry IN (25, 117); DROP TABLE npc_text_locale",
        world,
    )
    assert (await only(over, text="price of turnips"))["owners"][0]["id"] == 68
    assert (await only(over, text="Die Mine ist", locale="deDE", kinds=["page_text"]))["key"] == {"ID": 1}
    smash = await over.call("text_search", text="hogger smash")
    assert [match["table"] for match in smash["matches"]] == ["creature_text", "broadcast_text"]
    book = await only(over, text="something answered")
    assert [(each["kind"], each["id"]) for each in book["owners"]] == [("item", 25), ("item", 117)]
    german = await over.call("text_search", text="zerschmettern", locale="deDE")
    assert german["not_searched"] == ["npc_text_locale"]
    assert [match["table"] for match in german["matches"]] == ["creature_text", "broadcast_text"]


async def test_trinitycore_master(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    mariadb.load(world, _MASTER)
    mariadb.load(f"hotfixes_{world}", _MASTER_HOTFIXES)
    title, words = mariadb.sql(
        "SELECT t.LogTitle, o.Description FROM quest_objectives o JOIN quest_template t ON t.ID = o.QuestID "
        "WHERE LENGTH(o.Description) > 2 LIMIT 1",
        world,
    )[0]
    objective = (await over.call("text_search", text=words, kinds=["quest"]))["matches"]
    assert [match["owners"][0]["name"] for match in objective if match["table"] == "quest_objectives"] == [title]
    text, said = mariadb.sql(
        f"SELECT n.ID, b.Text FROM npc_text n JOIN hotfixes_{world}.broadcast_text b ON b.ID = n.BroadcastTextID0 "
        "LIMIT 1",
        world,
    )[0]
    page = await over.call("text_search", text=said)
    assert ("npc_text", {"ID": int(text)}, ["broadcast_text.Text"]) in brief(page)
    assert "npc_text_locale" not in (await over.call("text_search", text=said, locale="deDE"))["not_searched"]


async def test_a_hotfixed_row_is_one_match(mariadb: MariaDb, world: str, over: Toolbox) -> None:
    mariadb.load(world, _MASTER)
    mariadb.sql(
        f"CREATE DATABASE hotfixes_{world}; CREATE TABLE hotfixes_{world}.broadcast_text (ID INT UNSIGNED NOT NULL, "
        "`Text` TEXT, Text1 TEXT, VerifiedBuild INT NOT NULL, PRIMARY KEY (ID, VerifiedBuild)); "
        f"INSERT INTO hotfixes_{world}.broadcast_text VALUES (1, 'Old words.', '', 1), (1, 'New words.', '', 2), "
        "(2, 'More words.', '', 1), (3, 'Last words.', '', 1)"
    )
    first = await over.call("text_search", text="words", kinds=["broadcast"], limit=1)
    second = await over.call("text_search", text="words", kinds=["broadcast"], limit=1, cursor=first["next_cursor"])
    assert [page["matches"][0]["key"]["ID"] for page in (first, second)] == [1, 2]
    both = await over.call("text_search", text="words", kinds=["broadcast"])
    assert [match["key"]["ID"] for match in both["matches"]] == [1, 2, 3]
    assert both["next_cursor"] is None


async def test_an_empty_world_says_what_it_lacks(over: Toolbox) -> None:
    page = await over.call("text_search", text="anything")
    assert page["matches"] == []
    assert {"quest_template", "npc_text", "creature_text", "broadcast_text"} <= set(page["not_searched"])
    menus = await over.call("gossip_menu_search", text="anything")
    assert (menus["menus"], menus["not_searched"]) == ([], ["gossip_menu", "gossip_menu_option"])


async def test_over_real_data_of_azerothcore(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, _TOOLS) as tools:
        page = await tools.call("text_search", text="turnip", limit=200)
        assert page["not_searched"] == ["quest_template", "broadcast_text"]
        for table, column in {"quest_offer_reward": "RewardText", "creature_text": "Text", "page_text": "Text"}.items():
            ((number,),) = azerothcore.sql(f"SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%dragon%'", "world")
            kind: Any = {"quest_offer_reward": "quest"}.get(table, table)
            found, cursor = 0, None
            while True:
                page = await tools.call("text_search", text="dragon", kinds=[kind], limit=200, cursor=cursor)
                found += sum(match["table"] == table for match in page["matches"])
                if (cursor := page["next_cursor"]) is None:
                    break
            assert found == int(number) > 0
        menus = await tools.call("gossip_menu_search", text="innkeeper", limit=200)
        ((number,),) = azerothcore.sql(
            "SELECT COUNT(DISTINCT MenuID) FROM (SELECT m.MenuID FROM gossip_menu m JOIN npc_text n ON n.ID = m.TextID "
            "WHERE CONCAT_WS('|', text0_0, text0_1, text1_0, text1_1, text2_0, text2_1, text3_0, text3_1, text4_0, "
            "text4_1, text5_0, text5_1, text6_0, text6_1, text7_0, text7_1) LIKE '%innkeeper%' UNION "
            "SELECT MenuID FROM gossip_menu_option WHERE CONCAT_WS('|', OptionText, BoxText) LIKE '%innkeeper%') d",
            "world",
        )
        assert len(menus["menus"]) == int(number) > 5
        german = await tools.call("text_search", text="Gasthaus", locale="deDE", limit=200, kinds=["gossip"])
        ((number,),) = azerothcore.sql(
            # A translation of an option that is not there is shown to nobody.
            "SELECT COUNT(*) FROM gossip_menu_option_locale l JOIN gossip_menu_option o USING (MenuID, OptionID) "
            "WHERE l.Locale = 'deDE' AND (l.OptionText LIKE '%Gasthaus%' OR l.BoxText LIKE '%Gasthaus%')",
            "world",
        )
        assert len(german["matches"]) == int(number) > 5


async def test_over_the_tables_of_trinitycore(trinitycore: MariaDb) -> None:
    async with toolbox(trinitycore, _TOOLS) as tools:
        for locale in (None, "deDE"):
            assert (await tools.call("text_search", text="anything", locale=locale))["not_searched"] == []
            assert (await tools.call("gossip_menu_search", text="anything", locale=locale))["not_searched"] == []
