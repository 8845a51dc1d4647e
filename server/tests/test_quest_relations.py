"""How quests hang together, what they ask for and what they give."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.quests.graph import Edge, order
from trinitycore_mcp.quests.previous import previous_sentences
from trinitycore_mcp.quests.reputation import rank, reward
from trinitycore_mcp.schema import Family
from trinitycore_mcp.tools import quest_chain, quest_givers, quest_requirements, quest_rewards

TOOLS = (*quest_chain.TOOLS, *quest_givers.TOOLS, *quest_requirements.TOOLS, *quest_rewards.TOOLS)


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, TOOLS) as box:
        yield box


def test_steps_follow_the_longest_way() -> None:
    edges = [Edge(1, 2, "done"), Edge(2, 4, "next"), Edge(1, 4, "offered"), Edge(5, 4, "done"), Edge(9, 7, "done")]
    steps, circular = order([1, 2, 4, 5], edges)
    assert steps == {1: 0, 5: 0, 2: 1, 4: 2}
    assert list(steps) == [1, 5, 2, 4]
    assert circular == []


def test_circles_are_told_from_what_waits_for_them() -> None:
    edges = [Edge(1, 2, "done"), Edge(2, 3, "done"), Edge(3, 2, "done"), Edge(3, 4, "done"), Edge(5, 5, "done")]
    steps, circular = order([1, 2, 3, 4, 5], edges)
    assert circular == [2, 3, 5]
    assert steps[1] == 0
    assert steps[2] == steps[3] == steps[4] == 1


@pytest.mark.anyio
@pytest.mark.parametrize("quest", [90001, 90004, 90006, 90007])
async def test_the_whole_chain_from_any_of_its_quests(tools: Toolbox, quest: int) -> None:
    chain = await tools.call("quest_chain", id=quest)
    assert {each["id"]: each["step"] for each in chain["quests"]} == {
        90007: 0, 90001: 1, 90002: 2, 90003: 2, 90008: 2, 90004: 3, 90006: 4, 90005: 4,
    }  # fmt: skip
    assert [each["id"] for each in chain["quests"]][:3] == [90007, 90001, 90002]
    links = {(each["before"], each["after"], each["kind"]) for each in chain["links"]}
    assert links == {
        (90001, 90002, "done"), (90001, 90003, "done"), (90001, 90008, "active"), (90002, 90004, "next"),
        (90003, 90004, "next"), (90004, 90005, "done"), (90004, 90005, "offered"), (90004, 90006, "done"),
        (90007, 90001, "breadcrumb"),
    }  # fmt: skip
    assert chain["exclusive_groups"] == [
        {"group": -90002, "rule": "all", "quests": [90002, 90003]},
        {"group": 90005, "rule": "one", "quests": [90005, 90006]},
    ]
    assert chain["circular"] == []
    assert chain["notice"] is None
    assert chain["quests"][1]["name"] == "The Broken Mill"


@pytest.mark.anyio
async def test_a_chain_is_cut_at_the_nearest_quests(tools: Toolbox) -> None:
    chain = await tools.call("quest_chain", id=90004, max_quests=4)
    assert {each["id"] for each in chain["quests"]} == {90004, 90002, 90003, 90005}
    assert chain["notice"] == "the chain is longer: only the 4 nearest quests are shown"
    assert all(each["before"] != 90001 for each in chain["links"])


@pytest.mark.anyio
async def test_a_quest_alone_and_none(tools: Toolbox) -> None:
    alone = await tools.call("quest_chain", id=788)
    assert [each["id"] for each in alone["quests"]] == [788]
    assert "there is no quest with id 999999" in await tools.refusal("quest_chain", id=999999)


@pytest.mark.anyio
async def test_quests_of_a_creature(tools: Toolbox) -> None:
    answer = await tools.call("creature_quests", id=913)
    assert answer["giver"]["name"] == "Lyria Du Lac"
    quests = {each["quest"]["id"]: each for each in answer["quests"]}
    assert set(quests) == set(range(90001, 90009))
    assert (quests[90001]["starts"], quests[90001]["ends"]) == (True, True)
    word = quests[90007]
    assert (word["starts"], word["ends"]) == (False, True)
    assert [each["id"] for each in word["starts_in_events"]] == [12]
    assert word["seasonal_event"]["id"] == 12
    assert quests[90008]["pool"] == 700
    assert (quests[90004]["level"], quests[90004]["min_level"]) == (12, 9)
    first = await tools.call("creature_quests", id=913, limit=5)
    rest = await tools.call("creature_quests", id=913, limit=5, cursor=first["next_cursor"])
    assert first["quests"] + rest["quests"] == answer["quests"]


@pytest.mark.anyio
async def test_quests_of_a_game_object_and_of_nobody(tools: Toolbox) -> None:
    poster = await tools.call("creature_quests", id=68, kind="gameobject")
    assert poster["giver"]["name"] == "Wanted Poster"
    assert [(each["quest"]["id"], each["starts"], each["ends"]) for each in poster["quests"]] == [(176, True, False)]
    assert (await tools.call("creature_quests", id=448))["quests"] == []
    assert "there is no creature with id 7" in await tools.refusal("creature_quests", id=7)


@pytest.mark.anyio
async def test_everything_a_quest_may_ask_for(tools: Toolbox) -> None:
    answer = await tools.call("quest_requirements", id=90004)
    assert (answer["level"], answer["min_level"], answer["max_level"]) == (12, 9, 30)
    assert answer["races"]["names"] == ["Human", "Dwarf", "Night Elf", "Gnome", "Draenei"]
    assert answer["classes"]["names"] == ["Priest", "Mage", "Warlock"]
    assert (answer["skill"]["skill"]["id"], answer["skill"]["points"]) == (185, 50)
    least, most = answer["min_reputation"], answer["max_reputation"]
    assert (least["faction"]["id"], least["value"], least["rank"]) == (72, 3000, "Friendly")
    assert (most["value"], most["rank"]) == (42000, "Exalted")
    assert answer["previous"] == ["A New Axle (90002) and Clearing the Race (90003) were all handed in"]
    assert len(answer["conditions"]) == 1
    assert (answer["time_limit_s"], answer["suggested_players"]) == (1800, 3)
    assert answer["start_item"] == {
        "kind": "item", "target": {"id": 2589, "name": "Linen Cloth"}, "count": 2, "text": None,
    }  # fmt: skip
    assert answer["start_spell"]["id"] == 8690
    goals = [(each["kind"], (each["target"] or {}).get("id"), each["count"]) for each in answer["goals"]]
    assert goals == [
        ("creature", 448, 1), ("gameobject", 1599, 2), ("item", 2589, 4), ("faction", 72, 3000), ("players", None, 2),
    ]  # fmt: skip
    assert answer["goals"][0]["target"]["name"] == "Hogger"
    assert (answer["goals"][1]["target"]["name"], answer["goals"][1]["text"]) == ("Shallow Grave", "Graves looked into")
    assert answer["needs_script"] is True
    assert answer["pay"] == {"copper": 500, "text": "5s"}


@pytest.mark.anyio
async def test_previous_quests_as_sentences(tools: Toolbox) -> None:
    async def previous(quest: int) -> list[str]:
        answer: list[str] = (await tools.call("quest_requirements", id=quest))["previous"]
        return answer

    assert await previous(90002) == ["The Broken Mill (90001) was handed in"]
    assert await previous(90008) == ["The Broken Mill (90001) is in the log"]
    assert await previous(90006) == [
        "The Wheel Turns (90004) was handed in",
        "Flour for the Baker (90005) is neither in the log nor was it handed in",
    ]
    assert await previous(90007) == ["The Broken Mill (90001), where it leads to, was not taken yet"]
    assert await previous(90001) == ["Word from the Mill (90007), which only leads here, is not in the log"]
    assert await previous(7) == ["A Threat Within (783) was handed in"]
    plain = await tools.call("quest_requirements", id=788)
    assert plain["previous"] == []
    assert plain["max_level"] is plain["skill"] is plain["pay"] is plain["classes"] is None
    assert (plain["enabled"], plain["events"]) == (True, [])
    assert [each["id"] for each in (await tools.call("quest_requirements", id=90007))["events"]] == [12]
    assert "there is no quest with id 999999" in await tools.refusal("quest_requirements", id=999999)


def test_the_cores_join_previous_quests_differently() -> None:
    columns = ("ID", "PrevQuestID", "NextQuestID", "ExclusiveGroup", "BreadcrumbForQuestId")
    rows = [dict(zip(columns, row, strict=True)) for row in ((1, 5, 0, 0, 0), (2, 0, 1, 0, 0), (3, 0, 1, 0, 0))]
    assert previous_sentences(1, rows, {}, Family.TRINITYCORE) == [
        "quest 5 was handed in", "quest 2 was handed in or quest 3 was handed in",
    ]  # fmt: skip
    assert previous_sentences(1, rows, {}, Family.AZEROTHCORE) == [
        "quest 5 was handed in or quest 2 was handed in or quest 3 was handed in"
    ]


def test_reputation_by_rank_and_reward_index() -> None:
    values = (-42_000, -6_001, -6_000, -3_000, -1, 0, 2_999, 3_000, 9_000, 21_000, 42_000)
    assert [rank(value) for value in values] == [
        "Hated", "Hated", "Hostile", "Unfriendly", "Unfriendly", "Neutral", "Neutral", "Friendly", "Honored", "Revered",
        "Exalted",
    ]  # fmt: skip
    assert (reward(5, 0), reward(-3, 0), reward(9, 0), reward(0, 12_300), reward(10, 0)) == (250, -75, 5, 123, None)


@pytest.mark.anyio
async def test_everything_a_quest_may_give(tools: Toolbox) -> None:
    answer = await tools.call("quest_rewards", id=90004)
    assert answer["money"] == {"copper": -500, "text": "-5s"}
    assert answer["money_at_max_level"]["copper"] == 840
    # This database lacks the client's table of experience.
    assert answer["xp"] == {"difficulty": 5, "amount": None}
    assert answer["items"] == [{"item": {"id": 118, "name": "Minor Healing Potion"}, "count": 5}]
    assert [each["item"]["id"] for each in answer["choice"]] == [25, 36]
    assert [(each["faction"]["id"], each["reputation"]) for each in answer["reputation"]] == [
        (72, 250), (76, -75), (47, 123),
    ]  # fmt: skip
    assert (answer["spell_cast"]["id"], answer["spell_shown"]["id"], answer["title"]["id"]) == (100, 772, 11)
    assert (answer["honor"], answer["honor_kills"], answer["arena_points"], answer["talents"]) == (12, 1.5, 3, 1)
    assert answer["mail"] == {"template": 118, "delay_s": 3600, "sender": {"id": 240, "name": "Marshal Dughan"}}
    assert answer["offers_next"] == {"id": 90005, "name": "Flour for the Baker"}
    assert {
        "tool": "reference_loot",
        "arguments": {"id": 118, "table": "mail"},
        "why": "what the mail holds",
    } in answer["related"]
    little = await tools.call("quest_rewards", id=783)
    assert (little["money"]["copper"], little["items"], little["mail"], little["title"]) == (0, [], None, None)


@pytest.mark.anyio
async def test_azerothcore_and_master_have_columns_of_their_own(mariadb: MariaDb) -> None:
    mariadb.sql(
        """
        CREATE DATABASE quests_acore; USE quests_acore;
        CREATE TABLE acore_string (entry int PRIMARY KEY);
        CREATE TABLE quest_template LIKE world.quest_template;
        INSERT INTO quest_template SELECT * FROM world.quest_template;
        CREATE TABLE quest_template_addon LIKE world.quest_template_addon;
        INSERT INTO quest_template_addon SELECT * FROM world.quest_template_addon;
        ALTER TABLE quest_template_addon DROP COLUMN BreadcrumbForQuestId;
        CREATE TABLE disables (sourceType int, entry int); INSERT INTO disables VALUES (1, 90001), (0, 90002);
        CREATE TABLE questxp_dbc (ID int PRIMARY KEY, Difficulty_5 int, Difficulty_6 int);
        INSERT INTO questxp_dbc VALUES (12, 700, 875);
        CREATE DATABASE quests_master; USE quests_master;
        CREATE TABLE creature_template_difficulty (Entry int);
        CREATE TABLE quest_template (ID int PRIMARY KEY, LogTitle text, QuestType int, AllowableRaces bigint unsigned);
        INSERT INTO quest_template VALUES (1, 'A quest', 2, 18446744073709551615);
        CREATE TABLE quest_objectives (ID int, QuestID int, Type int, ObjectID int, Amount int, Description text);
        INSERT INTO quest_objectives VALUES (2, 1, 8, 0, 100, ''), (1, 1, 2, 55, 3, 'Look'), (3, 1, 9, 0, 4, '');
        """
    )
    async with toolbox(mariadb, TOOLS, database={"databases": {"world": "quests_acore"}}) as tools:
        assert (await tools.call("quest_requirements", id=90001))["enabled"] is False
        assert (await tools.call("quest_requirements", id=90002))["enabled"] is True
        assert (await tools.call("quest_rewards", id=90004))["xp"] == {"difficulty": 5, "amount": 875}
        assert {each["id"] for each in (await tools.call("quest_chain", id=90001))["quests"]} == set(
            range(90001, 90009)
        ) - {90007}
    async with toolbox(mariadb, TOOLS, database={"databases": {"world": "quests_master"}}) as tools:
        answer = await tools.call("quest_requirements", id=1)
        assert [(each["kind"], each["count"], each["text"]) for each in answer["goals"]] == [
            ("gameobject", 3, "Look"), ("money", 100, None), ("players", 4, None),
        ]  # fmt: skip
        assert answer["races"] is None
        assert (await tools.call("quest_rewards", id=1))["money"] is None
