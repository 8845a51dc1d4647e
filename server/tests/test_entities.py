"""The one design of entities: every tool made of it, languages, references, resources, completion, world_search."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.access.principal import ANONYMOUS
from trinitycore_mcp.entities import ENTITIES, Entity, names_of
from trinitycore_mcp.entities.completion import complete
from trinitycore_mcp.entities.fields import key, label, number
from trinitycore_mcp.entities.making import tools_of
from trinitycore_mcp.entities.resources import RESOURCES, read_resource
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.protocol.contents import Nothing
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.tools import every_tool
from trinitycore_mcp.tools.entities import TOOLS
from trinitycore_mcp.tools.world_search import TOOLS as WORLD_SEARCH

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS + WORLD_SEARCH) as opened:
        yield opened


@pytest.fixture
def call(tools: Toolbox) -> Call:
    return Call(tools.services, ANONYMOUS, "test", Nothing())


class Counted(Call):
    """A call that counts its statements."""

    statements = 0

    async def rows(self, sql: str, parameters: Any = ()) -> Any:
        self.statements += 1
        return await super().rows(sql, parameters)


async def test_names_come_in_the_language_asked_for_else_in_english(call: Call) -> None:
    assert await names_of(call, "creature", [448, 240, 448]) == {448: "Hogger", 240: "Marshal Dughan"}
    assert await names_of(call, "creature", [448, 240], "deDE") == {
        448: "Hogger der Schreckliche",
        240: "Marshal Dughan",
    }
    assert await names_of(call, "quest", [783], "deDE") == {783: "Eine Bedrohung von innen"}


async def test_ids_that_are_none_and_tables_that_are_missing_have_no_names(call: Call) -> None:
    assert await names_of(call, "creature", [0, -5, None, 4000000000]) == {}
    assert await names_of(call, "faction", [72]) == {}
    assert await names_of(call, "achievement", [3808]) == {}


async def test_many_names_take_few_statements(mariadb: MariaDb, tools: Toolbox) -> None:
    counted = Counted(tools.services, ANONYMOUS, "test", Nothing())
    names = await names_of(counted, "creature", range(1, 1500))
    assert names[299] == "Young Wolf"
    assert names[1423] == "Stormwind Guard"
    assert counted.statements == 3


async def test_every_text_of_an_entity_is_translated(tools: Toolbox) -> None:
    quest = await tools.call("quest_get", id=7, locale="deDE")
    assert quest["name"] == "Säuberung des Koboldlagers"
    assert quest["summary"] == "Tötet zehn Kobolde."
    assert quest["completion_log"] == "Return to Marshal McBride."
    assert (quest["progress_text"], quest["reward_text"]) == ("Wie geht die Jagd?", "Gut gemacht.")
    assert quest["objectives"][0]["target"]["name"] == "Koboldgeschmeiß"
    assert quest["rewards"]["choice"][0]["item"]["name"] == "Abgenutztes Kurzschwert"
    assert quest["previous_quest"]["name"] == "Eine Bedrohung von innen"
    assert quest["started_by"]["creatures"] == [{"id": 197, "name": "Marschall McBride"}]
    assert (await tools.call("creature_get", id=295, locale="deDE"))["subname"] == "Gastwirt"
    reins = await tools.call("item_get", id=50818, locale="deDE")
    assert reins["description"] == "Jemand rief einmal seinen Namen, und es kam."


async def test_search_finds_translated_and_english_names_and_shows_the_translated(tools: Toolbox) -> None:
    async def found(**arguments: Any) -> list[tuple[int, str]]:
        page = await tools.call("creature_search", **arguments)
        return [(each["id"], each["name"]) for each in page["creatures"]]

    assert await found(text="junger", locale="deDE") == [(299, "Junger Wolf")]
    assert await found(text="young", locale="deDE") == [(299, "Junger Wolf")]
    assert await found(text="young", locale="frFR") == [(299, "Jeune loup")]
    assert await found(text="junger") == []
    assert await found(text="gastwirt", locale="deDE") == [(295, "Gastwirt Farley")]


async def test_a_reference_costs_one_statement_for_all_of_a_kind(tools: Toolbox) -> None:
    for tool, arguments, statements in (
        ("item_get", {"id": 25}, 1),
        ("item_get", {"id": 18422}, 2),
        ("page_text_get", {"id": 3}, 1),
    ):
        counted = Counted(tools.services, ANONYMOUS, tool, Nothing())
        await tools.tools[tool].function(counted, arguments["id"], None)
        assert counted.statements == statements, tool


async def test_gameobject_data_are_named_by_type(tools: Toolbox, mariadb: MariaDb) -> None:
    mariadb.sql(
        "INSERT INTO gameobject_template (entry, type, displayId, name, Data0, Data1, Data3, Data23) "
        "VALUES (999001, 3, 1, 'A chest for the test', 57, 2843, 1, 9)",
        "world",
    )
    try:
        chest = await tools.call("gameobject_get", id=999001)
    finally:
        mariadb.sql("DELETE FROM gameobject_template WHERE entry = 999001", "world")
    assert chest["data"] == {"lock_id": 57, "loot_id": 2843, "consumable": 1, "data23": 9}
    assert (chest["lock_id"], chest["loot_id"]) == (57, 2843)
    poster = await tools.call("gameobject_get", id=68)
    assert poster["type"]["name"] == "Quest Giver"
    assert poster["flags"]["names"] == ["Interact Condition"]
    assert poster["loot_id"] is None


async def test_pages_follow_each_other_once(tools: Toolbox) -> None:
    first = await tools.call("page_text_get", id=1, locale="deDE")
    assert first["text"].startswith("An den Finder")
    assert [(page["id"], page["text"][:6]) for page in first["following"]] == [(2, "We dug"), (3, "Wer do")]
    circle = await tools.call("page_text_get", id=10)
    assert [page["id"] for page in circle["following"]] == [11]
    torn = await tools.call("page_text_get", id=20)
    assert (torn["next_page_id"], torn["following"]) == (21, [])


async def test_spell_get_decodes_effects_ranks_scripts_and_procs(tools: Toolbox) -> None:
    breath = await tools.call("spell_get", id=68868)
    first, second = breath["effects"]
    assert (first["effect"]["name"], first["aura"]["name"], first["period_ms"]) == (
        "Apply Aura",
        "Periodic Damage",
        2000,
    )
    assert first["triggers"] == {"id": 68867, "name": "Tail Sweep (lab)"}
    assert second["item"] == {"id": 118, "name": "Minor Healing Potion"}
    assert breath["schools"]["names"] == ["Fire"]
    assert breath["dispel_type"]["name"] == "Curse"
    assert (breath["rank"], breath["first_rank"]["id"]) == (2, 68867)
    assert breath["script_names"] == ["spell_lab_breath"]
    assert breath["proc"]["chance"] == 15.0
    assert [spell["id"] for spell in breath["requires"]] == [3391]
    sweep = await tools.call("spell_get", id=68867)
    assert (sweep["script_names"], sweep["proc"]) == (["spell_lab_every_rank"], None)
    stuns = await tools.call("spell_search", aura="Stun")
    assert [spell["id"] for spell in stuns["spells"]] == [68867]
    fires = await tools.call("spell_search", school="Fire", effect="Create Item")
    assert [spell["id"] for spell in fires["spells"]] == [68868]
    assert "only spells that differ from the client's" in await tools.refusal("spell_get", id=133)


async def test_what_other_tables_say_of_a_spell_is_shown_though_its_row_is_not_there(
    tools: Toolbox, mariadb: MariaDb
) -> None:
    mariadb.sql("INSERT INTO spell_ranks VALUES (990133, 990133, 1), (990133, 990143, 2)", "world")
    try:
        second = await tools.call("spell_get", id=990143)
    finally:
        mariadb.sql("DELETE FROM spell_ranks WHERE first_spell_id = 990133", "world")
    assert (second["id"], second["name"], second["client_only"], second["rank"]) == (990143, "", True, 2)
    assert (second["first_rank"], second["effects"]) == ({"id": 990133, "name": None}, [])
    assert (await tools.call("spell_get", id=68868))["client_only"] is False


async def test_game_event_get_counts_what_it_brings(tools: Toolbox) -> None:
    hallow = await tools.call("game_event_get", id=12)
    assert (hallow["name"], hallow["creature_spawns"], hallow["length_min"]) == ("Hallow's End", 2, 20160)
    assert {"id": 783, "name": "A Threat Within"} in hallow["quests"]
    assert {"id": 60, "name": "Kobold Candles"} in hallow["seasonal_quests"]
    war = await tools.call("game_event_get", id=17)
    assert war["state"]["name"] == "World Conditions"
    assert [event["id"] for event in war["prerequisites"]] == [15]


async def test_encounters_are_credited_to_a_creature_or_a_spell(tools: Toolbox) -> None:
    killed = await tools.call("encounter_get", id=293)
    assert (killed["credit_creature"], killed["credit_spell"]) == ({"id": 639, "name": "Edwin VanCleef"}, None)
    cast = await tools.call("encounter_get", id=1099)
    assert (cast["credit_creature"], cast["credit_spell"]["name"]) == (None, "Fire Breath (lab)")
    onyxia = await tools.call("instance_template_get", id=249)
    assert [access["min_item_level"] for access in onyxia["access"]] == [180, 200]


async def test_achievement_get_shows_what_this_family_has(tools: Toolbox) -> None:
    quest = await tools.call("achievement_get", id=3808, locale="deDE")
    assert (quest["side"]["name"], quest["points"], quest["name"]) == ("Both", 10, "")
    assert quest["reward_item"] == {"id": 50818, "name": "Unbesiegbars Zügel"}
    assert quest["reward_mail_subject"] == "Für Euren Mut"
    assert "achievement_criteria_dbc" in quest["missing_tables"]
    text = await tools.refusal("achievement_search", text="courage")
    assert text == "text: this database (family: TrinityCore 3.3.5) has no names of achievements"


@pytest.mark.parametrize("tool", ["faction_get", "zone_get", "map_get"])
async def test_what_the_family_does_not_have_is_a_clear_error(tools: Toolbox, tool: str) -> None:
    text = await tools.refusal(tool, id=12)
    assert "is missing from database world (family: TrinityCore 3.3.5)" in text


async def test_gossip_menu_and_texts(tools: Toolbox) -> None:
    menu = await tools.call("gossip_menu_get", id=1291)
    assert menu["creatures"] == [{"id": 295, "name": "Innkeeper Farley"}]
    assert menu["options"][1]["opens_menu_id"] == 1221
    assert menu["options"][0]["type"]["name"] == "Innkeeper"
    first = await tools.call("npc_text_get", id=menu["texts"][0]["text_id"])
    words = first["variants"][0]["male"] or first["variants"][0]["female"]
    assert words.startswith(menu["texts"][0]["begins"])
    turnips = await tools.call("npc_text_get", id=1901, locale="deDE")
    assert turnips["variants"][0]["male"] == "Da unten? Vor allem Rüben."
    german = await tools.call("npc_text_get", id=1853, locale="deDE")
    assert german["variants"][0]["male"].startswith("Kommt herein")


async def test_world_search_ranks_over_all_kinds(tools: Toolbox) -> None:
    page = await tools.call("world_search", text="hogger")
    assert [(hit["kind"], hit["id"], hit["match"]) for hit in page["hits"]] == [
        ("creature", 448, "exact"),
        ("quest", 176, "contained"),
    ]
    wolf = await tools.call("world_search", text="wol")
    assert [(hit["kind"], hit["match"]) for hit in wolf["hits"]] == [
        ("quest", "prefix"),
        ("creature", "word"),
        ("creature", "word"),
        ("item", "word"),
    ]
    assert {"faction", "zone", "map"} <= set(wolf["skipped_kinds"])
    german = await tools.call("world_search", text="wolf", locale="deDE")
    assert german["hits"][-1] == {"kind": "item", "id": 750, "name": "Zähes Wolfsfleisch", "match": "word"}
    for related in wolf["related"]:
        assert (await tools.call(related["tool"], **related["arguments"]))["name"] in related["why"]


async def test_world_search_takes_kinds_and_pages(tools: Toolbox) -> None:
    only = await tools.call("world_search", text="e", kinds=["item", "quest"], limit=200)
    assert {hit["kind"] for hit in only["hits"]} == {"item", "quest"}
    whole = (await tools.call("world_search", text="e", limit=200))["hits"]
    assert len({hit["kind"] for hit in whole}) >= 5
    paged: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while len(paged) <= len(whole):
        page = await tools.call("world_search", text="e", limit=7, **cursor)
        paged += page["hits"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole
    assert "kinds: there is no 'creatures'; did you mean creature" in await tools.refusal(
        "world_search", text="e", kinds=["creatures"]
    )
    assert (await tools.call("world_search", text="100%"))["hits"] == []


async def test_resources_go_by_id_and_by_name(call: Call) -> None:
    mime, text = await read_resource(call, "trinity://creature/448")
    assert (mime, json.loads(text)["name"]) == ("application/json", "Hogger")
    _, by_name = await read_resource(call, "trinity://creature/The%20Lich%20King")
    assert json.loads(by_name)["id"] == 25462
    with pytest.raises(ToolError, match="there is no creature called 'Hoger'; did you mean Hogger"):
        await read_resource(call, "trinity://creature/Hoger")
    with pytest.raises(ToolError, match="is no id; page texts go by id only"):
        await read_resource(call, "trinity://page_text/Hogger")
    with pytest.raises(ToolError, match="there is no resource trinity://dragon/1; there are trinity://creature"):
        await read_resource(call, "trinity://dragon/1")
    assert {resource.uri for resource in RESOURCES} >= {"trinity://quest/{id}", "trinity://npc_text/{id}"}


async def test_names_and_ids_are_completed(call: Call) -> None:
    creature = ENTITIES["creature"]
    assert await complete(call, creature, "Innk", 10) == ["Innkeeper Allison", "Innkeeper Farley", "Innkeeper Gryshka"]
    assert await complete(call, creature, "Inn", 2) == ["Innkeeper Allison", "Innkeeper Farley"]
    assert await complete(call, creature, "the lich", 10) == ["The Lich King"]
    assert await complete(call, creature, "gast", 10, "deDE") == ["Gastwirt Farley"]
    assert await complete(call, creature, "6", 10) == ["6", "68", "69", "639", "6491", "6740", "6929"]
    assert await complete(call, creature, "00", 10) == []
    assert await complete(call, creature, "%", 10) == []
    assert await complete(call, ENTITIES["page_text"], "", 3) == ["1", "2", "3"]
    assert await complete(call, ENTITIES["page_text"], "x", 3) == []
    [template] = [each for each in RESOURCES if each.name == "item"]
    assert await template.complete["id"](call, "worn") == ["Worn Mace", "Worn Shortsword"]


async def test_an_entity_of_a_dozen_lines_has_all_of_it(mariadb: MariaDb, tools: Toolbox) -> None:
    teleport = Entity(
        name="teleport",
        plural="teleports",
        title="a teleport",
        about="A place that game masters go to by name.",
        table="game_tele",
        key="id",
        label="name",
        fields=(key(), label("name"), number("map", "map")),
        summary=("id", "name"),
    )
    async with toolbox(mariadb, tools_of(teleport)) as opened:
        found = (await opened.call("teleport_search", text="a"))["teleports"]
        whole = await opened.call("teleport_get", id=found[0]["id"])
        assert (whole["id"], whole["name"]) == (found[0]["id"], found[0]["name"])


def test_every_tool_says_what_it_is_for() -> None:
    for tool in TOOLS:
        assert len(tool.description) > 60
        assert tool.read_only
        assert tool.output_schema is not None
        for name, field in tool.output_schema["properties"].items():
            assert field, f"{tool.name}.{name}"
    assert {tool.name for tool in TOOLS} >= {"zone_search", "faction_get", "npc_text_get", "encounter_search"}
    assert "npc_text_search" not in {tool.name for tool in TOOLS}


async def test_every_related_call_is_a_real_tool_with_arguments_that_fit(mariadb: MariaDb) -> None:
    async with toolbox(mariadb, every_tool()) as everything:
        for tool, ids in (
            ("creature_get", (295, 448, 823, 69, 10184)),
            ("item_get", (25, 18422)),
            ("quest_get", (7, 176, 783)),
            ("gameobject_get", (68, 1599)),
            ("gossip_menu_get", (1291,)),
            ("spell_get", (68868,)),
            ("instance_template_get", (249,)),
            ("encounter_get", (293,)),
            ("achievement_get", (3808,)),
        ):
            for number in ids:
                for related in (await everything.call(tool, id=number))["related"]:
                    assert related["tool"] in everything.tools, related
                    everything.tools[related["tool"]].read(json.dumps(related["arguments"]).encode())
