"""Creatures, items and quests over the lab's own world."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools.entities import TOOLS

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS) as opened:
        yield opened


async def test_creature_get_decodes_what_the_numbers_mean(tools: Toolbox) -> None:
    farley = await tools.call("creature_get", id=295)
    assert (farley["name"], farley["subname"], farley["level"]) == (
        "Innkeeper Farley",
        "Innkeeper",
        {"min": 30, "max": 30},
    )
    assert farley["type"] == {"value": 7, "name": "Humanoid"}
    assert "Innkeeper" in farley["npc_flags"]["names"]
    assert farley["models"] == [{"display_id": 1287, "scale": None, "probability": None}]
    assert farley["speed_run"] == 1.14286
    assert farley["spawn_count"] == 1


async def test_creature_get_names_its_quests_and_leads_on(tools: Toolbox) -> None:
    willem = await tools.call("creature_get", id=823)
    assert {"id": 783, "name": "A Threat Within"} in willem["quests_started"]
    assert {"id": 33, "name": "Wolves Across the Border"} in willem["quests_ended"]
    followed = [related for related in willem["related"] if related["tool"] in tools.tools]
    assert len(followed) == len({quest["id"] for quest in willem["quests_started"] + willem["quests_ended"]})
    for related in followed:
        assert await tools.call(related["tool"], **related["arguments"])


async def test_creature_get_knows_spells_and_other_difficulties(tools: Toolbox) -> None:
    onyxia = await tools.call("creature_get", id=10184)
    assert [spell["id"] for spell in onyxia["spells"]] == [68868, 68867]
    assert onyxia["spells"][1]["name"] == "Tail Sweep (lab)"
    assert onyxia["difficulty_creature_ids"] == [36538]
    assert onyxia["rank"]["name"] == "Boss"


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("creature_get", "there is no creature with id 4000000000; creature_search finds ids by name; nearest to it: "),
        ("item_get", "there is no item with id 4000000000; item_search finds ids by name; nearest to it: "),
        ("quest_get", "there is no quest with id 4000000000; quest_search finds ids by name"),
        ("page_text_get", "there is no page text with id 4000000000; nearest to it: 20"),
    ],
)
async def test_an_id_that_is_not_there_is_a_clear_error(tools: Toolbox, tool: str, text: str) -> None:
    assert text in await tools.refusal(tool, id=4000000000)


async def test_nearest_ids_are_those_on_both_sides(tools: Toolbox) -> None:
    assert (await tools.refusal("creature_get", id=450)).endswith("nearest to it: 448 and 466")


async def test_arguments_of_a_wrong_kind_are_a_clear_error(tools: Toolbox) -> None:
    assert "creature_get: id: expected int >= 1" in await tools.refusal("creature_get", id=-5)
    assert "creature_get: id: expected int, got str" in await tools.refusal("creature_get", id="Hogger")
    assert "unknown argument lvl; allowed are text, min_level" in await tools.refusal("creature_search", lvl=3)
    assert "quality: there is no 'shiny'; allowed are Poor, Common" in await tools.refusal(
        "item_search", quality="shiny"
    )
    assert "did you mean Legendary" in await tools.refusal("item_search", quality="legendery")
    assert "limit: expected int <= 200" in await tools.refusal("item_search", text="a", limit=1000)
    assert "give text or at least one filter (text, min_level" in await tools.refusal("creature_search")
    assert "locale" in await tools.refusal("item_search", text="a", locale="xxXX")


async def test_search_puts_the_best_match_first(tools: Toolbox) -> None:
    found = (await tools.call("creature_search", text="ragnaros"))["creatures"]
    assert [creature["id"] for creature in found] == [11502]
    items = (await tools.call("item_search", text="worn"))["items"]
    assert [item["name"] for item in items] == ["Worn Shortsword", "Worn Mace"]
    titled = (await tools.call("creature_search", text="innkeeper"))["creatures"]
    assert {creature["id"] for creature in titled} == {295, 6740, 6929}
    # The whole name, then its beginning, then the beginning of a word, then a part of it.
    wolves = (await tools.call("item_search", text="s"))["items"]
    names = [item["name"] for item in wolves]
    assert names.index("Small Blue Pouch") < names.index("Worn Shortsword") < names.index("Destiny")


async def test_search_filters(tools: Toolbox) -> None:
    beasts = await tools.call("creature_search", type="Beast", max_level=2)
    assert {creature["name"] for creature in beasts["creatures"]} == {"Diseased Timber Wolf", "Young Wolf"}
    bosses = await tools.call("creature_search", rank="boss", min_level=80)
    assert 11502 not in {creature["id"] for creature in bosses["creatures"]}
    assert 10184 in {creature["id"] for creature in bosses["creatures"]}
    vendors = await tools.call("creature_search", npc_flag="Vendor", faction=12)
    assert {creature["id"] for creature in vendors["creatures"]} == {233, 295, 6740}
    legendary = await tools.call(
        "item_search", quality="Legendary", inventory_type="Two-Hand", max_item_level=80, text="Sulfuras"
    )
    assert [item["id"] for item in legendary["items"]] == [17182]
    pouches = await tools.call("item_search", item_class="Container")
    assert [item["id"] for item in pouches["items"]] == [828]
    staves = await tools.call("item_search", subclass="Staff", max_required_level=5)
    assert {item["id"] for item in staves["items"]} == {35, 3661}
    elwynn = await tools.call("quest_search", zone_id=12, min_level=8, text="o")
    assert [quest["name"] for quest in elwynn["quests"] if quest["id"] < 90000] == ['Wanted: "Hogger"']


async def test_pages_neither_repeat_nor_skip(tools: Toolbox) -> None:
    whole = [creature["id"] for creature in (await tools.call("creature_search", text="e", limit=100))["creatures"]]
    assert len(whole) > 15
    paged: list[int] = []
    cursor = None
    while len(paged) <= len(whole):
        page = await tools.call("creature_search", text="e", limit=4, **({"cursor": cursor} if cursor else {}))
        paged += [creature["id"] for creature in page["creatures"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == whole


async def test_a_cursor_belongs_to_its_search(tools: Toolbox) -> None:
    cursor = (await tools.call("creature_search", text="e", limit=1))["next_cursor"]
    assert "belongs to another call" in await tools.refusal("creature_search", text="o", cursor=cursor)
    assert "not one of ours" in await tools.refusal("creature_search", text="e", cursor="!!")


@pytest.mark.parametrize("text", ["%", "_", "!", "' OR 1=1 -- ", "\\", "%s", "\x00"])
async def test_text_is_taken_literally(tools: Toolbox, text: str) -> None:
    assert (await tools.call("creature_search", text=f"Hogger{text}"))["creatures"] == []


async def test_text_with_a_quote_finds_its_row(tools: Toolbox) -> None:
    assert (await tools.call("creature_search", text="Kel'Th"))["creatures"][0]["id"] == 15990
    assert (await tools.call("item_search", text="invincible's"))["items"][0]["id"] == 50818


async def test_item_get_decodes_stats_damage_and_prices(tools: Toolbox) -> None:
    sword = await tools.call("item_get", id=19019)
    assert sword["quality"]["name"] == "Legendary"
    assert sword["subclass"] == {"value": 7, "name": "One-Handed Sword"}
    assert {(stat["stat"]["name"], stat["amount"]) for stat in sword["stats"]} == {("Agility", 5), ("Stamina", 8)}
    assert [(hit["school"]["name"], hit["min"], hit["max"]) for hit in sword["damage"]] == [
        ("Physical", 82.0, 153.0),
        ("Nature", 16.0, 30.0),
    ]
    assert sword["sell_price"] == {"copper": 123140, "text": "12g 31s 40c"}
    assert sword["resistances"] == {"fire": 8, "nature": 9}
    assert sword["spells"][0]["trigger"]["name"] == "Chance on hit"
    staff = await tools.call("item_get", id=22589)
    assert set(staff["allowed_classes"]["names"]) == {"Priest", "Mage", "Warlock"}
    potion = await tools.call("item_get", id=118)
    assert potion["spells"][0]["charges"] == -1
    head = await tools.call("item_get", id=18422)
    assert (head["starts_quest"], head["max_count"], head["attack_time_ms"]) == ({"id": 7490, "name": None}, 1, None)


async def test_quest_get_puts_the_tables_together(tools: Toolbox) -> None:
    quest = await tools.call("quest_get", id=7)
    assert quest["objectives"] == [
        {"kind": "creature", "target": {"id": 6, "name": "Kobold Vermin"}, "count": 10, "text": None}
    ]
    assert [reward["item"]["name"] for reward in quest["rewards"]["choice"]] == ["Worn Shortsword", "Bent Staff"]
    assert quest["previous_quest"] == {"id": 783, "name": "A Threat Within"}
    assert quest["next_quest"] == {"id": 15, "name": "Investigate Echo Ridge"}
    assert quest["started_by"]["creatures"] == [{"id": 197, "name": "Marshal McBride"}]
    assert quest["progress_text"] == "How does the hunt go?"
    assert "Human" in quest["allowed_races"]["names"]
    wanted = await tools.call("quest_get", id=176)
    assert wanted["started_by"]["gameobjects"] == [{"id": 68, "name": "Wanted Poster"}]
    collect = await tools.call("quest_get", id=18)
    assert collect["objectives"][0]["target"] == {"id": 752, "name": "Red Burlap Bandana"}
    assert (collect["zone_id"], collect["sort_id"]) == (9, None)
