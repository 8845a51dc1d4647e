"""SmartAI scripts, what creatures say, and the paths they take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.schema import Family
from trinitycore_mcp.smartai import decode, vocabulary
from trinitycore_mcp.smartai.decode import list_ids
from trinitycore_mcp.tools import creature_text, smart_script, waypoints

pytestmark = pytest.mark.anyio

TOOLS = (*smart_script.TOOLS, *creature_text.TOOLS, *waypoints.TOOLS)


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS) as box:
        yield box


def row(**columns: Any) -> dict[str, Any]:
    """Return a row of smart_scripts in which everything else is 0."""
    numbers = {
        f"{part}_param{place}": 0
        for part, most in (("event", 6), ("action", 7), ("target", 4))
        for place in range(1, most + 1)
    }
    texts = dict.fromkeys(
        ("event_param_string", "action_param_string", "target_param_string", "Difficulties", "comment")
    )
    plain = dict.fromkeys(("source_type", "id", "link", "event_type", "event_phase_mask", "event_flags"), 0)
    places = {f"target_{axis}": 0.0 for axis in "xyzo"}
    return {**numbers, **texts, **plain, **places, "event_chance": 100, "action_type": 0, "target_type": 0, **columns}


@pytest.mark.parametrize("family", list(Family))
def test_every_type_reads_well_in_every_family(family: Family) -> None:
    known = vocabulary(family)
    words = {"target": "TARGET", "caster": "CASTER", "position": "(1, 2, 3)", "string": "'s'"}
    for phrases in (known.events, known.actions, known.targets):
        for number, phrase in phrases.items():
            for name, _ in phrase.params:  # YAML makes a truth value of words such as on
                assert name.isidentifier(), (number, name)
                assert name.islower(), (number, name)
            for values in ([0] * 7, [1] * 7, [1, 2, 3, 4, 5, 6, 7]):
                said = phrase.say(values, {}, words=words)
                assert not set(said) & set("{}<>[]|"), (number, said)
                assert "  " not in said, (number, said)


def test_all_types_of_3_3_5_are_known() -> None:
    known = vocabulary(Family.TRINITYCORE)
    assert set(known.events) == set(range(91))
    assert set(known.actions) == set(range(159))
    assert set(known.targets) == set(range(31))


def test_families_differ() -> None:
    moved = row(
        event_type=9,
        event_param1=1000,
        event_param2=1000,
        event_param5=5,
        event_param6=20,
        action_type=46,
        action_param1=3,
    )
    there = decode(vocabulary(Family.AZEROTHCORE), moved, {}, {}, None)
    assert there.sentence == "When its victim is 5-20 yd away, after 1 s, moves 3 yd forward"
    here = decode(vocabulary(Family.TRINITYCORE), moved, {}, {}, None)
    assert here.action.name == "Attack Stop"
    phase = decode(
        vocabulary(Family.TRINITYCORE_MASTER),
        row(action_type=44, action_param1=170, action_param2=1, target_type=1),
        {},
        {},
        None,
    )
    assert "puts itself into phase 170" in phase.sentence
    assert vocabulary(Family.AZEROTHCORE).targets[204].name == "Summoned Creatures"


def test_limits_of_a_row() -> None:
    step = decode(
        vocabulary(Family.TRINITYCORE_MASTER),
        row(event_type=4, event_phase_mask=5, event_chance=20, event_flags=0x203, Difficulties="1,2", action_type=24),
        {},
        {},
        None,
    )
    assert step.phases == [1, 3]
    assert step.sentence == (
        "When it enters combat, evades to where it spawns "
        "[in phase 1 or 3; at 20%; once; normal dungeon or 10 players; while charmed; difficulties 1,2]"
    )


def test_action_lists_that_a_row_starts() -> None:
    assert list_ids(row(action_type=80, action_param1=7, action_param2=2)) == [7]
    assert list_ids(row(action_type=87, action_param1=7, action_param2=8)) == [7, 8]
    assert list_ids(row(action_type=88, action_param1=7, action_param2=10)) == [7, 8, 9, 10]
    assert list_ids(row(action_type=88, action_param1=7, action_param2=1_000_000)) == [7, 1_000_000]
    assert list_ids(row(action_type=11, action_param1=7)) == []


async def test_script_in_sentences(tools: Toolbox) -> None:
    script = await tools.call("smart_script", id=448)
    assert script["entry"] == {"id": 448, "name": "Hogger"}
    assert script["ai_name"] == "SmartAI"
    said = {each["id"]: each["sentence"] for each in script["rows"]}
    assert said[0] == 'When it enters combat, says "Grrr! Fresh meat!" or 1 more (text group 0) [at 50%]'
    assert said[1].startswith("When in combat, after 5-9 s, then every 8-12 s, casts spell ")
    assert said[1].endswith("(6268) on its victim (only without the aura)")
    assert said[4].startswith("When it dies, summons creature Kobold Vermin (6) at the position (-10140, 660, 36)")
    assert "every 3 s, the closest creature Kobold Vermin (6) within 30 yd casts spell" in said[7]
    assert said[7].endswith("[in phase 2]")
    assert script["rows"][0]["conditions"] == ["The level of the invoker is at least 5"]
    assert script["rows"][1]["event"]["parameters"] == {
        "first_min": 5000,
        "first_max": 9000,
        "repeat_min": 8000,
        "repeat_max": 12000,
    }


async def test_links_and_defects(tools: Toolbox) -> None:
    script = await tools.call("smart_script", id=448)
    rows = {each["id"]: each for each in script["rows"]}
    assert (rows[2]["links_to"], rows[3]["linked_from"], rows[3]["links_to"], rows[6]["linked_from"]) == (
        3,
        [2],
        6,
        [3],
    )
    assert rows[3]["sentence"] == "Then, goes to phase 2"
    assert rows[2]["flags"]["names"] == ["Not Repeatable"]
    assert rows[8]["defect"] == "it links to row 9, which is not there"
    assert rows[5]["defect"] == "there is no event type 250"
    assert [each["id"] for each in script["rows"] if each["defect"]] == [5, 8]


async def test_called_action_lists_come_with_the_script(tools: Toolbox) -> None:
    script = await tools.call("smart_script", id=448)
    (called,) = script["action_lists"]
    assert called["id"] == 44800
    assert [each["sentence"] for each in called["rows"]] == [
        "After 1 s, sets data 1 of creature spawn Kobold Vermin (6) to 7",
        "After 2.5 s, despawns itself",
    ]
    alone = await tools.call("smart_script", of="action_list", id=44800)
    assert [each["sentence"] for each in alone["rows"]] == [each["sentence"] for each in called["rows"]]


async def test_spawns_with_a_script_of_their_own(tools: Toolbox) -> None:
    assert (await tools.call("smart_script", id=448))["spawns_with_own_script"] == [10]
    own = await tools.call("smart_script", spawn=10)
    assert own["spawn"] == 10
    assert own["entry"]["id"] == 448
    assert own["rows"][0]["sentence"].endswith("it does one of emote 1 or emote 5 or emote 11")
    assert "has no script of its own" in await tools.refusal("smart_script", spawn=9)
    assert "guid 99" in await tools.refusal("smart_script", spawn=99)


async def test_scripts_of_other_things(tools: Toolbox) -> None:
    poster = await tools.call("smart_script", of="gameobject", id=68)
    assert poster["rows"][0]["sentence"] == (
        'When a player accepts quest Wanted: "Hogger" (176) from it, '
        "sets data 1 of the closest creature Hogger (448) within 100 yd to 1"
    )
    trigger = await tools.call("smart_script", of="areatrigger", id=5001)
    assert "teleports the invoker to map 1, (1920, -4124, 43, facing 4.8)" in trigger["rows"][0]["sentence"]
    assert "there is no SmartAI script" in await tools.refusal("smart_script", id=197)
    assert "one of them" in await tools.refusal("smart_script")
    assert "give id" in await tools.refusal("smart_script", of="areatrigger", spawn=1)
    german = await tools.call("smart_script", id=448, locale="deDE")
    assert "Frisches Fleisch" in german["rows"][0]["sentence"]


async def test_creature_text(tools: Toolbox) -> None:
    texts = await tools.call("creature_text", creature=448)
    assert [group["group"] for group in texts["groups"]] == [0, 1]
    first, second = texts["groups"][0]["lines"]
    assert (first["text"], first["type"]["name"], first["chance"]) == ("Grrr! Fresh meat!", "say", 60.0)
    assert (second["type"]["name"], second["sound"], second["range"]["name"]) == ("yell", 1018, "zone")
    fallback = texts["groups"][1]["lines"][0]
    assert fallback["origin"] == "broadcast_text"
    assert fallback["text"].startswith("Hogger smash!")
    german = await tools.call("creature_text", creature=448, locale="deDE")
    assert [line["origin"] for group in german["groups"] for line in group["lines"]] == [
        "creature_text_locale",
        "creature_text",
        "broadcast_text_locale",
    ]
    assert len((await tools.call("creature_text", creature=448, group=1))["groups"]) == 1
    assert "no such creature" in await tools.refusal("creature_text", creature=999)
    assert "group 7 of creature 448" in await tools.refusal("creature_text", creature=448, group=7)


async def test_waypoints(tools: Toolbox) -> None:
    patrol = await tools.call("waypoints", spawn=10)
    (path,) = patrol["paths"]
    assert (path["table"], path["id"], path["length"]) == ("waypoint_data", 100, 28.3)
    assert [(point["move"]["name"], point["delay"], point["action"]) for point in path["points"]] == [
        ("walk", 0, None),
        ("run", 5000, None),
        ("walk", 0, 7),
    ]
    of_creature = await tools.call("waypoints", creature=448)
    assert {(each["table"], each["id"]) for each in of_creature["paths"]} == {
        ("script_waypoint", 448),
        ("waypoints", 4480),
    }
    assert (await tools.call("waypoints", path=4480))["paths"][0]["points"][1]["comment"] == "on the hill"
    assert "moves by: Random" in await tools.refusal("waypoints", spawn=3)
    assert "no path 9" in await tools.refusal("waypoints", path=9)
    assert "give one" in await tools.refusal("waypoints", path=9, spawn=3)
    assert "guid 99" in await tools.refusal("waypoints", spawn=99)


async def test_real_texts_and_paths(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, TOOLS) as box:
        most = "SELECT CreatureID, COUNT(*) FROM creature_text GROUP BY CreatureID ORDER BY COUNT(*) DESC LIMIT 1"
        speaker, count = azerothcore.sql(most, "world")[0]
        texts = await box.call("creature_text", creature=int(speaker))
        assert sum(len(group["lines"]) for group in texts["groups"]) == min(int(count), 400) > 0
        entry, points = azerothcore.sql(
            "SELECT entry, COUNT(*) FROM script_waypoint GROUP BY entry ORDER BY COUNT(*) DESC LIMIT 1", "world"
        )[0]
        paths = await box.call("waypoints", creature=int(entry))
        assert len(paths["paths"][0]["points"]) == int(points)
        assert "table smart_scripts is missing" in await box.refusal("smart_script", id=448)


async def test_empty_real_shapes(trinitycore: MariaDb) -> None:
    async with toolbox(trinitycore, TOOLS) as box:
        assert "there is no SmartAI script for creature 448" in await box.refusal("smart_script", id=448)
        assert "no texts" in await box.refusal("creature_text", creature=448)
        assert "no path" in await box.refusal("waypoints", creature=448)
