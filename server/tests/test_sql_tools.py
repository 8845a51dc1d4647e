"""SQL of a caller's own over a real database: what it may read, how it comes, what is refused and why."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import sql

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tools(mariadb: MariaDb) -> AsyncIterator[Toolbox]:
    async with toolbox(mariadb, sql.TOOLS, database={"max_rows": 50, "max_scan_rows": 5000}) as box:
        yield box


async def test_rows_come_with_names_types_and_json_values(tools: Toolbox) -> None:
    result = await tools.call(
        "sql_select",
        query="""
        SELECT 7 AS n, -1.5e0 AS d, CAST(12.50 AS DECIMAL(6,2)) AS c, 'Höhle' AS t, x'00ff' AS b, NULL AS nothing,
          CAST('2026-01-02 03:04:05' AS DATETIME) AS at, CAST('2026-01-02' AS DATE) AS day, TIME('-26:03:04.5') AS span,
          CAST(1234567890123456789.25 AS DECIMAL(30,2)) AS large, SUM(1) AS total, 1 AS n
        """,
    )
    assert result["rows"] == [
        [
            *(7, -1.5, 12.5, "Höhle", "0x00ff", None),
            *("2026-01-02 03:04:05", "2026-01-02", "-26:03:04.5", "1234567890123456789.25", 1, 1),
        ]
    ]
    assert [each["name"] for each in result["columns"]][-2:] == ["total", "n"]
    types = {each["name"]: each["type"] for each in result["columns"]}
    assert (types["c"], types["t"], types["at"]) == ("decimal", "varchar", "datetime")
    assert result["notice"] is None


async def test_rows_are_those_of_the_database(tools: Toolbox, mariadb: MariaDb) -> None:
    result = await tools.call("sql_select", query="SELECT entry, name FROM world.creature_template ORDER BY entry;")
    expected = mariadb.sql("SELECT entry, name FROM world.creature_template ORDER BY entry LIMIT 50")
    assert [[str(value) for value in row] for row in result["rows"]] == expected


async def test_an_answer_that_was_cut_says_so(tools: Toolbox) -> None:
    query = "SELECT entry FROM world.creature_template a"
    result = await tools.call("sql_select", query=query, limit=2)
    assert result["row_count"] == 2
    assert "only the first 2 rows" in result["notice"]
    assert "at most 50" in result["notice"]
    result = await tools.call("sql_select", query="SELECT seq FROM world.seq_1_to_500", limit=10_000)
    assert result["row_count"] == 50
    result = await tools.call("sql_select", query="SELECT REPEAT('x', 9000) AS t")
    assert result["rows"][0][0] == "x" * 4096 + "... (9000 characters)"
    assert result["notice"] == "1 values are cut after 4096 characters"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("DELETE FROM world.creature_template", "only reading"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT entry FROM creature_template", "write tables with their database"),
        ("SELECT entry FROM world.creature_templat", "did you mean world.creature_template"),
        ("SELECT id FROM world.characters", "did you mean characters.characters"),
        ("SELECT no_such FROM world.creature_template", "table_describe"),
        ("SELECT entry FRO world.creature_template", "SQL syntax"),
        ("SELECT a.entry FROM world.creature_template a, world.creature_template b, world.creature_template c, "
         "world.item_template d, world.item_template e", "sql_explain"),
    ],
)  # fmt: skip
async def test_refusals_say_what_would_work(tools: Toolbox, query: str, words: str) -> None:
    assert words in await tools.refusal("sql_select", query=query)


async def test_an_error_that_could_quote_a_row_is_told_by_its_number(tools: Toolbox) -> None:
    query = "SELECT EXTRACTVALUE(1, CONCAT('~', name)) FROM world.creature_template LIMIT 1"
    message = await tools.refusal("sql_select", query=query)
    assert message == "the database refused the statement (database error 1105)"


async def test_columns_that_were_not_granted_stay_unread(mariadb: MariaDb) -> None:
    mariadb.account("sql_part", "part", "SELECT (id, username) ON auth.account")
    async with toolbox(mariadb, sql.TOOLS, user="sql_part", password="part") as box:
        assert (await box.call("sql_select", query="SELECT username FROM auth.account"))["row_count"] > 0
        for query in ("SELECT email FROM auth.account", "SELECT * FROM auth.account", "SELECT * FROM world.version"):
            assert "our account may not read that" in await box.refusal("sql_select", query=query)


async def test_a_plan_tells_cost_and_admission(tools: Toolbox) -> None:
    cheap = await tools.call("sql_explain", query="SELECT name FROM world.creature_template WHERE entry = 1")
    assert cheap["would_run"]
    assert cheap["steps"][0]["table"] == "creature_template"
    assert cheap["related"][0]["tool"] == "sql_select"
    tables = ", ".join(f"world.creature_template t{number}" for number in range(4))
    dear = f"SELECT 1 FROM {tables}"
    plan = await tools.call("sql_explain", query=dear)
    assert not plan["would_run"]
    assert plan["estimated_rows"] > plan["allowed_rows"] == 5000
    assert plan["related"] == []
    assert "only a SELECT" in await tools.refusal("sql_explain", query="SHOW TABLES FROM world")


async def test_both_need_the_scope_of_players() -> None:
    assert {each.scope for each in sql.TOOLS} == {"players"}


async def test_real_azerothcore(azerothcore: MariaDb) -> None:
    async with toolbox(azerothcore, sql.TOOLS) as box:
        query = "SELECT COUNT(*) AS n, MAX(entry) AS last FROM world.npc_vendor"
        result = await box.call("sql_select", query=query)
        assert [[str(value) for value in row] for row in result["rows"]] == azerothcore.sql(query)
        plan = await box.call("sql_explain", query="SELECT * FROM world.npc_vendor WHERE entry = 1")
        assert plan["would_run"]


async def test_real_trinitycore(trinitycore: MariaDb) -> None:
    async with toolbox(trinitycore, sql.TOOLS) as box:
        result = await box.call("sql_select", query="SELECT id, name FROM auth.rbac_permissions ORDER BY id", limit=5)
        expected = trinitycore.sql("SELECT id, name FROM auth.rbac_permissions ORDER BY id LIMIT 5")
        assert [[str(value) for value in row] for row in result["rows"]] == expected
