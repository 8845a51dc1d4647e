"""migrate-db on real servers: up, down, side by side, killed in the middle, with few rights."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml

from tests.support.binaries import free_port
from tests.support.certificates import Authority
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS, both_kinds, kind_of
from trinitycore_mcp import cli
from trinitycore_mcp.config_load import load
from trinitycore_mcp.store import connect, migrate

_numbers = itertools.count(1)
COLUMNS = {
    "alembic_version": {"version_num": "varchar(32)"},
    "api_keys": {
        "id": "int(11)", "name": "varchar(64)", "sha256": "char(64)", "scopes": "varchar(255)",
        "expires_at": "datetime", "rate_requests": "int(11)", "rate_period_s": "double", "rate_burst": "int(11)",
        "created_at": "datetime", "revoked_at": "datetime", "last_used_at": "datetime",
    },
    "audit": {
        "id": "bigint(20)", "at": "datetime(6)", "instance": "varchar(64)", "principal": "varchar(128)",
        "auth_method": "varchar(16)", "tool": "varchar(64)", "arguments": "text", "outcome": "varchar(32)",
        "duration_ms": "double", "trace_id": "char(32)",
    },
    "backup_runs": {
        "id": "bigint(20)", "started_at": "datetime(6)", "finished_at": "datetime(6)", "kind": "varchar(32)",
        "outcome": "varchar(32)", "file": "varchar(512)", "bytes": "bigint(20)", "sha256": "char(64)",
        "detail": "text",
    },
    "fencing": {"name": "varchar(64)", "token": "bigint(20)"},
}  # fmt: skip


@dataclass
class Own:
    """Our own database on a server, and the account that has rights on nothing else."""

    server: DatabaseServer
    name: str
    config: Path

    def write(self, *hosts: int, **database: Any) -> None:
        """Write the configuration for hosts on these ports."""
        section = {
            "hosts": [{"host": "127.0.0.1", "port": port} for port in hosts],
            "databases": {"mcp": self.name},
            "writer": {"user": self.name, "password_file": "password"},
            "pool": {"connect_timeout": 1},
            **database,
        }
        self.config.write_text(yaml.safe_dump({"database": section}))

    def run(self, *options: str) -> int:
        return cli.main(["migrate-db", "--config", str(self.config), *options])

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "trinitycore_mcp", "migrate-db", "--config", str(self.config), *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def tables(self) -> dict[str, dict[str, str]]:
        """Return table to column to type, in MariaDB's words: MySQL shows no widths of integers."""
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.server.sql(
            "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS "
            f"WHERE TABLE_SCHEMA = '{self.name}' ORDER BY TABLE_NAME, ORDINAL_POSITION"
        ):
            found.setdefault(table, {})[column] = {"int": "int(11)", "bigint": "bigint(20)"}.get(kind, kind)
        return found

    def wait_for_statement(self, count: int, like: str) -> list[str]:
        """Wait until as many sessions of the account run such a statement, and return their ids."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            rows = self.server.sql(
                "SELECT ID FROM information_schema.PROCESSLIST "
                f"WHERE USER = '{self.name}' AND INFO LIKE '{like}' "
                "AND STATE IN ('User lock', 'Waiting for table metadata lock')"
            )
            if len(rows) == count:
                return [row[0] for row in rows]
            time.sleep(0.02)
        raise TimeoutError(f"no {count} sessions run {like}: {self.server.sql('SHOW FULL PROCESSLIST')}")


@pytest.fixture(scope="module", params=both_kinds("migrate"))
def database_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DatabaseServer]:
    with SERVERS[request.param].start(tmp_path_factory.mktemp("db")) as running:
        yield running


@pytest.fixture
def own(database_server: DatabaseServer, tmp_path: Path) -> Iterator[Own]:
    name = f"own{next(_numbers)}_{os.getpid()}"
    database_server.account(name, "p", f"ALL PRIVILEGES ON `{name}`.*")
    (tmp_path / "password").write_text("p\n")
    here = Own(database_server, name, tmp_path / "config.yml")
    here.write(database_server.port)
    yield here
    database_server.sql(f"DROP DATABASE IF EXISTS `{name}`; DROP USER '{name}'@'%'")


@contextmanager
def holding(server: DatabaseServer, statement: str) -> Iterator[None]:
    """Keep what a statement locks until the context ends."""
    session = pymysql.connect(unix_socket=server.socket, user="root")
    try:
        with session.cursor() as cursor:
            cursor.execute(statement)
        yield
    finally:
        session.close()


Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Return what was printed since the last time."""

    def read() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    return read


def test_up_down_and_up_again(own: Own, said: Said) -> None:
    assert own.run("--check") == 3
    assert said() == "pending: 0001, 0002, 0003, 0004\n"
    assert own.run() == 0
    assert said() == "changed: base -> 0004\n"
    assert own.tables() == COLUMNS
    assert own.run() == 0
    assert said() == "unchanged: 0004\n"
    assert own.run("--check") == 0
    assert said() == "up to date\n"
    assert own.run("--check", "--to", "0002") == 3
    assert said() == "pending: 0004, 0003\n"
    assert own.run("--to", "0002") == 0
    assert said() == "changed: 0004 -> 0002\n"
    assert set(own.tables()) == {"alembic_version", "api_keys", "audit"}
    assert own.run("--to", "base") == 0
    assert said() == "changed: 0002 -> base\n"
    assert set(own.tables()) == {"alembic_version"}
    assert own.run("--to", "0001") == 0
    assert own.run() == 0
    assert own.tables() == COLUMNS


def test_tables_are_innodb_in_utf8_with_their_indexes(own: Own) -> None:
    assert own.run() == 0
    rows = own.server.sql(
        "SELECT TABLE_NAME, ENGINE, TABLE_COLLATION FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA = '{own.name}' AND TABLE_NAME <> 'alembic_version'"
    )
    assert {(engine, collation) for _, engine, collation in rows} == {("InnoDB", "utf8mb4_bin")}
    indexes = own.server.sql(
        "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE FROM information_schema.STATISTICS "
        f"WHERE TABLE_SCHEMA = '{own.name}' AND INDEX_NAME <> 'PRIMARY' ORDER BY 1, 2"
    )
    assert indexes == [
        ["api_keys", "name", "0"],
        ["api_keys", "sha256", "0"],
        ["audit", "at", "1"],
        ["backup_runs", "started_at", "1"],
    ]


def test_two_runs_at_once_wait_for_one_another(own: Own) -> None:
    # Held until both runs stand before it.
    with holding(own.server, f"SELECT GET_LOCK('{migrate.lock_name(own.name)}', 0)"):
        runs = [own.start() for _ in range(2)]
        own.wait_for_statement(2, "SELECT GET_LOCK%")
    printed = []
    for run in runs:
        out, err = run.communicate(timeout=30)
        assert (run.returncode, err) == (0, "")
        printed.append(out)
    assert sorted(printed) == ["changed: base -> 0004\n", "unchanged: 0004\n"]
    assert own.tables() == COLUMNS


def test_a_run_that_waits_too_long_for_another_says_so(own: Own, said: Said) -> None:
    with holding(own.server, f"SELECT GET_LOCK('{migrate.lock_name(own.name)}', 0)"):
        assert own.run("--wait", "0.2") == 2
    assert "another migration on 127.0.0.1" in said()
    assert own.tables() == {}


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_run_killed_in_the_middle_is_finished_by_the_next(own: Own, way: str) -> None:
    target = "head" if way == "up" else "base"
    assert own.run() == 0
    if way == "up":
        assert own.run("--to", "0001") == 0
    # The statement that changes the tables gets through, the note of it does not.
    with holding(own.server, f"LOCK TABLES `{own.name}`.alembic_version READ"):
        run = own.start("--to", target)
        [session] = own.wait_for_statement(1, "%alembic_version SET%")
        os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=10)
        own.server.sql(f"KILL {session}")
    assert own.server.sql(f"SELECT version_num FROM `{own.name}`.alembic_version") == [
        ["0001" if way == "up" else "0004"]
    ]
    undone = {"fencing", "backup_runs"} if way == "up" else {"backup_runs"}
    assert set(own.tables()) == set(COLUMNS) - undone
    assert own.run("--to", target) == 0
    assert own.tables() == (COLUMNS if way == "up" else {"alembic_version": COLUMNS["alembic_version"]})


def test_a_host_that_is_lost_in_the_middle_is_told_of(own: Own) -> None:
    assert own.run("--to", "0001") == 0
    with holding(own.server, f"LOCK TABLES `{own.name}`.alembic_version READ"):
        run = own.start()
        [session] = own.wait_for_statement(1, "%alembic_version SET%")
        own.server.sql(f"KILL {session}")
        out, err = run.communicate(timeout=10)
    assert (run.returncode, out) == (2, "")
    assert err.startswith(f"trinitycore-mcp: database 127.0.0.1:{own.server.port}, account {own.name}: ")
    assert err.count("\n") == 1
    assert own.run() == 0
    assert own.tables() == COLUMNS


def test_an_account_without_rights_is_told_what_it_lacks(own: Own, said: Said) -> None:
    own.server.sql(f"REVOKE ALL PRIVILEGES ON `{own.name}`.* FROM '{own.name}'@'%'")
    assert own.run() == 2
    message = said()
    assert f"database {own.name} is absent on 127.0.0.1:{own.server.port}" in message
    assert f"account {own.name} has no right on it" in message


def test_an_account_given_by_hand_takes_the_writer_s_place(own: Own, said: Said, tmp_path: Path) -> None:
    own.write(own.server.port, writer=None)
    assert own.run() == 2
    assert "database.writer: is missing" in said()
    assert own.run("--user", own.name, "--password-file", str(tmp_path / "password")) == 0
    assert own.tables() == COLUMNS
    (tmp_path / "wrong").write_text("hunter2")
    assert own.run("--user", own.name, "--password-file", str(tmp_path / "wrong")) == 2
    message = said()
    assert "Access denied" in message
    assert "hunter2" not in message


def test_a_database_of_a_newer_release_is_left_alone(own: Own, said: Said) -> None:
    assert own.run() == 0
    own.server.sql(f"UPDATE `{own.name}`.alembic_version SET version_num = '9999'")
    said()
    assert own.run() == 0
    message = said()
    assert "unchanged: 9999" in message
    assert "a newer one made it" in message
    assert own.run("--check") == 0
    assert own.run("--to", "0001") == 2
    assert own.run("--check", "--to", "0001") == 2
    assert own.tables() == COLUMNS


def test_an_unknown_revision_is_refused_with_those_that_exist(own: Own, said: Said) -> None:
    assert own.run("--to", "0099") == 2
    assert "'0099' is not allowed: allowed are head, base, 0001, 0002, 0003, 0004" in said()


def test_the_printed_statements_make_the_same_tables(own: Own, said: Said) -> None:
    assert own.run("--sql") == 0
    own.server.sql(said())
    assert own.tables() == COLUMNS
    assert own.run() == 0
    assert said() == "unchanged: 0004\n"


def test_the_writable_host_is_found_by_asking(own: Own, said: Said, tmp_path: Path) -> None:
    with SERVERS[kind_of(own.server)].start(tmp_path / "db", options={"read-only": "ON"}) as replica:
        replica.account(own.name, "p", f"ALL PRIVILEGES ON `{own.name}`.*")
        own.write(free_port(), replica.port, own.server.port)
        assert own.run() == 0
        assert own.tables() == COLUMNS
        assert Own(replica, own.name, own.config).tables() == {}

        own.write(replica.port)
        assert own.run("--wait", "0") == 2
        assert f"127.0.0.1:{replica.port}: read-only" in said()

        replica.sql("SET GLOBAL read_only = OFF")
        own.write(replica.port, own.server.port)
        assert own.run("--to", "base") == 2
        assert "more than one database host is writable" in said()
        assert own.tables() == COLUMNS


def test_the_connection_is_encrypted_and_checked_when_configured(own: Own, said: Said, tmp_path: Path) -> None:
    good, other = Authority(tmp_path / "good"), Authority(tmp_path / "other")
    pair = good.issue("db")
    options = {"ssl_cert": str(pair.certificate), "ssl_key": str(pair.key)}
    with SERVERS[kind_of(own.server)].start(tmp_path / "db", options=options) as server:
        server.account(own.name, "p", f"ALL PRIVILEGES ON `{own.name}`.*", require="SSL")
        own.write(server.port, tls={"ca_file": str(good.ca)})
        assert own.run() == 0
        connection = connect(load(own.config, {}, auth_needed=False))
        assert connection.fetch("SHOW STATUS LIKE 'Ssl_cipher'")[0]["Value"]
        connection.close()
        own.write(server.port, tls={"ca_file": str(other.ca)})
        assert own.run("--wait", "0") == 2
        assert "certificate verify failed" in said()
