"""Conditions, decoded to sentences."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.conditions import vocabulary
from trinitycore_mcp.schema import Family
from trinitycore_mcp.sentences import in_list, phrases
from trinitycore_mcp.toolkit import Call, ToolError
from trinitycore_mcp.tools import conditions

pytestmark = pytest.mark.anyio

EVERYBODY = Principal("tests", frozenset({"read"}), "api_key", None, None)


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, conditions.TOOLS) as box:
        yield box


def call_of(tools: Toolbox) -> Call:
    """Return a call for functions that other tools use."""
    tool = conditions.conditions_of
    return Call(tools.services, EVERYBODY, tool.name, tool.read(b'{"reference": 1}'))


@pytest.mark.parametrize("family", list(Family))
def test_every_type_reads_well_in_every_family(family: Family) -> None:
    words = {"who": "the player", "object": "creature X (2)", "string": "'s'", "other": "the NPC"}
    for number, phrase in vocabulary(family).types.items():
        for values in ([0, 0, 0], [1, 1, 1], [1, 2, 3], [5, 2, 0]):
            said = phrase.say(values, {}, words=words)
            assert not set(said) & set("{}<>[]|"), (number, said)
            assert said, number
            assert "  " not in said, (number, said)
            assert said != phrase.say(values, {}, words=words, negative=True), number


def test_all_types_and_sources_of_3_3_5_are_known() -> None:
    known = vocabulary(Family.TRINITYCORE)
    assert set(known.types) == set(range(61))
    assert set(known.sources) == set(range(34))
    assert vocabulary(Family.AZEROTHCORE).types[101].name == "Quest Satisfies Exclusive Group"
    assert vocabulary(Family.AZEROTHCORE).sources[29].name == "Creature Respawn"
    assert vocabulary(Family.TRINITYCORE_MASTER).types[26].name == "Phase"


def test_marks_of_a_phrase() -> None:
    level = phrases("conditions/types")[27]
    assert level.say([80, 3, 0], {}, words={"who": "the player"}) == "the level of the player is at least 80"
    assert level.named_values([80, 3, 9]) == {"level": 80, "comparison": 3, "param3": 9}
    item = phrases("conditions/types")[2]
    names = {("item", 117): "Tough Jerky"}
    assert list(item.references([117, 5, 0])) == [("item", 117)]
    assert item.say([117, 5, 1], names, words={"who": "it"}) == "it has 5 of item Tough Jerky (117) (bank counts too)"
    classes = phrases("conditions/types")[15]
    assert classes.say([5, 0, 0], {}, words={"who": "it"}, negative=True) == "it is not a Warrior or Hunter"


def test_lists_come_in_few_lengths() -> None:
    assert in_list([3, 1, 2, 3]) == ("(%s, %s, %s, %s)", [1, 2, 3, 3])
    assert in_list([]) == ("(NULL)", [])
    with pytest.raises(ValueError, match="1025 values"):
        in_list(range(1025))


async def test_else_groups_are_alternatives(tools: Toolbox) -> None:
    result = await tools.call("conditions_of", source_type="Gossip Menu Option", group=1291)
    assert result["source_type"] == {"value": 15, "name": "Gossip Menu Option"}
    (source,) = result["sources"]
    assert (source["group"], source["entry"]) == (1291, 3)
    assert [len(group["all_of"]) for group in source["any_of"]] == [2, 1]
    one, other = source["sentence"].split(", or ")
    assert one.startswith("Either the player does not have the aura of spell 24755, effect 0 and game event ")
    assert one.endswith(" is active")
    assert other == "the level of the player is at least 80"
    aura, _ = source["any_of"][0]["all_of"]
    assert aura["negative"]
    assert aura["values"] == {"spell": 24755, "effect": 0}
    assert result["related"][0]["tool"] == "gossip_tree"


async def test_reference_templates_are_followed_and_cycles_named(tools: Toolbox) -> None:
    result = await tools.call("conditions_of", source_type="gossip menu option", group=1221)
    assert result["sources"][0]["sentence"] == (
        "Condition template 7 holds: either the player has 5 of item Tough Jerky (117), "
        "or quest Wolves Across the Border (33) is not taken or in progress for the player"
    )
    template = await tools.call("conditions_of", reference=7)
    assert template["source_type"] is None
    assert len(template["sources"][0]["any_of"]) == 2
    own = await tools.call("conditions_of", reference=8)
    assert "which refers back to itself" in own["sources"][0]["sentence"]


async def test_whom_a_condition_is_about_depends_on_the_source(tools: Toolbox) -> None:
    spell = await tools.call("conditions_of", source_type="Spell", entry=8690)
    row = spell["sources"][0]["any_of"][0]["all_of"][0]
    assert row["sentence"] == "The target is in the party of the caster"
    assert row["error"] == "type 1, text 0"
    vendor = await tools.call("conditions_of", source_type="Vendor Item")
    assert "item Small Blue Pouch (828) in creature Farmer Saldean (233)" in vendor["sources"][0]["about"]
    assert "Honored or Revered or Exalted" in vendor["sources"][0]["sentence"]
    script = await tools.call("conditions_of", source_type="SmartAI Event", source_id=0)
    assert "row 0 of creature Hogger (448)" in script["sources"][0]["about"]
    assert script["related"] == [
        {
            "tool": "smart_script",
            "arguments": {"of": "creature", "id": 448},
            "why": "the script that these rows belong to",
        }
    ]


async def test_unknown_types_are_shown_as_they_are(tools: Toolbox) -> None:
    result = await tools.call("conditions_of", source_type="Spell Click")
    known, unknown = result["sources"][0]["any_of"][0]["all_of"]
    assert known["sentence"] == "The clicked creature is creature Innkeeper Farley (295), spawn guid 8"
    assert unknown["type"] == {"value": 250, "name": None}
    assert unknown["sentence"] == "Condition of unknown type 250 with values 1, 2, 3 does not hold"


async def test_pages_of_sources(tools: Toolbox) -> None:
    whole = await tools.call("conditions_of", source_type="Gossip Menu Option", limit=200)
    seen, cursor, first = [], None, True
    while first or cursor:
        page = await tools.call("conditions_of", source_type="Gossip Menu Option", limit=1, cursor=cursor)
        seen += page["sources"]
        cursor, first = page["next_cursor"], False
    assert seen == whole["sources"]
    assert len(seen) >= 2
    assert (await tools.call("conditions_of", source_type="Spell Proc"))["sources"] == []


async def test_arguments_that_do_not_fit(tools: Toolbox) -> None:
    assert "Vendor Item" in await tools.refusal("conditions_of", source_type="Vendor Itm")
    assert "one of them" in await tools.refusal("conditions_of")
    assert "one of them" in await tools.refusal("conditions_of", source_type="Spell", reference=1)


async def test_sentences_for_other_tools(tools: Toolbox) -> None:
    call = call_of(tools)
    found = await conditions.sentences_for(call, 15, [(1291, 3), (1291, 0), (1221, 1)])
    assert set(found) == {(1291, 3), (1221, 1)}
    assert len(found[1291, 3]) == 1  # alternatives are one sentence
    assert await conditions.sentences_for(call, 23, [(233, 828)]) == {
        (233, 828): ["The player is Honored or Revered or Exalted with faction 72"]
    }
    assert await conditions.sentences_for(call, 1, []) == {}


async def test_no_table_no_conditions(tools: Toolbox) -> None:
    call = call_of(tools)
    schema = await call.schema()
    world = {name: columns for name, columns in schema.tables["world"].items() if name != "conditions"}
    object.__setattr__(schema, "tables", {**schema.tables, "world": world})
    assert await conditions.sentences_for(call, 15, [(1291, 3)]) == {}
    with pytest.raises(ToolError, match="table conditions is missing"):
        await tools.call("conditions_of", source_type="Spell")


async def test_real_conditions(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, conditions.TOOLS) as box:
        respawn = await box.call("conditions_of", source_type="Creature Respawn", entry=11671)
        assert respawn["sources"][0]["sentence"] == "The instance's 64 bit data 2 is not 1"
        shared = await box.call("conditions_of", source_type="Creature Loot", group=3, entry=2794)
        assert shared["sources"][0]["sentence"] == "The player is of the Alliance"
        for name in ("Vendor Item", "Creature Vehicle", "Player Loot"):
            number = vocabulary(Family.AZEROTHCORE).source_number(name)
            page = await box.call("conditions_of", source_type=name, limit=200)
            rows = [row for each in page["sources"] for group in each["any_of"] for row in group["all_of"]]
            count = f"SELECT COUNT(*) FROM conditions WHERE SourceTypeOrReferenceId = {number}"
            assert page["next_cursor"] is None
            assert len(rows) == int(azerothcore.sql(count, "world")[0][0])
    used = azerothcore.sql("SELECT DISTINCT ConditionTypeOrReference FROM conditions", "world")
    assert {int(number) for (number,) in used if int(number) > 0} <= set(vocabulary(Family.AZEROTHCORE).types)
    sources = azerothcore.sql("SELECT DISTINCT SourceTypeOrReferenceId FROM conditions", "world")
    assert {int(number) for (number,) in sources if int(number) > 0} <= set(vocabulary(Family.AZEROTHCORE).sources)


async def test_empty_real_shapes(trinitycore: MariaDb) -> None:
    async with toolbox(trinitycore, conditions.TOOLS) as box:
        assert (await box.call("conditions_of", source_type="Spell"))["sources"] == []
