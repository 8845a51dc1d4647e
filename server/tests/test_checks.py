"""Checks of the world's consistency: each finds the rows that broken_world.sql breaks on purpose, and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import LAB_WORLD
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.access.principal import Principal
from trinitycore_mcp.checks import GROUPS, Check, Group
from trinitycore_mcp.checks.check import NotChecked, fixed
from trinitycore_mcp.checks.run import run
from trinitycore_mcp.conditions.vocabulary import vocabulary
from trinitycore_mcp.schema import Family, Schema
from trinitycore_mcp.toolkit import Call, enums
from trinitycore_mcp.tools import checks

BROKEN = Path(__file__).parent / "data/broken_world.sql"
EVENTS, MENUS, LISTS, OTHERS = (120, 121), range(65096, 65102), range(90_012_000, 90_012_100), range(900_000, 910_000)
# Every planted row: its kind and the planted ids in it, in the order of the result's columns.
PLANTED: dict[str, list[tuple[str, tuple[int, ...]]]] = {
    "check_spawns": [
        ("creature_without_template", (900001, 900999)),
        ("addon_without_creature", (900998,)),
        ("event_without_creature", (900997, 120)),
        ("creature_of_missing_event", (900004, 121)),
        ("pool_without_creature", (900996, 900001)),
        ("creature_in_missing_pool", (900004, 900999)),
        ("spawn_group_without_creature", (900995, 900001)),
        ("gameobject_without_template", (900001, 900999)),
        ("addon_without_gameobject", (900998,)),
        ("event_without_gameobject", (900997, 120)),
        ("gameobject_of_missing_event", (900004, -121)),
        ("pool_without_gameobject", (900996, 900001)),
        ("gameobject_in_missing_pool", (900004, 900999)),
        ("spawn_group_without_gameobject", (900995, 900001)),
        ("creature_on_missing_map", (900002, 900100)),
        ("gameobject_on_missing_map", (900002, 900100)),
        ("creature_model_missing", (900003, 900100)),
        ("creature_model_missing", (900101,)),
        ("creature_equipment_missing", (900003, 900100)),
        ("template_addon_without_creature", (900998,)),
        ("formation_without_creature", (900994, 900004)),
        ("spawn_group_missing", (900004, 900999)),
    ],
    "check_loot": [
        ("item_missing", (900100, 900999)),
        ("reference_missing", (900100, 900998, 900999)),
        ("group_over_100", (900100,)),
        ("chance_impossible", (900100, 900102)),
        ("count_impossible", (900100, 900103)),
        ("loot_missing", (900102, 900998)),
        ("loot_missing", (900101, 900998)),
        ("loot_unused", (900200,)),
        ("reference_unused", (900100,)),
    ],
    "check_quests": [
        ("no_starter", (900101,)),
        ("no_ender", (900102,)),
        ("relation_to_missing_quest", (900100, 900999)),
        ("relation_of_missing_giver", (900999, 900100)),
        ("giver_without_flag", (900122,)),
        ("addon_without_quest", (900998,)),
        ("previous_missing", (900103, 900999)),
        ("next_missing", (900103, 900999)),
        ("breadcrumb_missing", (900103, 900999)),
        ("next_missing", (900103, 900999)),
        ("circular_chain", (900104,)),
        ("circular_chain", (900105,)),
        ("min_level_above_max", (900103,)),
        ("required_item_missing", (900103, 900999)),
        ("required_creature_missing", (900103, 900999)),
        ("required_gameobject_missing", (900103, 900999)),
        ("reward_item_missing", (900103, 900999)),
        ("start_item_missing", (900103, 900999)),
    ],
    "check_vendors": [
        ("item_missing", (900110, 900999)),
        ("list_missing", (900110, -900999)),
        ("creature_missing", (900113,)),
        ("list_without_flag", (900111,)),
        ("flag_without_list", (900112,)),
        ("stock_without_restock", (900110, 900101)),
        ("restock_without_limit", (900110, 900102)),
    ],
    "check_smart_scripts": [
        ("link_missing", (900120, 0)),
        ("link_to_other_event", (900120, 1)),
        ("link_never_used", (900120, 3)),
        ("unknown_event_type", (900120, 4)),
        ("unknown_action_type", (900120, 5)),
        ("unknown_target_type", (900120, 6)),
        ("owner_missing", (-900993,)),
        ("owner_missing", (900999,)),
        ("ai_without_script", (900121,)),
        ("script_without_ai", (900122,)),
        ("owner_missing", (900999,)),
        ("creature_missing", (900120, 7)),
        ("gameobject_missing", (900120, 8)),
        ("creature_spawn_missing", (900120, 11)),
        ("gameobject_spawn_missing", (900120, 12)),
        ("item_missing", (900120, 9)),
        ("quest_missing", (900120, 10)),
        ("game_event_missing", (900120, 15)),
        ("action_list_missing", (900120, 13)),
        ("action_list_unused", (90012000,)),
        ("text_missing", (900120, 14)),
    ],
    "check_conditions": [
        ("unknown_condition_type", (900100,)),
        ("unknown_source_type", (900100,)),
        ("reference_missing", (900100, -900999)),
        ("reference_unused", (-900100,)),
        ("item_missing", (900100, 900999)),
        ("quest_missing", (900100, 900999)),
        ("creature_missing", (900100, 900999)),
        ("gameobject_missing", (900100, 900999)),
        ("game_event_missing", (900100, 121)),
        ("source_missing", (900100, 900777)),
        ("source_missing", (65100, 900777)),
        ("source_missing", (65100,)),
        ("source_missing", (900999,)),
        ("source_missing", (900777,)),
        ("source_missing", (900110, 900777)),
    ],
    "check_gossip": [
        ("text_missing", (65100, 900999)),
        ("menu_missing", (900130, 65098)),
        ("menu_missing", (900102, 65098)),
        ("menu_missing", (900103, 65098)),
        ("option_menu_missing", (65097,)),
        ("action_menu_missing", (65101, 65096)),
        ("poi_missing", (65101, 900996)),
        ("option_never_shown", (900131, 65101)),
        ("menu_without_flag", (900132, 65101)),
    ],
}
NEEDS_CLIENT_DATA = {("check_vendors", "extended_cost_missing"), ("check_smart_scripts", "spell_missing")}


@pytest.fixture(scope="module")
def broken(mariadb: MariaDb) -> MariaDb:
    """A copy of the lab's world with the broken rows, beside it on the same server: nobody else should meet them."""
    for file in (*sorted(LAB_WORLD.glob("world*.sql")), BROKEN):
        mariadb.load("broken_world", file)
    return mariadb


@pytest.fixture
async def tools(broken: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(broken, checks.TOOLS, database={"databases": {"world": "broken_world"}}) as box:
        yield box


def planted(problem: dict[str, Any]) -> tuple[str, tuple[int, ...]] | None:
    """Return kind and planted ids of a problem; None when it is not one of ours."""
    row = problem["row"]
    numbers = [abs(value) for value in row.values() if isinstance(value, int)]
    if not any(number in OTHERS or number in MENUS or number in LISTS for number in numbers):
        return None
    places = (EVENTS, MENUS, LISTS, OTHERS)
    ids = [value for value in row.values() if isinstance(value, int) and any(abs(value) in place for place in places)]
    script = [row["script_id"]] if "script_id" in row else []
    return problem["kind"], (*ids, *script)


async def every(tools: Toolbox, name: str, limit: int = 200, **arguments: Any) -> list[dict[str, Any]]:
    """Return the problems of all pages."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await tools.call(name, limit=limit, cursor=cursor, **arguments)
        assert (page["total"] is None) == (cursor is not None)
        assert cursor is None or page["counts"] == page["not_checked"] == []
        found += page["problems"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.anyio
@pytest.mark.parametrize("name", list(PLANTED))
async def test_a_check_finds_exactly_what_was_broken(tools: Toolbox, name: str) -> None:
    problems = await every(tools, name)
    assert [ours for each in problems if (ours := planted(each))] == PLANTED[name]


@pytest.mark.anyio
@pytest.mark.parametrize("name", list(PLANTED))
async def test_counts_are_those_of_the_rows(tools: Toolbox, name: str) -> None:
    page = await tools.call(name)
    counts = {each["kind"]: each["count"] for each in page["counts"]}
    rows = Counter(each["kind"] for each in await every(tools, name))
    assert {kind: count for kind, count in counts.items() if count} == rows
    assert page["total"] == rows.total()
    missing = {kind for group, kind in NEEDS_CLIENT_DATA if group == name}
    assert set(counts) | missing == {kind for group in GROUPS if group.name == name for kind in group.kinds}
    assert {each["kind"] for each in page["not_checked"]} == missing


@pytest.mark.anyio
@pytest.mark.parametrize(
    "name", ["check_quests", "check_conditions", "check_loot", "check_vendors", "check_smart_scripts"]
)
async def test_small_pages_are_the_same_rows(tools: Toolbox, name: str) -> None:
    assert await every(tools, name, limit=4) == await every(tools, name)


@pytest.mark.anyio
async def test_one_kind(tools: Toolbox) -> None:
    page = await tools.call("check_quests", kind="circular_chain", limit=1)
    assert [each["kind"] for each in page["counts"]] == ["circular_chain"]
    assert [each["row"] for each in await every(tools, "check_quests", limit=1, kind="circular_chain")] == [
        {"quest": 900104, "steps": 2},
        {"quest": 900105, "steps": 2},
    ]
    assert page["problems"][0]["names"] == {"quest": "Zz Hen"}
    assert page["related"][0] == {"tool": "quest_get", "arguments": {"id": 900104}, "why": "Zz Hen"}
    assert "did you mean no_starter" in await tools.refusal("check_quests", kind="no_starters")
    other = await tools.refusal("check_quests", kind="no_ender", cursor=page["next_cursor"])
    assert "it belongs to another call" in other


@pytest.mark.anyio
async def test_summary_is_the_sum(tools: Toolbox) -> None:
    summary = await tools.call("check_summary")
    singles = [await tools.call(group.name) for group in GROUPS]
    assert summary["total"] == sum(page["total"] for page in singles)
    kinds = {(each["check"], each["kind"]): each["count"] for each in summary["counts"]}
    assert kinds["check_quests", "circular_chain"] == 2
    assert {(each["check"], each["kind"]) for each in summary["not_checked"]} == NEEDS_CLIENT_DATA
    assert len(kinds) + len(summary["clean"]) + len(NEEDS_CLIENT_DATA) == sum(len(group.kinds) for group in GROUPS)


@pytest.mark.anyio
async def test_progress_rises_to_the_end(tools: Toolbox) -> None:
    told: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        assert message
        told.append((done, total))

    tool = tools.tools["check_summary"]
    caller = Principal("tests", frozenset({"read"}), "api_key", None, None)
    await tool.function(Call(tools.services, caller, tool.name, tool.read(b"{}"), progress=progress))
    total = sum(len(group.make(Family.TRINITYCORE)) for group in GROUPS)
    assert told == [(step, total) for step in range(total)]


@pytest.mark.anyio
async def test_a_check_that_takes_too_long_is_left_out(mariadb: MariaDb) -> None:
    slow = Check(
        "slow", "it sleeps", "SELECT {t.entry} AS creature FROM {creature_template t} WHERE SLEEP(1) = 0", ("creature",)
    )
    quick = Check(
        "quick",
        "it does not",
        "SELECT {t.entry} AS creature FROM {creature_template t} WHERE {t.entry} = 6",
        ("creature",),
    )
    async with toolbox(mariadb, checks.TOOLS, database={"pool": {"query_timeout": 0.3}}) as box:
        tool = box.tools["check_spawns"]
        caller = Principal("tests", frozenset({"read"}), "api_key", None, None)
        call = Call(box.services, caller, tool.name, tool.read(b"{}"))
        report = await run(call, Group("check_x", "X", "x", fixed(slow, quick)), rows=5)
    assert [each.row for each in report.wrong] == [{"creature": 6}]
    assert [each.kind for each in report.not_checked] == ["slow"]
    assert "too long" in report.not_checked[0].reason


def test_what_is_missing_is_named() -> None:
    schema = Schema({"world": "w"}, {"world": {"creature": frozenset({"guid", "id", "map"})}})
    with pytest.raises(NotChecked, match="table creature_template is not in this database"):
        Check("k", "m", "SELECT 1 FROM {creature s} JOIN {creature_template t}", ()).select(schema)
    with pytest.raises(NotChecked, match="table creature has no column modelid"):
        Check("k", "m", "SELECT {s.modelid} FROM {creature s}", ()).select(schema)
    with pytest.raises(ValueError, match="alias s stands for creature and pool"):
        Check("k", "m", "SELECT 1 FROM {creature s} JOIN {pool s}", ()).select(schema)
    variants = Check("k", "m", ("SELECT {s.modelid} FROM {creature s}", "SELECT {s.guid} FROM {creature s}"), ())
    assert variants.select(schema) == "SELECT s.`guid` FROM `w`.`creature` s"


@pytest.mark.parametrize("family", [Family.TRINITYCORE, Family.AZEROTHCORE, Family.TRINITYCORE_MASTER])
def test_kinds_are_the_same_in_every_family(family: Family) -> None:
    for group in GROUPS:
        assert {check.kind for check in group.make(family)} == set(group.kinds)


@pytest.mark.anyio
async def test_every_check_runs_on_the_schema_of_trinitycore(trinitycore: MariaDb) -> None:
    async with toolbox(trinitycore, checks.TOOLS) as box:
        summary = await box.call("check_summary")
    assert {(each["check"], each["kind"]) for each in summary["not_checked"]} == NEEDS_CLIENT_DATA


@pytest.mark.anyio
async def test_real_rows(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, checks.TOOLS) as box:
        pages = {group.name: await box.call(group.name, limit=200) for group in GROUPS}
        over = await every(box, "check_loot", kind="group_over_100")
    assert pages["check_smart_scripts"]["counts"] == []
    assert {each["reason"] for each in pages["check_smart_scripts"]["not_checked"]} == {
        "table smart_scripts is not in this database",
        "table creature_template is not in this database",
    }

    def number(sql: str) -> int:
        return int(azerothcore.sql(sql, "world")[0][0])

    found = {each["row"]["loot_table"] for each in over}
    for table in found:
        groups = (
            f"SELECT 1 FROM {table} WHERE GroupId > 0 GROUP BY Entry, GroupId, LootMode HAVING SUM(Chance) > 100.01"
        )
        assert number(f"SELECT COUNT(*) FROM ({groups}) x") == sum(each["row"]["loot_table"] == table for each in over)
    assert found >= {"fishing_loot_template", "gameobject_loot_template"}
    counts = {each["kind"]: each["count"] for each in pages["check_gossip"]["counts"]}
    orphans = (
        "SELECT COUNT(*) FROM gossip_menu_option o LEFT JOIN gossip_menu m ON m.MenuID = o.{} "
        "WHERE o.{} > 0 AND m.MenuID IS NULL"
    )
    assert counts["option_menu_missing"] == number(orphans.format("MenuID", "MenuID")) > 0
    assert counts["action_menu_missing"] == number(orphans.format("ActionMenuID", "ActionMenuID")) > 0
    known = set(vocabulary(Family.AZEROTHCORE).types)
    types = azerothcore.sql(
        "SELECT ConditionTypeOrReference FROM conditions WHERE ConditionTypeOrReference > 0", "world"
    )
    counts = {each["kind"]: each["count"] for each in pages["check_conditions"]["counts"]}
    assert counts["unknown_condition_type"] == sum(int(each[0]) not in known for each in types)


def test_maps_of_the_client(azerothcore: MariaDb) -> None:
    used = "SELECT map FROM game_tele UNION SELECT map FROM instance_template UNION SELECT Map FROM game_graveyard"
    assert {int(row[0]) for row in azerothcore.sql(used, "world")} <= set(enums.values("map"))
