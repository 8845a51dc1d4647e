"""Statements that people write: what they get, where they are cut off, and that they change nothing.

The hostile ones run as an account that may do everything but write files, and past the check of their text: what is
shown is what the server itself stops, not our parsing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest

from server.tests.database_support import FRESH_STATISTICS, HEAVY, database_over, until
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS, both_kinds, kind_of, one_kind
from tests.support.mcp_server import LAB_WORLD
from trinitycore_mcp.database import Column, Database, DatabaseError, adhoc
from trinitycore_mcp.database.errors import Busy, QueryFailed, StatementRefused, TimedOut, TooExpensive
from trinitycore_mcp.database.statement import Statement

pytestmark = pytest.mark.anyio
_ROUTINES = """DELIMITER //
CREATE FUNCTION writes() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN UPDATE t SET v = 99; RETURN 1; END//
CREATE PROCEDURE escapes() MODIFIES SQL DATA
BEGIN COMMIT; SET SESSION TRANSACTION READ WRITE; START TRANSACTION READ WRITE; UPDATE t SET v = 98; COMMIT; END//
"""


# A server that lets nobody write files at all would hide that the account's rights are what stops it.
_OPTIONS = {"mariadb": {}, "mysql": {"secure-file-priv": ""}}
_SETTINGS = {
    "mariadb": "SELECT @@global.read_only, @@global.max_statement_time, next_not_cached_value FROM own.counter",
    "mysql": "SELECT @@global.read_only, @@global.max_execution_time",
}


@pytest.fixture(scope="module", params=both_kinds("sql"))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    folder = tmp_path_factory.mktemp("sql")
    with SERVERS[request.param].start(folder / "1", options=_OPTIONS[request.param]) as running:
        running.load("world", LAB_WORLD / "world.sql")
        running.sql(FRESH_STATISTICS)
        running.account("app_ro", "app_ro")
        running.sql(
            "CREATE DATABASE own; USE own; CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB; "
            "CREATE TABLE flat (id INT) ENGINE=MyISAM; INSERT INTO t VALUES (1, 1), (2, 2); "
            "CREATE TABLE numbers (n INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO numbers WITH RECURSIVE s AS "
            "(SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 1000) SELECT n FROM s"
        )
        if request.param == "mariadb":
            running.sql("CREATE SEQUENCE own.counter")
        script = folder / "routines.sql"
        script.write_text(_ROUTINES)
        running.load("own", script)
        running.account("anything", "anything", "ALL ON *.*")
        running.sql("REVOKE FILE ON *.* FROM anything")
        running.account("filer", "filer", "SELECT, FILE ON *.*")
        yield running


only_mariadb = pytest.mark.parametrize("server", [one_kind("mariadb", "sql")], indirect=True)
only_mysql = pytest.mark.parametrize("server", [one_kind("mysql", "sql")], indirect=True)


@pytest.fixture
async def database(server: DatabaseServer) -> AsyncIterator[Database]:
    async with database_over(server, section={"max_rows": 50}) as running:
        yield running


def state(server: DatabaseServer) -> list[list[str]]:
    """Return all that a hostile statement might have changed."""
    return [
        *server.sql("SELECT * FROM own.t"),
        *server.sql("SELECT COUNT(*) FROM own.flat"),
        *server.sql("SHOW TABLES FROM own"),
        *server.sql("CHECKSUM TABLE own.numbers"),
        *server.sql(_SETTINGS[kind_of(server)]),
        *server.sql("SELECT User, authentication_string FROM mysql.user ORDER BY User"),
        *server.sql("SELECT COUNT(*) FROM world.creature_template"),
    ]


async def test_rows_and_columns_come_as_the_database_has_them(database: Database, server: DatabaseServer) -> None:
    result = await database.select(
        "test",
        "SELECT 1 AS one, 'it''s 100%' AS text, 1.5 AS `decimal`, NULL AS nothing, DATE '2020-01-02' AS day, "
        "x'00ff' AS raw, id FROM own.t ORDER BY id;",
    )
    assert result.rows == [
        [1, "it's 100%", Decimal("1.5"), None, date(2020, 1, 2), b"\x00\xff", number] for number in (1, 2)
    ]
    assert result.columns[0] == Column("one", {"mariadb": "int", "mysql": "bigint"}[kind_of(server)])
    assert [column.type for column in result.columns[1:]] == ["varchar", "decimal", "null", "date", "varbinary", "int"]
    assert (result.truncated, result.host) == (None, f"127.0.0.1:{server.port}")
    assert 0 < result.seconds < 3


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW TABLES FROM own",
        "show full columns from own.t",
        "SHOW CREATE TABLE own.t",
        "DESCRIBE own.t",
        "EXPLAIN SELECT * FROM own.t",
        "(SELECT id FROM own.t) UNION (SELECT 5)",
        "WITH x AS (SELECT id FROM own.t) SELECT * FROM x",
        "-- a comment\n/* another */ # third\nSELECT REPLACE('a', 'a', 'b'), `update`.id FROM own.t AS `update` ; ",
        "SELECT ';', '/*! */', \"it's -- \" , 'a\\'b', 1--1",
        "SELECT * FROM own.t WHERE v LIKE '%s' OR v % 2 = 1",
    ],
)
async def test_reading_statements_run(database: Database, sql: str) -> None:
    assert (await database.select("test", sql)).rows


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "only reading is possible"),
        ("-- nothing", "only reading"),
        ("UPDATE own.t SET v = 1", "not UPDATE"),
        ("INSERT INTO own.t VALUES (1, 1)", "not INSERT"),
        ("SET @a = 1", "not SET"),
        ("CALL own.escapes()", "not CALL"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT 1;;DROP TABLE own.t", "one statement at a time"),
        ("/*! DROP TABLE own.t */", "comments that the database runs"),
        ("SELECT 1 /*M! INTO OUTFILE 'x' */", "comments that the database runs"),
        ("SELECT /*+ MAX_EXECUTION_TIME(0) */ 1", "comments that the database runs"),
        ("SELECT * FROM own.t INTO OUTFILE '/tmp/x'", "INTO would write"),
        ("SELECT 1--\u00a0 INTO @a", "INTO would write"),
        ("WITH x AS (SELECT 1) DELETE FROM own.t", "DELETE would"),
        ("SELECT * FROM own.t FOR UPDATE", "UPDATE would change or lock"),
        ("SELECT * FROM own.t FOR SHARE", "FOR SHARE would lock"),
        ("SELECT * FROM own.t LOCK IN SHARE MODE", "LOCK would lock"),
        ("SHOW GRANTS", "SHOW is possible for"),
        ("SHOW FULL PROCESSLIST", "SHOW is possible for"),
        ("SHOW CREATE USER root", "SHOW is possible for"),
        ("EXPLAIN ANALYZE SELECT 1", "ANALYZE"),
        ("SELECT 'open", "not closed"),
        ("SELECT 1 /* open", "not closed"),
        ("SELECT 1 \x00", "NUL"),
        ("SELECT '\ud800'", "not valid Unicode"),
        ("SELECT " + "1," * 40_000 + "1", "allowed are 65536"),
    ],
)
async def test_other_statements_are_refused_with_the_reason(database: Database, sql: str, message: str) -> None:
    with pytest.raises(StatementRefused, match=message):
        await database.select("test", sql)


async def test_the_servers_own_words_are_told(database: Database) -> None:
    with pytest.raises(QueryFailed, match=r"\(1054\): Unknown column 'nam' in"):
        await database.select("test", "SELECT nam FROM own.t")
    with pytest.raises(QueryFailed, match=r"\(1146\): Table 'own.tt' doesn't exist"):
        await database.select("test", "SELECT * FROM own.tt")
    assert database.available


async def test_rows_are_cut_at_the_caps(database: Database) -> None:
    result = await database.select("test", "SELECT n FROM own.numbers WHERE n <= 100", max_rows=7)
    assert [row[0] for row in result.rows] == list(range(1, 8))
    assert result.truncated == "only the first 7 rows are shown"
    exact = await database.select("test", "SELECT n FROM own.numbers WHERE n <= 7", max_rows=7)
    assert (len(exact.rows), exact.truncated) == (7, None)
    most = await database.select("test", "SELECT n FROM own.numbers WHERE n <= 100", max_rows=1_000_000)
    assert len(most.rows) == 50  # no call gets more than is configured
    wide = await database.select("test", "SELECT REPEAT('x', 1000) FROM own.numbers", max_bytes=4500)
    assert len(wide.rows) == 4
    assert wide.truncated == "only the first 4 rows are shown: more than 4500 bytes in all"


async def test_one_enormous_row_is_not_taken_in(server: DatabaseServer) -> None:
    many = ", ".join("REPEAT('x', 15000000)" for _ in range(10))
    async with database_over(server, query_timeout=60) as database:
        with pytest.raises(DatabaseError, match="a single row of the result is larger than the limit"):
            await database.select("test", f"SELECT {many}")
        assert database.available


async def test_what_is_cut_off_stops_in_the_server(database: Database, server: DatabaseServer) -> None:
    endless = "SELECT a.n, SLEEP(0.001) FROM own.numbers a"
    assert (await database.select("test", endless, max_rows=3)).truncated
    running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'app_ro' AND INFO LIKE 'SELECT a.n%'"
    await until(lambda: server.sql(running) == [["0"]], 1)


async def test_a_plan_is_explained_and_estimated(database: Database) -> None:
    one = await database.explain("test", "SELECT * FROM own.t WHERE id = 1")
    assert one.estimated_rows == 1
    assert one.rows[0]["table"] == "t"
    nothing = await database.explain("test", "SELECT * FROM own.t WHERE 1 = 0")
    assert nothing.estimated_rows == 1
    cross = await database.explain("test", "SELECT * FROM world.creature_template a, world.creature_template b")
    single = await database.explain("test", "SELECT * FROM world.creature_template a")
    assert cross.estimated_rows >= single.estimated_rows**2 > 100
    for sql in ("SHOW TABLES FROM own", "EXPLAIN SELECT 1"):
        with pytest.raises(StatementRefused, match="has a plan"):
            await database.explain("test", sql)


async def test_a_statement_that_would_look_at_too_many_rows_is_not_run(
    database: Database, server: DatabaseServer
) -> None:
    before = server.sql("SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'")
    began = time.monotonic()
    with pytest.raises(TooExpensive, match=r"about \d+ rows, allowed are 2000000: narrow it by a column that has an i"):
        await database.select("test", HEAVY)
    assert time.monotonic() - began < 1
    after = server.sql("SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'")
    assert int(after[0][1]) - int(before[0][1]) < 10_000


async def test_time_is_limited_whatever_the_statement_does(database: Database) -> None:
    for sql in ("SELECT * FROM (SELECT SLEEP(20)) x", "SELECT SLEEP(0.1) FROM own.numbers"):
        began = time.monotonic()
        with pytest.raises(TimedOut):
            await database.select("test", sql, timeout=0.3)
        assert time.monotonic() - began < 1.2
    for sql, value in (("SELECT BENCHMARK(2000000000, SHA2('x', 512))", 0), ("SELECT SLEEP(20)", 1)):
        began = time.monotonic()
        with suppress(TimedOut):  # servers end these two, and may say that with a value
            assert (await database.select("test", sql, timeout=0.3)).rows == [[value]]
        assert time.monotonic() - began < 1.2


async def test_free_statements_have_few_sessions_and_leave_the_tools_theirs(server: DatabaseServer) -> None:
    async with database_over(server, size=4, acquire_timeout=0.2) as database:  # a quarter: one
        slow = asyncio.create_task(database.select("test", "SELECT SLEEP(0.6)"))
        await asyncio.sleep(0.2)
        with pytest.raises(Busy):
            await database.select("test", "SELECT 1")
        assert await database.fetch("test", "SELECT 1 AS one") == [{"one": 1}]
        await slow


async def test_nothing_is_left_behind_for_the_next_statement(database: Database, server: DatabaseServer) -> None:
    assert (await database.select("test", "SELECT GET_LOCK('ours', 0), @a := 5")).rows == [[1, 5]]
    assert (await database.select("test", "SELECT @a")).rows == [[None]]
    await until(lambda: server.sql("SELECT IS_FREE_LOCK('ours')") == [["1"]])


async def test_a_cancelled_statement_is_ended_in_the_server(database: Database, server: DatabaseServer) -> None:
    running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'app_ro' AND INFO LIKE '%SLEEP(2.5)%'"
    task = asyncio.create_task(database.select("test", "SELECT SLEEP(2.5)"))
    await until(lambda: server.sql(running) == [["1"]])
    task.cancel()
    await until(lambda: server.sql(running) == [["0"]], 1)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_account_that_may_write_files_is_refused(server: DatabaseServer) -> None:
    async with database_over(server, user="filer") as database:
        for sql in ("SELECT 1", "SELECT LOAD_FILE('/etc/passwd')"):
            with pytest.raises(StatementRefused, match="FILE privilege must be revoked"):
                await database.select("test", sql)
        with pytest.raises(StatementRefused, match="FILE privilege"):
            await unchecked(database, "SELECT 1 INTO OUTFILE 'never'")
        assert await database.fetch("test", "SELECT 1 AS one") == [{"one": 1}]


async def unchecked(database: Database, sql: str, *, is_select: bool = True) -> adhoc.SelectResult:
    """Run a statement as `select` does, but without the check of its text."""
    [pool] = database._adhoc.values()
    limits = adhoc.Limits(rows=10, size=10_000, seconds=0.4, scan=1_000_000)
    return await adhoc.select(pool, "test", Statement(sql, is_select), limits, time.monotonic())


READ_ONLY = r"\(1792\)"  # cannot execute in a READ ONLY transaction
NO_PLAN = r"\((1064|1046)\)"  # nothing that EXPLAIN takes
TWO = r"\(1064\)"  # the protocol's multi-statement option is off


@pytest.mark.parametrize(
    ("sql", "stopped_by"),
    [
        ("INSERT INTO own.t VALUES (3, 3)", READ_ONLY),
        ("REPLACE INTO own.t VALUES (1, 3)", READ_ONLY),
        ("UPDATE own.t SET v = 9", READ_ONLY),
        ("DELETE FROM own.t", READ_ONLY),
        ("INSERT INTO own.flat VALUES (1)", READ_ONLY),
        ("/*! INSERT INTO own.t VALUES (3, 3) */", READ_ONLY),
        ("/*!50000 DELETE */ FROM own.t", READ_ONLY),
        ("SELECT 1; DELETE FROM own.t", TWO),
        ("SELECT * FROM own.t FOR UPDATE", READ_ONLY),
        ("SELECT own.writes()", READ_ONLY),
        ("SELECT * FROM (SELECT own.writes() AS w) x", READ_ONLY),
        ("WITH x AS (SELECT 1) DELETE FROM own.t", r"\((1064|1792)\)"),
        ("DROP TABLE own.t", NO_PLAN),
        ("CREATE TABLE own.x (i INT)", NO_PLAN),
        ("CREATE TEMPORARY TABLE own.x (i INT)", NO_PLAN),
        ("TRUNCATE own.t", NO_PLAN),
        ("ALTER TABLE own.t ADD x INT", NO_PLAN),
        ("CALL own.escapes()", NO_PLAN),
        ("SET SESSION TRANSACTION READ WRITE", NO_PLAN),
        ("SET GLOBAL read_only = ON", NO_PLAN),
        ("SET PASSWORD = 'x'", NO_PLAN),
        ("GRANT FILE ON *.* TO anything", NO_PLAN),
        ("KILL 1", NO_PLAN),
        ("FLUSH TABLES", NO_PLAN),
        ("LOCK TABLES own.t WRITE", NO_PLAN),
        ("PREPARE s FROM 'DELETE FROM own.t'", NO_PLAN),
        ("COMMIT", NO_PLAN),
        ("SHUTDOWN", NO_PLAN),
        ("DO SLEEP(9)", NO_PLAN),
        ("SELECT 1 INTO OUTFILE 'never'", r"\(1227\): Access denied"),  # FILE, which the account lacks
        ("SELECT 1 INTO DUMPFILE 'never'", r"\(1227\): Access denied"),
    ],
)
async def test_an_account_with_all_rights_changes_nothing(server: DatabaseServer, sql: str, stopped_by: str) -> None:
    before = state(server)
    async with database_over(server, user="anything") as database:
        with pytest.raises(DatabaseError, match=stopped_by):
            await unchecked(database, sql)
        assert state(server) == before
        assert database.available


@only_mariadb
@pytest.mark.parametrize(
    ("sql", "stopped_by"),
    [
        ("/*M! DELETE */ /*!50000 FROM own.t */", READ_ONLY),
        ("SELECT NEXTVAL(own.counter)", READ_ONLY),
        ("SELECT SETVAL(own.counter, 50)", READ_ONLY),
        ("SET STATEMENT max_statement_time = 0 FOR SELECT SLEEP(9)", NO_PLAN),
        ("SET GLOBAL max_statement_time = 5", NO_PLAN),
        ("SET PASSWORD = PASSWORD('x')", NO_PLAN),
        ("KILL USER root", NO_PLAN),
        ("EXECUTE IMMEDIATE 'DELETE FROM own.t'", NO_PLAN),
        ("BEGIN NOT ATOMIC DELETE FROM own.t; END", NO_PLAN),
    ],
)
async def test_what_mariadb_alone_understands_changes_nothing(
    server: DatabaseServer, sql: str, stopped_by: str
) -> None:
    await test_an_account_with_all_rights_changes_nothing(server, sql, stopped_by)


@only_mysql
@pytest.mark.parametrize(
    ("sql", "stopped_by"),
    [
        ("TABLE own.t FOR UPDATE", READ_ONLY),
        ("SELECT * FROM own.t FOR UPDATE SKIP LOCKED", READ_ONLY),
        ("ANALYZE DELETE FROM own.t", NO_PLAN),
        ("SET PERSIST max_execution_time = 5", NO_PLAN),
        ("SET GLOBAL super_read_only = ON", NO_PLAN),
        ("CLONE LOCAL DATA DIRECTORY '/tmp/never'", NO_PLAN),
        ("RESET BINARY LOGS AND GTIDS", NO_PLAN),
        ("RESTART", NO_PLAN),
    ],
)
async def test_what_mysql_alone_understands_changes_nothing(server: DatabaseServer, sql: str, stopped_by: str) -> None:
    await test_an_account_with_all_rights_changes_nothing(server, sql, stopped_by)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO own.t VALUES (3, 3)",
        "DROP TABLE own.t",
        "CREATE TEMPORARY TABLE own.x (i INT)",
        "TRUNCATE own.t",
        "GRANT FILE ON *.* TO anything",
        "LOCK TABLES own.t WRITE",
        "ALTER USER anything IDENTIFIED BY 'x'",
    ],
)
async def test_even_without_a_plan_the_transaction_holds(server: DatabaseServer, sql: str) -> None:
    before = state(server)
    async with database_over(server, user="anything") as database:
        with pytest.raises(QueryFailed, match=READ_ONLY):
            await unchecked(database, sql, is_select=False)
    assert state(server) == before


@only_mariadb
@pytest.mark.parametrize(
    "sql",
    [
        "SET PASSWORD = PASSWORD('x')",
        "EXECUTE IMMEDIATE 'DELETE FROM own.t'",
        "BEGIN NOT ATOMIC DELETE FROM own.t; END",
    ],
)
async def test_without_a_plan_the_transaction_holds_what_mariadb_alone_understands(
    server: DatabaseServer, sql: str
) -> None:
    await test_even_without_a_plan_the_transaction_holds(server, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id INTO @a FROM own.t LIMIT 1",
        "SELECT * FROM own.t LOCK IN SHARE MODE",
        "SELECT LOAD_FILE('/etc/passwd')",
    ],
)
async def test_what_does_run_has_no_effect(server: DatabaseServer, sql: str) -> None:
    before = state(server)
    async with database_over(server, user="anything") as database:
        result = await unchecked(database, sql)
        assert "root:" not in str(result.rows)
        assert await asyncio.to_thread(server.sql, "UPDATE own.t SET v = v") == []  # no lock is left
    assert state(server) == before


async def test_a_time_limit_taken_off_by_the_statement_is_kept_from_here(server: DatabaseServer) -> None:
    sql, is_select = {
        "mariadb": ("SET STATEMENT max_statement_time = 0 FOR SELECT SLEEP(60)", False),
        "mysql": ("SELECT /*+ MAX_EXECUTION_TIME(60000) */ SLEEP(60)", True),
    }[kind_of(server)]
    async with database_over(server, user="anything") as database:
        began = time.monotonic()
        with pytest.raises(TimedOut, match=r"longer than 0\.4 s and was stopped"):
            await unchecked(database, sql, is_select=is_select)
        assert time.monotonic() - began < 1.5
        running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'"
        await until(lambda: server.sql(running) == [["0"]])


async def test_a_session_takes_one_statement_at_a_time(server: DatabaseServer) -> None:
    async with database_over(server, user="anything") as database:
        with pytest.raises(QueryFailed, match="1064"):
            await database.fetch("test", "SELECT 1 AS one; SELECT 2 AS two")
