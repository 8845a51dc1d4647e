"""Each tool, over the lab's own world."""

from __future__ import annotations

import pytest

from server.tests.conftest import Call

pytestmark = pytest.mark.anyio


async def test_creature_get_decodes_what_the_numbers_mean(call: Call) -> None:
    farley = await call("creature_get", id=295)
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


async def test_creature_get_names_its_quests_and_leads_on(call: Call) -> None:
    willem = await call("creature_get", id=823)
    assert {"id": 783, "name": "A Threat Within"} in willem["quests_started"]
    assert {"id": 33, "name": "Wolves Across the Border"} in willem["quests_ended"]
    for related in willem["related"]:
        assert await call(related["tool"], **related["arguments"])


async def test_creature_get_knows_spells_and_other_difficulties(call: Call) -> None:
    onyxia = await call("creature_get", id=10184)
    assert onyxia["spells"] == [68868, 68867]
    assert onyxia["difficulty_creature_ids"] == [36538]
    assert onyxia["rank"]["name"] == "Boss"


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("creature_get", "there is no creature with id 4000000000; creature_search finds ids by name"),
        ("item_get", "there is no item with id 4000000000; item_search finds ids by name"),
        ("quest_get", "there is no quest with id 4000000000"),
    ],
)
async def test_an_id_that_is_not_there_is_a_clear_error(refusal: Call, tool: str, text: str) -> None:
    assert text in await refusal(tool, id=4000000000)


async def test_arguments_of_a_wrong_kind_are_a_clear_error(refusal: Call) -> None:
    assert "id: Input should be greater than or equal to 1" in await refusal("creature_get", id=-5)
    assert "id: Input should be a valid integer" in await refusal("creature_get", id="Hogger")
    assert "unknown argument lvl; allowed are text, min_level" in await refusal("creature_search", text="a", lvl=3)
    assert "quality: allowed are Poor, Common" in await refusal("item_search", quality="shiny")
    assert "limit: Input should be less than or equal to 100" in await refusal("item_search", text="a", limit=1000)
    assert "give text or at least one filter" in await refusal("creature_search")


async def test_search_puts_the_best_match_first(call: Call) -> None:
    found = (await call("creature_search", text="ragnaros"))["creatures"]
    assert [creature["id"] for creature in found] == [11502]
    items = (await call("item_search", text="worn"))["items"]
    assert [item["name"] for item in items] == ["Worn Shortsword", "Worn Mace"]
    titled = (await call("creature_search", text="innkeeper"))["creatures"]
    assert {creature["id"] for creature in titled} == {295, 6740, 6929}


async def test_search_filters(call: Call) -> None:
    beasts = await call("creature_search", type="Beast", max_level=2)
    assert {creature["name"] for creature in beasts["creatures"]} == {"Diseased Timber Wolf", "Young Wolf"}
    bosses = await call("creature_search", rank="boss", min_level=80)
    assert 11502 not in {creature["id"] for creature in bosses["creatures"]}
    vendors = await call("creature_search", npc_flag="Vendor", faction=12)
    assert {creature["id"] for creature in vendors["creatures"]} == {233, 295, 6740}
    legendary = await call("item_search", quality="Legendary", inventory_type="Two-Hand", max_item_level=80)
    assert [item["id"] for item in legendary["items"]] == [17182]
    pouches = await call("item_search", item_class="Container")
    assert [item["id"] for item in pouches["items"]] == [828]


async def test_pages_neither_repeat_nor_skip(call: Call) -> None:
    whole = [creature["id"] for creature in (await call("creature_search", text="e", limit=100))["creatures"]]
    assert len(whole) > 15
    paged: list[int] = []
    cursor = None
    while True:
        page = await call("creature_search", text="e", limit=4, **({"cursor": cursor} if cursor else {}))
        paged += [creature["id"] for creature in page["creatures"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == whole


async def test_a_cursor_belongs_to_its_search(call: Call, refusal: Call) -> None:
    cursor = (await call("creature_search", text="e", limit=1))["next_cursor"]
    assert "belongs to another search" in await refusal("creature_search", text="o", cursor=cursor)
    assert "not one of ours" in await refusal("creature_search", text="e", cursor="!!")


@pytest.mark.parametrize("text", ["%", "_", "!", "' OR 1=1 -- ", "\\", "%s", "\x00"])
async def test_text_is_taken_literally(call: Call, text: str) -> None:
    assert await call("creature_search", text=f"Hogger{text}") == {"creatures": [], "next_cursor": None}


async def test_text_with_a_quote_finds_its_row(call: Call) -> None:
    assert (await call("creature_search", text="Kel'Th"))["creatures"][0]["id"] == 15990
    assert (await call("item_search", text="invincible's"))["items"][0]["id"] == 50818


async def test_item_get_decodes_stats_damage_and_prices(call: Call) -> None:
    sword = await call("item_get", id=19019)
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
    staff = await call("item_get", id=22589)
    assert set(staff["allowed_classes"]["names"]) == {"Priest", "Mage", "Warlock"}


async def test_quest_get_puts_the_tables_together(call: Call) -> None:
    quest = await call("quest_get", id=7)
    assert quest["objectives"] == [
        {"kind": "creature", "target": {"id": 6, "name": "Kobold Vermin"}, "count": 10, "text": None}
    ]
    assert [reward["item"]["name"] for reward in quest["rewards"]["choice"]] == ["Worn Shortsword", "Bent Staff"]
    assert quest["previous_quest"] == {"id": 783, "name": "A Threat Within"}
    assert quest["next_quest"] == {"id": 15, "name": "Investigate Echo Ridge"}
    assert quest["started_by"]["creatures"] == [{"id": 197, "name": "Marshal McBride"}]
    assert quest["progress_text"] == "How does the hunt go?"
    assert "Human" in quest["allowed_races"]["names"]
    wanted = await call("quest_get", id=176)
    assert wanted["started_by"]["gameobjects"] == [{"id": 68, "name": "Wanted Poster"}]
    collect = await call("quest_get", id=18)
    assert collect["objectives"][0]["target"] == {"id": 752, "name": "Red Burlap Bandana"}


async def test_table_describe_tells_columns_and_indexes(call: Call) -> None:
    table = await call("table_describe", table="creature_template")
    assert table["world_family"] == "TrinityCore 3.3.5"
    assert table["columns"][0]["name"] == "entry"
    assert table["indexes"][0] == {"name": "PRIMARY", "unique": True, "columns": ["entry"]}
    realm = await call("table_describe", table="realmlist", database="auth")
    assert (realm["database"], realm["estimated_rows"]) == ("auth", 1)


async def test_table_describe_names_near_tables(refusal: Call) -> None:
    text = await refusal("table_describe", table="creature_templates")
    assert "table creature_templates is missing from database world (family: TrinityCore 3.3.5)" in text
    assert "near to it: creature_template" in text
    assert "database" in await refusal("table_describe", table="user", database="mysql")
