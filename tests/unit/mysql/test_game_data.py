"""Dumps of the game's databases: looked through, loaded once, and never over something else."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import game_data, records, sql_file
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import Connection, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import detect

from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS
from tests.support.mysql import MySql, commands

NAMES = {"auth": "auth", "characters": "chars", "world": "world"}
DUMP = """-- MySQL dump 10.13  Distrib 8.4.3
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
DROP TABLE IF EXISTS `t`;
CREATE TABLE `t` (`id` int, `name` text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
INSERT INTO `t` VALUES
(1,'it\\'s utf8mb4_0900_ai_ci; USE mysql; -- no comment'),
(2,'two
lines, the second with CREATE DATABASE `x`');
-- Dump completed on 2026-01-01
"""


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    with SERVERS[request.param].start(tmp_path_factory.mktemp("g")) as started:
        started.sql("CREATE DATABASE mcp")
        yield started


@pytest.fixture
def session(server: DatabaseServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    if isinstance(server, MySql):
        monkeypatch.setenv("PATH", f"{commands()}:{os.environ['PATH']}")
    server.sql("DROP DATABASE IF EXISTS world; CREATE DATABASE world; DROP TABLE IF EXISTS mcp.deployment_record")
    with closing(open_local(server.socket)) as opened:
        yield opened


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def load(session: Connection, server: DatabaseServer, source: Path, *, replace: bool = False) -> list[str]:
    """Do what the module does, and return the databases that were loaded."""
    todo = game_data.plan(session, "mcp", game_data.find_dumps(str(source), NAMES), replace)
    folder = str(source if source.is_dir() else source.parent)
    for one in todo:
        game_data.carry_out(session, detect(session), "mcp", one, folder, server.socket)
    return [one.dump.database for one in todo]


@pytest.mark.parametrize("name", ["world.sql", "TDB_full_world_335.sql.gz"])
def test_a_dump_of_mysql_8_loads_once(session: Connection, server: DatabaseServer, tmp_path: Path, name: str) -> None:
    source = write(tmp_path / name, DUMP)
    assert load(session, server, source) == ["world"]
    rows = session.rows("SELECT id, name FROM world.t ORDER BY id")
    assert rows[0]["name"] == "it's utf8mb4_0900_ai_ci; USE mysql; -- no comment"
    assert rows[1]["name"] == "two\nlines, the second with CREATE DATABASE `x`"
    collation = "0900_ai_ci" if isinstance(server, MySql) else "uca1400_ai_ci"
    assert collation in str(session.row("SHOW TABLE STATUS FROM world"))
    assert load(session, server, source) == []
    session.execute("INSERT INTO world.t VALUES (3, 'by the game')")
    assert load(session, server, source, replace=True) == [], "the same dump is not loaded over later changes"


def test_what_the_operator_has_is_not_dropped(session: Connection, server: DatabaseServer, tmp_path: Path) -> None:
    session.execute("CREATE TABLE world.own (id INT)")
    session.execute("INSERT INTO world.own VALUES (7)")
    source = write(tmp_path / "world.sql", DUMP)
    with pytest.raises(DatabaseError, match="world holds 1 tables that we did not load; nothing is dropped"):
        load(session, server, source)
    assert session.value("SELECT id FROM world.own") == 7
    assert load(session, server, source, replace=True) == ["world"]
    assert [row["Tables_in_world"] for row in session.rows("SHOW TABLES FROM world")] == ["t"]


def test_another_dump_needs_to_be_told_to_replace(session: Connection, server: DatabaseServer, tmp_path: Path) -> None:
    load(session, server, write(tmp_path / "a" / "world.sql", DUMP))
    other = write(tmp_path / "b" / "world.sql", DUMP.replace("(1,", "(9,"))
    with pytest.raises(DatabaseError, match="world holds another dump"):
        load(session, server, other)
    assert load(session, server, other, replace=True) == ["world"]
    assert session.value("SELECT MAX(id) FROM world.t") == 9


def test_a_load_that_was_cut_off_is_repeated(session: Connection, server: DatabaseServer, tmp_path: Path) -> None:
    broken = DUMP.replace("-- Dump", "INSERT INTO missing VALUES (1);\n-- Dump")
    source = write(tmp_path / "world.sql", broken)
    with pytest.raises(DatabaseError, match="Table 'world.missing' doesn't exist"):
        load(session, server, source)
    record = records.read(session, "mcp", "game_data:world")
    assert record is not None and record["state"] == "loading"
    session.execute("CREATE TABLE world.missing (id INT)")  # stands for the reason going away
    with pytest.raises(DatabaseError, match="missing"):  # the database is emptied first: nothing is loaded twice
        load(session, server, source)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DUMP.replace("-- Dump completed on 2026-01-01\n", ""), "lacks the dump's closing line"),
        (DUMP.split("it\\'s", maxsplit=1)[0], "ends inside a string"),
        ("USE mysql;\n" + DUMP, "names a database of its own"),
        ("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `acore_world`;\n", "names a database of its own"),
        ("SELECT 1; use mysql;\n", "names a database of its own"),
        ("/* an open comment\n", "ends inside a comment"),
    ],
)
def test_a_bad_file_is_refused_before_anything_changes(
    session: Connection, server: DatabaseServer, tmp_path: Path, text: str, reason: str
) -> None:
    session.execute("CREATE TABLE world.own (id INT)")
    with pytest.raises(DatabaseError, match=reason):
        load(session, server, write(tmp_path / "world.sql", text), replace=True)
    assert session.value("SELECT COUNT(*) FROM world.own") == 0
    assert records.read(session, "mcp", "game_data:world") is None


def test_a_truncated_gzip_is_refused(session: Connection, server: DatabaseServer, tmp_path: Path) -> None:
    source = write(tmp_path / "world.sql.gz", DUMP)
    source.write_bytes(source.read_bytes()[:-20])
    with pytest.raises(DatabaseError, match="truncated or damaged"):
        load(session, server, source)


def test_client_commands_in_a_file_do_nothing(session: Connection, server: DatabaseServer, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    with pytest.raises(DatabaseError):
        load(session, server, write(tmp_path / "world.sql", f"\\! touch {trap}\n"))
    assert not trap.exists()


def test_files_find_their_databases(tmp_path: Path) -> None:
    for name in ("auth_database.sql.gz", "db_characters.sql", "world_1.sql", "world_2.sql"):
        write(tmp_path / name, f"SELECT '{name}';\n")
    dumps = {dump.database: dump for dump in game_data.find_dumps(str(tmp_path), NAMES)}
    assert {name: [Path(file).name for file in dump.files] for name, dump in dumps.items()} == {
        "auth": ["auth_database.sql.gz"],
        "chars": ["db_characters.sql"],
        "world": ["world_1.sql", "world_2.sql"],
    }
    before = dumps["world"].sha256
    write(tmp_path / "world_2.sql", "SELECT 'changed';\n")
    after = {dump.database: dump for dump in game_data.find_dumps(str(tmp_path), NAMES)}["world"].sha256
    assert before != after


@pytest.mark.parametrize("name", ["hello.sql", "auth_world.sql"])
def test_a_name_that_tells_no_database_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatabaseError, match="exactly one of auth, characters and world"):
        game_data.find_dumps(str(write(tmp_path / name, "")), NAMES)


def test_a_folder_without_dumps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no file ends in"):
        game_data.find_dumps(str(tmp_path), NAMES)


def test_collations_depend_on_the_server() -> None:
    listed = sql_file.collations(["utf8mb4_unicode_ci", "uca1400_ai_ci"])
    assert sql_file._relative(b"utf8mb4_0900_ai_ci", listed) == b"utf8mb4_uca1400_ai_ci"
    assert sql_file._relative(b"utf8mb4_0900_ai_ci", frozenset()) == b"utf8mb4_unicode_ci"
    assert sql_file._relative(b"utf8mb4_0900_ai_ci", frozenset({"utf8mb4_0900_ai_ci"})) == b"utf8mb4_0900_ai_ci"
