"""SQL of a caller's own over a real database: what it may read, how it comes, what is refused and why."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.database_server import DatabaseServer
from tests.support.database_servers import kind_of
from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.database import personal
from trinitycore_mcp.database.pool import Pool
from trinitycore_mcp.tools import account, sql

pytestmark = pytest.mark.anyio
_MANUAL = Path(__file__).parents[2] / "docs/server.md"


@pytest.fixture(params=["mariadb", pytest.param("mysql", marks=pytest.mark.xdist_group("catalogue"))])
def game(request: pytest.FixtureRequest) -> DatabaseServer:
    """The game's databases, in each kind of server."""
    server: DatabaseServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
async def tools(game: DatabaseServer) -> AsyncIterator[Toolbox]:
    async with toolbox(game, sql.TOOLS, database={"max_rows": 50, "max_scan_rows": 5000}) as box:
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


async def test_rows_are_those_of_the_database(tools: Toolbox, game: DatabaseServer) -> None:
    result = await tools.call("sql_select", query="SELECT entry, name FROM world.creature_template ORDER BY entry;")
    expected = game.sql("SELECT entry, name FROM world.creature_template ORDER BY entry LIMIT 50")
    assert [[str(value) for value in row] for row in result["rows"]] == expected


async def test_an_answer_that_was_cut_says_so(tools: Toolbox) -> None:
    query = "SELECT entry FROM world.creature_template a"
    result = await tools.call("sql_select", query=query, limit=2)
    assert result["row_count"] == 2
    assert "only the first 2 rows" in result["notice"]
    assert "at most 50" in result["notice"]
    result = await tools.call(
        "sql_select", query="SELECT a.entry FROM world.item_template a, world.item_template b", limit=10_000
    )
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


async def test_tables_without_a_database_are_of_the_one_that_is_named(tools: Toolbox, game: DatabaseServer) -> None:
    query = "SELECT username FROM account WHERE id = 11"
    [[name]] = game.sql(query, "auth")
    assert (await tools.call("sql_select", query=query, database="auth"))["rows"] == [[name]]
    assert (await tools.call("sql_select", query="SHOW TABLES LIKE 'creature'", database="world"))["row_count"] == 1
    plan = await tools.call("sql_explain", query=query, database="auth")
    assert plan["related"][0]["arguments"] == {"query": query, "database": "auth"}
    message = await tools.refusal("sql_select", query="SELECT 1 FROM account", database="world")
    assert "did you mean auth.account" in message
    assert "set the argument database" in await tools.refusal(
        "sql_select", query=query
    )  # the last one's is not left behind
    names = {"world": "sql-none"}
    async with toolbox(game, sql.TOOLS, database={"databases": names}) as box:
        message = await box.refusal("sql_select", query="SELECT 1", database="world")
        assert "sql-none" in message


async def test_an_error_that_could_quote_a_row_is_told_by_its_number(tools: Toolbox) -> None:
    query = "SELECT EXTRACTVALUE(1, CONCAT('~', name)) FROM world.creature_template LIMIT 1"
    message = await tools.refusal("sql_select", query=query)
    assert message == "the database refused the statement (database error 1105)"


async def test_columns_that_were_not_granted_stay_unread(game: DatabaseServer) -> None:
    game.account("sql_part", "part", "SELECT (id, username) ON auth.account")
    async with toolbox(game, sql.TOOLS, user="sql_part", password="part") as box:
        assert (await box.call("sql_select", query="SELECT username FROM auth.account"))["row_count"] > 0
        for query in ("SELECT email FROM auth.account", "SELECT * FROM auth.account", "SELECT * FROM world.version"):
            assert "our account may not read that" in await box.refusal("sql_select", query=query)


async def test_an_account_that_could_read_personal_data_gets_no_statement_run(game: DatabaseServer) -> None:
    game.account("sql_wide", "wide")
    async with toolbox(game, (*sql.TOOLS, *account.TOOLS), user="sql_wide", password="wide") as box:
        for tool in ("sql_select", "sql_explain"):
            for query in ("SELECT 1", "SELECT 1 FROM auth.account WHERE id = 11 AND email LIKE 'a%'"):
                message = await box.refusal(tool, query=query)
                assert "the database account sql_wide may read personal data: auth.account." in message
                assert "GRANT SELECT (id, username, joindate, " in message
        assert (await box.call("account_get", id=11))["id"] == 11


@pytest.mark.parametrize(
    ("grants", "found"),
    [
        ("SELECT ON auth.*", "auth.account.email"),
        ("SELECT (id, email) ON auth.account", "auth.account.email."),
        ("SELECT ON characters.mail", "characters.mail.body, characters.mail.subject."),
        ("SELECT ON sql_elsewhere.custom", "sql_elsewhere.custom.Visitor_IP."),
        ("SELECT ON sql_elsewhere.short", "sql_elsewhere.short.salt."),
        ("sql_role", "auth.account.verifier."),
    ],
)
async def test_every_way_to_personal_data_is_seen(game: DatabaseServer, grants: str, found: str) -> None:
    game.sql(
        "CREATE DATABASE IF NOT EXISTS sql_elsewhere; "
        "CREATE TABLE IF NOT EXISTS sql_elsewhere.custom (id INT, Visitor_IP VARCHAR(15), equip INT, ship INT); "
        "CREATE OR REPLACE VIEW sql_elsewhere.short AS SELECT id, salt FROM auth.account; "
        "DROP ROLE IF EXISTS sql_role; CREATE ROLE sql_role; GRANT SELECT (verifier) ON auth.account TO sql_role"
    )
    game.account("sql_way", "way", grants)
    if grants == "sql_role":
        joined = {"mariadb": "FOR", "mysql": "TO"}[kind_of(game)]
        game.sql(f"SET DEFAULT ROLE sql_role {joined} sql_way")
    names = {"auth": "sql_elsewhere"} if "elsewhere" in grants else {}
    async with toolbox(game, sql.TOOLS, user="sql_way", password="way", database={"databases": names}) as box:
        assert f"may read personal data: {found}" in await box.refusal("sql_select", query="SELECT 1")


async def test_rights_to_other_columns_and_rights_but_reading_are_no_reason(game: DatabaseServer) -> None:
    game.account("sql_other", "other", "SELECT (id), UPDATE (email, last_ip) ON auth.account")
    game.sql("GRANT SELECT ON world.* TO sql_other; GRANT SELECT ON mysql.* TO sql_other")
    async with toolbox(game, sql.TOOLS, user="sql_other", password="other") as box:
        assert (await box.call("sql_select", query="SELECT COUNT(*) FROM auth.account"))["rows"][0][0] > 0


async def test_the_grants_of_the_manual_are_enough(game: DatabaseServer) -> None:
    section = _MANUAL.read_text().partition("## What the reading account may see")[2].partition("\n## ")[0]
    [statement] = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    game.account("reader", "reader", "SELECT, SHOW VIEW ON world.*")
    game.sql("".join(grant for [grant] in game.sql(statement)))
    async with toolbox(game, (*sql.TOOLS, *account.TOOLS), user="reader", password="reader") as box:
        for query in ("SELECT username FROM auth.account", "SELECT * FROM characters.characters"):
            assert (await box.call("sql_select", query=query))["row_count"] > 0
        assert (await box.call("account_get", id=11))["id"] == 11


async def test_a_change_of_the_accounts_rights_is_noticed(
    game: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.account("sql_change", "change", "SELECT (id) ON auth.account")
    async with toolbox(game, sql.TOOLS, user="sql_change", password="change") as box:
        monkeypatch.setattr(personal, "_TTL", 0.0)
        await box.call("sql_select", query="SELECT id FROM auth.account")
        game.sql("GRANT SELECT (email) ON auth.account TO sql_change")
        assert "auth.account.email" in await box.refusal("sql_select", query="SELECT email FROM auth.account")
        game.sql("REVOKE SELECT (email) ON auth.account FROM sql_change")
        await box.call("sql_select", query="SELECT id FROM auth.account")


async def test_the_accounts_rights_are_asked_once_in_a_while(
    game: DatabaseServer, tools: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fetch = Pool.fetch

    async def counted(self: Pool, kind: str, *rest: object) -> object:
        asked.append(kind)
        return await fetch(self, kind, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Pool, "fetch", counted)
    for _ in range(3):
        await tools.call("sql_select", query="SELECT 1")
    assert asked.count("rights") == 1


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
