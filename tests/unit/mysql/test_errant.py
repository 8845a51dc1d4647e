"""What only one server holds is saved as SQL that does it again elsewhere; nothing of it is lost or merged silently."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errant import Saved, save
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, TopologyError

from tests.support.mysql import commands
from tests.unit.mysql.conftest import Node, only_mariadb, only_mysql
from tests.unit.mysql.moving import Cluster

Start = Callable[[int], Node]


def save_of(node: Node, primary: Node, directory: Path, *, dry: bool = False) -> Saved:
    with node.connect() as server:
        return save(server, node.name, primary.as_primary(), directory, dry)


def replay(node: Node, file: str | Path) -> None:
    """Send a file as the operator does."""
    with Path(file).open("rb") as sql:
        done = subprocess.run(node.server.command(), stdin=sql, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def pair(node: Start) -> tuple[Node, Node]:
    """Give a primary, and a replica that was written to by hand."""
    one, two = node(1), node(2)
    one.bootstrap()
    two.follow(one)
    one.server.sql("CREATE TABLE world.t (id INT PRIMARY KEY, word TEXT); INSERT INTO world.t VALUES (1, 'shared')")
    two.wait_for(one)
    return one, two


ASIDE = (
    "CREATE TABLE world.aside (id INT PRIMARY KEY, word VARCHAR(40) CHARACTER SET utf8mb4, at TIMESTAMP(6) NULL) "
    "COMMENT 'errant';"
    "INSERT INTO world.aside VALUES (1, 'one', NOW(6)), (2, 'zw\N{LATIN SMALL LETTER O WITH DIAERESIS}lf', NULL), "
    "(3, '-- transaction 9-9-9', NULL);"
    "UPDATE world.aside SET word = CONCAT(word, '!') WHERE id < 3; DELETE FROM world.aside WHERE id = 1;"
    "INSERT INTO world.t VALUES (77, 'aside');"
    "SET gtid_domain_id = 7; INSERT INTO world.aside VALUES (70, 'other domain', NULL);"
    "SET SESSION binlog_format = STATEMENT; SET @word = 'statement'; INSERT INTO world.aside VALUES (71, @word, NOW());"
    "SET gtid_domain_id = 0; CREATE TABLE world.old (id INT) ENGINE=MyISAM; INSERT INTO world.old VALUES (5)"
)


@only_mariadb
def test_exactly_those_are_saved_and_do_it_all_again_elsewhere(
    pair: tuple[Node, Node], node: Start, tmp_path: Path
) -> None:
    one, two = pair
    directory = tmp_path / "backups" / "errant"
    assert save_of(two, one, directory) == Saved()
    assert not directory.exists()

    two.server.sql(ASIDE)
    two.server.sql("FLUSH BINARY LOGS")
    two.server.sql("DELETE FROM world.old; INSERT INTO world.old VALUES (6)")
    foretold = save_of(two, one, directory, dry=True)
    assert not directory.exists()
    saved = save_of(two, one, directory)
    assert saved == foretold and saved.written
    assert [each.split("-")[:2] for each in saved.transactions] == [["0", "2"]] * 5 + [["7", "2"]] * 2 + [
        ["0", "2"]
    ] * 4
    assert saved.purged == []
    assert sorted(saved.last) == sorted([saved.transactions[6], saved.transactions[-1]])

    # For root only; readable; and it names its transactions.
    file = Path(saved.file)
    assert (file.stat().st_mode & 0o777, directory.stat().st_mode & 0o777) == (0o600, 0o700)
    text = file.read_text()
    assert "###   @2='one!'" in text and "CREATE TABLE world.aside" in text
    assert re.findall(r"^-- transaction (\S+)$", text, re.MULTILINE) == saved.transactions
    assert "shared" not in text, "what the primary has is not among it"

    # Once more changes nothing.
    before = (file.stat().st_ino, file.read_bytes())
    assert save_of(two, one, directory) == Saved(saved.transactions, [], saved.last, saved.file)
    two.server.sql("FLUSH BINARY LOGS")
    two.server.stop()
    two.server.restart()
    assert save_of(two, one, directory) == Saved(saved.transactions, [], saved.last, saved.file)
    assert (file.stat().st_ino, file.read_bytes()) == before

    # In an empty server of the same name for things, and on the primary, as transactions of its own.
    three = node(3)
    three.server.sql("CREATE DATABASE world; CREATE TABLE world.t (id INT PRIMARY KEY, word TEXT)")
    for other in (three, one):
        replay(other, file)
        for table in ("aside", "old"):
            rows = f"SELECT * FROM world.{table} ORDER BY id"
            assert other.server.sql(rows) == two.server.sql(rows)
        assert other.server.sql("SELECT id FROM world.t WHERE word = 'aside'") == [["77"]]
        origins = {each.split("-")[1] for each in other.server.sql("SELECT @@gtid_binlog_state")[0][0].split(",")}
        assert origins == {str(other.server.sql("SELECT @@server_id")[0][0])}, "it would be ignored by its origin"


@only_mysql
def test_mysql_saves_them_too(
    pair: tuple[Node, Node], node: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{commands()}:{os.environ['PATH']}")
    one, two = pair
    assert save_of(two, one, tmp_path) == Saved()
    two.aside(
        "CREATE TABLE world.aside (id INT PRIMARY KEY, word VARCHAR(40));"
        "INSERT INTO world.aside VALUES (1, 'one'), (2, 'two'); FLUSH BINARY LOGS;"
        "UPDATE world.aside SET word = CONCAT(word, '!')"
    )
    foretold = save_of(two, one, tmp_path, dry=True)
    saved = save_of(two, one, tmp_path)
    assert saved == foretold and saved.written
    uuid = two.server.sql("SELECT @@server_uuid")[0][0]
    assert saved.transactions == [f"{uuid}:{number}" for number in (1, 2, 3)]
    assert saved.last == [f"{uuid}:1-3"]
    text = Path(saved.file).read_text()
    assert "###   @2='two!'" in text and "CREATE TABLE world.aside" in text and "shared" not in text
    two.server.sql("FLUSH BINARY LOGS")
    assert save_of(two, one, tmp_path) == Saved(saved.transactions, [], saved.last, saved.file)

    three = node(3)
    three.aside("CREATE DATABASE world; CREATE TABLE world.t (id INT PRIMARY KEY, word TEXT)")
    three.server.sql("SET GLOBAL read_only = 0")
    for other in (three, one):
        replay(other, saved.file)
        rows = "SELECT * FROM world.aside ORDER BY id"
        assert other.server.sql(rows) == two.server.sql(rows)
        own = other.server.sql("SELECT @@server_id")[0][0]
        events = other.server.sql("SHOW BINLOG EVENTS")
        assert {row[3] for row in events if row[2] in ("Query", "Write_rows", "Xid")} == {own}, "ignored by its origin"
        assert uuid not in other.server.position()

    # What is gone can't be saved.
    two.server.sql("FLUSH BINARY LOGS")
    two.server.sql(f"PURGE BINARY LOGS TO '{two.server.sql('SHOW BINARY LOGS')[1][0]}'")
    later = save_of(two, one, tmp_path)
    assert (later.transactions, later.purged) == ([f"{uuid}:3"], [f"{uuid}:1-2"])


@only_mariadb
def test_more_of_them_go_to_another_file(pair: tuple[Node, Node], tmp_path: Path) -> None:
    one, two = pair
    two.server.sql("INSERT INTO world.t VALUES (77, 'first')")
    first = save_of(two, one, tmp_path)
    text = Path(first.file).read_text()
    two.server.sql("INSERT INTO world.t VALUES (78, 'second')")
    second = save_of(two, one, tmp_path)
    assert second.file != first.file and Path(first.file).read_text() == text
    assert second.transactions[:-1] == first.transactions


@only_mariadb
def test_a_file_that_was_changed_is_not_taken_for_saved_and_not_overwritten(
    pair: tuple[Node, Node], tmp_path: Path
) -> None:
    one, two = pair
    two.server.sql("INSERT INTO world.t VALUES (77, 'aside')")
    file = Path(save_of(two, one, tmp_path).file)
    for content in (b"", file.read_bytes()[:-30], file.read_bytes().replace(b"'aside'", b"'other'")):
        file.write_bytes(content)
        with pytest.raises(DatabaseError, match="was changed since it was written.*nothing was overwritten"):
            save_of(two, one, tmp_path)
        assert file.read_bytes() == content


@only_mariadb
def test_a_disk_that_is_full_leaves_no_half_file(
    pair: tuple[Node, Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    two.server.sql("INSERT INTO world.t VALUES (77, 'aside')")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr("os.fsync", full)
        save_of(two, one, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "db2-0000.sql.new").touch()
    assert save_of(two, one, tmp_path).written


@only_mariadb
def test_what_the_binary_logs_no_longer_hold_is_named(pair: tuple[Node, Node], tmp_path: Path) -> None:
    one, two = pair
    for number in (77, 78, 79):
        two.server.sql(f"INSERT INTO world.t VALUES ({number}, 'aside'); FLUSH BINARY LOGS")
    logs = [row[0] for row in two.server.sql("SHOW BINARY LOGS")]
    until = time.monotonic() + 20
    while two.server.sql("SHOW BINARY LOGS")[0][0] == logs[0]:  # kept until the storage engine has checkpointed
        assert time.monotonic() < until
        two.server.sql(f"PURGE BINARY LOGS TO '{logs[2]}'")
        time.sleep(0.1)
    last = int(two.server.sql("SELECT @@gtid_binlog_pos")[0][0].split("-")[2])
    saved = save_of(two, one, tmp_path)
    # The primary has nothing of this server: whatever is before may be its own too.
    assert saved.purged == [f"0-2-1 to 0-2-{last - 1}"]
    assert saved.transactions == [f"0-2-{last}"]

    two.server.sql(f"FLUSH BINARY LOGS; PURGE BINARY LOGS TO '{logs[3]}'")
    while len(two.server.sql("SHOW BINARY LOGS")) > 1:
        assert time.monotonic() < until + 20
        two.server.sql("FLUSH BINARY LOGS")
        two.server.sql(f"PURGE BINARY LOGS TO '{two.server.sql('SHOW BINARY LOGS')[-1][0]}'")
        time.sleep(0.1)
    gone = save_of(two, one, tmp_path)
    assert (gone.transactions, gone.purged, gone.file) == ([], [f"0-2-1 to 0-2-{last}"], "")
    assert gone.last == [f"0-2-{last}"]


@only_mariadb
def test_commits_that_wait_for_a_replica_are_saved_while_they_do(cluster: Cluster, tmp_path: Path) -> None:
    """As on an old primary that was cut off and returns."""
    one, two, three = cluster
    one.wait_for(one)
    there = two.member().state
    assert there is not None
    for other in (two, three):
        other.server.freeze()
    write = threading.Thread(target=one.server.sql, args=("INSERT INTO world.t VALUES (5)",), daemon=True)
    write.start()
    try:
        deadline = time.monotonic() + 20
        while True:
            with one.connect() as server:
                if one.flavor.semi_sync(server).waiting:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with one.connect() as server:
            saved = save(server, "db1", two.as_primary(), tmp_path, False, there=there)
    finally:
        for other in (two, three):
            other.server.thaw()
        write.join(20)
    assert len(saved.transactions) == 1
    assert "###   @1=5" in Path(saved.file).read_text()


@only_mariadb
def test_who_is_not_the_primary_is_not_asked(pair: tuple[Node, Node], tmp_path: Path) -> None:
    one, two = pair
    two.server.sql("INSERT INTO world.t VALUES (77, 'aside')")
    one.server.sql("SET GLOBAL read_only = 1")
    with pytest.raises(TopologyError, match="db1 is read-only, so it is not the primary; nothing was saved"):
        save_of(two, one, tmp_path)
