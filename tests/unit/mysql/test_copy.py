"""A replica is provisioned from a primary that is written to: whole, over TLS, safe wherever it is interrupted."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pymysql
import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import copy, copy_stream
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy import Host, provide_copy
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_backup import BackupCopy, state_with
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_places import Places, alone
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_send import send
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.copy_stream import Identity, Receiver
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, TopologyError

from tests.support.binaries import free_port
from tests.support.certificates import Authority
from tests.unit.mysql.conftest import Node, only_mariadb, only_mysql

Start = Callable[[int], Node]


class InterruptedRun(BaseException):
    """The run ends here, as by a power cut: nothing that follows is done."""


@dataclass
class Process:
    """The server's process in systemd's place."""

    node: Node

    def stop(self) -> None:
        self.node.server.stop()

    def start(self) -> None:
        if self.node.server.process.poll() is not None:
            try:
                self.node.server.restart()
            except RuntimeError as error:
                raise DatabaseError(str(error)) from error


@dataclass
class Pair:
    """A primary that is written to, and a host that is to be its replica."""

    primary: Node
    replica: Node
    authority: Authority
    port: int = field(default_factory=free_port)
    sender_error: str = ""
    replace: list[str] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return Places.beside(f"{self.replica.server.directory}/data")

    def host(self) -> Host:
        return Host(
            self.replica.name,
            self.replica.address,
            self.port,
            self.replica.socket,
            Process(self.replica),
            self.identity(self.replica.name),
        )

    def identity(self, name: str) -> Identity:
        folder = self.authority.ca.parent
        return Identity(str(self.authority.ca), str(folder / f"{name}.crt"), str(folder / f"{name}.key"))

    def copy(
        self,
        progress: Callable[[str], None] = lambda _: None,
        *,
        dry: bool = False,
        sender: bool = True,
        timeout: float = 20,
        saved: list[str] | None = None,
    ) -> list[str]:
        with self.sending() if sender and not dry else contextlib.nullcontext():
            return provide_copy(
                self.host(), self.primary.as_primary(), self.replace, timeout, dry=dry, progress=progress, saved=saved
            )

    @contextlib.contextmanager
    def sending(self, name: str = "") -> Iterator[None]:
        """Have the primary send, by the certificate of `name`."""
        self.sender_error = ""
        thread = threading.Thread(target=self._send, args=(name or self.primary.name,))
        thread.start()
        try:
            yield
        finally:
            thread.join(30)
            assert not thread.is_alive()

    def _send(self, name: str) -> None:
        try:
            with self.primary.connect() as server:
                to = (self.replica.address, self.port)
                send(server, self.primary.flavor, self.primary.socket, to, self.identity(name), patience=6)
        except DatabaseError as error:
            self.sender_error = str(error)

    def check(self) -> None:
        """The replica follows and has exactly the primary's rows; nothing is left of the copying."""
        self.primary.server.sql("INSERT INTO world.t (id) SELECT MAX(id) + 1 FROM world.t")
        self.replica.wait_for(self.primary)
        state = self.replica.member().state
        assert state is not None and state.replication is not None and state.replication.healthy and state.read_only
        rows = "SELECT COUNT(*), SUM(id), (SELECT COUNT(*) FROM world.other) FROM world.t"
        assert self.replica.server.sql(rows) == self.primary.server.sql(rows)
        assert sorted(path.name for path in self.replica.server.directory.iterdir() if path.is_dir()) == ["data", "tmp"]
        assert not self.places.unfinished


@pytest.fixture
def pair(node: Start, authority: Authority) -> Pair:
    """Give a primary that held data before it was taken over, and a fresh server."""
    one, two = node(1), node(2)
    # The one kind of copy brings tables of every engine, the other one refuses (see below).
    engine = {"mariadb": "Aria", "mysql": "InnoDB"}[one.flavor.name]
    rows = ",".join(f"({number}, REPEAT('x', 200))" for number in range(1, 20_001))
    one.aside(
        "SET sql_log_bin = 0; CREATE DATABASE world; USE world; CREATE TABLE t (id INT PRIMARY KEY, pad VARCHAR(200));"
        f"INSERT INTO t VALUES {rows};"
        f"CREATE TABLE world.other (id INT) ENGINE={engine}; INSERT INTO world.other VALUES (1), (2)"
    )
    one.bootstrap()
    return Pair(one, two, authority)


@contextlib.contextmanager
def writing(node: Node) -> Iterator[list[float]]:
    """Insert rows one after the other, and give the moments when each was acknowledged."""
    acknowledged: list[float] = []
    ends = threading.Event()

    def write() -> None:
        with pymysql.connect(unix_socket=node.socket, user="root", autocommit=True) as session:
            cursor = session.cursor()
            number = 1_000_000
            while not ends.is_set():
                number += 1
                cursor.execute(f"INSERT INTO world.t VALUES ({number}, 'load')")
                acknowledged.append(time.monotonic())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield acknowledged
    finally:
        ends.set()
        writer.join(30)
        assert not writer.is_alive()


def data_of(node: Node) -> str:
    return node.server.sql("SELECT GROUP_CONCAT(SCHEMA_NAME ORDER BY 1) FROM information_schema.SCHEMATA")[0][0]


def purge(node: Node) -> None:
    """Leave the primary with binary logs that don't reach back to the beginning."""
    until = time.monotonic() + 20
    while "000001" in node.server.sql("SHOW BINARY LOGS")[0][0]:  # kept until the storage engine has checkpointed
        assert time.monotonic() < until
        node.server.sql("FLUSH BINARY LOGS")
        node.server.sql(f"PURGE BINARY LOGS TO '{node.server.sql('SHOW BINARY LOGS')[-1][0]}'")
        time.sleep(0.1)


def test_a_fresh_server_gets_a_copy_while_the_primary_is_written_to(
    pair: Pair, node: Start, record_property: Callable[[str, object], None]
) -> None:
    foretold = pair.copy(dry=True)
    assert foretold == [
        "replace the data by a copy of db1's: db1 held data before it was taken over, which its binary logs do not "
        "tell of"
    ]
    assert not pair.places.unfinished and "world" not in data_of(pair.replica)

    with writing(pair.primary) as acknowledged:
        while len(acknowledged) < 100:
            time.sleep(0.01)
        assert pair.copy() == foretold
        assert pair.sender_error == ""
    pauses = [later - earlier for earlier, later in itertools.pairwise(acknowledged)]
    record_property(
        "figure", f"a replica's copy under load: longest pause {max(pauses):.2f} s between {len(acknowledged)} rows"
    )
    pair.check()
    assert pair.copy(sender=False) == []

    # Its binary logs begin where the copy did, so as a primary it promises nobody what they don't hold.
    three = node(3)
    pair.primary.server.sql("SET GLOBAL read_only = 1")
    pair.replica.wait_for(pair.primary)
    pair.replica.server.sql(
        "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = 0; INSERT INTO world.t VALUES (0, '')"
    )
    with pytest.raises(TopologyError, match="the binary logs of db2 begin at "):
        three.follow(pair.replica)
    pair.primary.follow(pair.replica)
    pair.primary.wait_for(pair.replica)
    later = Pair(pair.replica, three, pair.authority)
    assert "the binary logs of db2 begin at " in later.copy()[0]
    later.check()
    # What the first primary wrote is known to the newest one: neither it nor the others hold anything errant.
    state, there = pair.primary.member().state, three.member().state
    assert state is not None and there is not None
    assert three.flavor.errant_transactions(state, there) == []


def test_a_replica_that_was_away_too_long_gets_a_copy(pair: Pair) -> None:
    pair.copy()
    pair.replica.server.stop()
    pair.primary.server.sql("INSERT INTO world.t VALUES (0, '')")
    pair.primary.server.sql("FLUSH BINARY LOGS; INSERT INTO world.t VALUES (-1, '')")
    until = time.monotonic() + 20
    while len(pair.primary.server.sql("SHOW BINARY LOGS")) > 1:
        assert time.monotonic() < until
        pair.primary.server.sql("FLUSH BINARY LOGS")
        pair.primary.server.sql(f"PURGE BINARY LOGS TO '{pair.primary.server.sql('SHOW BINARY LOGS')[-1][0]}'")
        time.sleep(0.1)
    pair.replica.server.restart()
    while (state := pair.replica.member().state) is None or state.replication is None or not state.replication.error:
        assert time.monotonic() < until + 20
        time.sleep(0.1)
    assert "the binary logs of db1 begin at " in pair.copy()[0]
    pair.check()


STEPS = ["receive", "prepare", "stop", "exchange", "keep", "start", "follow"]


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_run_is_run_again(pair: Pair, step: str) -> None:
    seen: list[str] = []

    def interrupt(at: str) -> None:
        seen.append(at)
        if at == step:
            raise InterruptedRun

    with pytest.raises(InterruptedRun):
        pair.copy(interrupt)
    assert seen == STEPS[: STEPS.index(step) + 1]
    assert pair.places.unfinished is (step != "receive")
    pair.primary.server.sql("INSERT INTO world.t VALUES (0, 'meanwhile')")

    seen.clear()
    whole = STEPS.index(step) > STEPS.index("prepare")
    assert pair.copy(seen.append, sender=not whole)
    assert ("receive" in seen) is not whole
    pair.check()
    assert pair.copy(sender=False) == []


def test_a_run_that_was_interrupted_before_it_had_cleared_up_is_finished(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(directory: Path) -> None:
        if directory == pair.places.before:
            raise InterruptedRun

    with monkeypatch.context() as patch, pytest.raises(InterruptedRun):
        patch.setattr(copy, "remove", end)
        pair.copy()
    assert pair.places.before.exists()
    assert pair.copy(dry=True) == ["finish the copy that was begun"]
    assert pair.copy(sender=False) == ["finish the copy that was begun"]
    pair.check()


def test_an_old_copy_that_the_logs_do_not_reach_any_more_is_not_used(pair: Pair) -> None:
    def interrupt(at: str) -> None:
        if at == "stop":
            raise InterruptedRun

    with pytest.raises(InterruptedRun):
        pair.copy(interrupt)
    pair.primary.server.sql("INSERT INTO world.t VALUES (0, 'meanwhile')")
    purge(pair.primary)
    seen: list[str] = []
    pair.copy(seen.append)
    assert seen[:2] == ["discard", "receive"]
    pair.check()


def test_a_server_that_does_not_come_up_with_the_copy_gets_its_own_data_back(pair: Pair) -> None:
    pair.replica.aside("SET sql_log_bin = 0; CREATE DATABASE mine")

    def spoil(at: str) -> None:
        if at == "exchange":
            (pair.places.incoming / "ibdata1").write_bytes(b"\0" * 4096)

    with pytest.raises(DatabaseError, match="db2 does not run with the copy, so it runs with what it had before"):
        pair.copy(spoil)
    assert "mine" in data_of(pair.replica) and "world" not in data_of(pair.replica)
    assert not pair.places.unfinished
    pair.copy()
    pair.check()


def test_a_server_with_transactions_of_its_own_is_replaced_only_by_name(pair: Pair) -> None:
    pair.replica.aside("CREATE DATABASE mine; CREATE TABLE mine.t (id INT)")
    own = pair.replica.transactions(2)
    for dry in (True, False):
        with pytest.raises(TopologyError, match=f"transactions that the primary db1 lacks: {own}.*mysql_replace_data"):
            pair.copy(dry=dry, sender=False)
    assert "mine" in data_of(pair.replica) and not pair.places.unfinished
    pair.replace = ["db3"]
    with pytest.raises(TopologyError, match="It was left as it is"):
        pair.copy(sender=False)
    pair.replace = ["db2"]
    assert "it holds transactions" in pair.copy()[0]
    assert "mine" not in data_of(pair.replica)
    pair.check()
    assert pair.copy(sender=False) == []  # the name may stay in the inventory


@only_mariadb
def test_transactions_that_were_not_saved_are_kept_even_where_the_host_is_named(pair: Pair) -> None:
    pair.replica.server.sql("CREATE DATABASE mine; CREATE TABLE mine.t (id INT)")
    pair.replace = ["db2"]
    with pytest.raises(TopologyError, match=r"db2 holds transactions that came after what it held was saved: 0-2-2\."):
        pair.copy(sender=False, saved=["0-2-1"])

    def write(at: str) -> None:
        if at == "prepare":
            pair.replica.server.sql("INSERT INTO mine.t VALUES (1)")

    with pytest.raises(TopologyError, match=r"came after what it held was saved: 0-2-3\."):
        pair.copy(write, saved=["0-2-2"])
    assert "mine" in data_of(pair.replica)
    pair.copy(saved=["0-2-3"])
    pair.check()


def test_tables_that_were_never_replicated_are_replaced_only_by_name(pair: Pair) -> None:
    pair.replica.aside("SET sql_log_bin = 0; CREATE DATABASE mine; CREATE TABLE mine.t (id INT)")
    with pytest.raises(TopologyError, match=r"db2 holds tables that never were replicated: mine \(1\)"):
        pair.copy(sender=False)
    assert "mine" in data_of(pair.replica)


def test_a_replica_that_broke_is_replaced_only_by_name(pair: Pair) -> None:
    pair.copy()
    pair.replica.aside("SET sql_log_bin = 0; INSERT INTO world.t VALUES (0, 'differs')")
    pair.primary.server.sql("INSERT INTO world.t VALUES (0, '')")
    until = time.monotonic() + 20
    while "Duplicate entry" not in str(pair.replica.member().state):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert pair.copy(sender=False) == []
    pair.replace = ["db2"]
    assert "it can't apply what db1 sends (" in pair.copy()[0]
    pair.check()
    pair.replica.server.sql("STOP REPLICA")  # on purpose, so nothing is broken
    assert pair.copy(sender=False) == []


def test_transactions_that_come_while_it_copies_are_kept(pair: Pair) -> None:
    def write(at: str) -> None:
        if at == "prepare":
            pair.replica.aside("CREATE DATABASE mine")

    own = pair.replica.transactions(1)
    with pytest.raises(TopologyError, match=f"db2 holds transactions that the primary db1 lacks: {own}, by now"):
        pair.copy(write)
    assert "mine" in data_of(pair.replica)


def test_without_room_nothing_is_changed_and_no_backup_begins(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 << 20))
    with pytest.raises(DatabaseError, match=r"a copy of \d+ MiB needs \d+ MiB beside .*, where 100 MiB are free"):
        pair.copy()
    assert "takes no copy" in pair.sender_error
    assert not pair.places.unfinished
    pair.replica.server.sql("SELECT 1")


@only_mariadb
def test_a_primary_of_a_newer_release_is_refused(pair: Pair) -> None:
    pair.primary.server.stop()
    pair.primary.server.arguments = [*pair.primary.server.arguments, "--version=12.3.1-MariaDB", "--read-only=OFF"]
    pair.primary.server.restart()
    with pytest.raises(TopologyError, match=r"db2 needs a copy .* 12\.3\.1-MariaDB.*Upgrade db2 first"):
        pair.copy(sender=False)


@only_mariadb
def test_a_backup_that_fails_leaves_the_replica_as_it_was(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "mariadb-backup"
    real = shutil.which("mariadb-backup")
    broken.write_text(f'#!/bin/sh\n{real} "$@"\necho "no space left" >&2\nexit 1\n')
    broken.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with pytest.raises(DatabaseError, match="(?s)mariadb-backup failed on the primary: .*no space left"):
            pair.copy()
    assert not pair.places.unfinished and "world" not in data_of(pair.replica)
    pair.copy()
    pair.check()


@only_mariadb
def test_a_stream_that_breaks_off_is_no_copy(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: object, stream: ssl.SSLSocket, __: str) -> int:
        stream.sendall(copy_stream.LENGTH.pack(5) + b"XBSTC"[:3])
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(BackupCopy, "send", end)
        with pytest.raises(DatabaseError, match="the copy broke off after 0 bytes"):
            pair.copy()
    assert not pair.places.unfinished


def test_only_the_primary_is_taken_from_and_only_the_replica_is_given_to(pair: Pair) -> None:
    pair.authority.issue("app1", ("127.0.4.77",))

    # Somebody else of the same authority offers data.
    with (
        Receiver("127.0.4.2", pair.port, "127.0.4.1", pair.identity("db2")) as receiver,
        pair.sending("app1"),
        pytest.raises(DatabaseError, match=r"did not come .*certificate is not made out to 127\.0\.4\.1"),
    ):
        receiver.offer(2)
    assert "was offered a copy, and went away" in pair.sender_error

    # Somebody else waits at the replica's address.
    with (
        Receiver("127.0.4.2", pair.port, "127.0.4.1", pair.identity("app1")) as receiver,
        pair.sending(),
        pytest.raises(DatabaseError, match="did not come"),
    ):
        receiver.offer(2)
    assert "certificate verify failed" in pair.sender_error


def test_writes_that_wait_for_a_replica_do_not_keep_it_from_coming(pair: Pair) -> None:
    pair.primary.set_semi_sync(on=True)
    stuck = threading.Thread(target=pair.primary.server.sql, args=("INSERT INTO world.t VALUES (0, 'stuck')",))
    stuck.start()
    time.sleep(0.3)
    assert stuck.is_alive()
    pair.copy()
    stuck.join(5)
    assert not stuck.is_alive()
    assert pair.primary.await_replicas() == ["let writes wait until a replica has them"]
    pair.check()


def test_writes_wait_again_as_soon_as_a_replica_is_back_while_another_is_copied_to(pair: Pair) -> None:
    pair.copy()
    pair.replica.server.sql("STOP REPLICA")
    pair.primary.set_semi_sync(on=True)
    # MySQL sees only by a write that a replica has gone.
    stuck = threading.Thread(target=pair.primary.server.sql, args=("INSERT INTO world.t VALUES (30001, 'stuck')",))
    stuck.start()
    with pair.primary.connect() as server:
        until = time.monotonic() + 15
        while pair.primary.flavor.state(server).semi_sync_replicas:
            assert time.monotonic() < until
            time.sleep(0.1)
        with pair.sending(), Receiver("127.0.4.2", pair.port, "127.0.4.1", pair.identity("db2")) as receiver:
            receiver.offer(10)
            assert receiver.stream is not None
            copy_stream.send_message(receiver.stream, {"refused": ""})
            while pair.primary.flavor.state(server).semi_sync:
                assert time.monotonic() < until
                time.sleep(0.05)
            stuck.join(5)
            assert not stuck.is_alive()
            pair.primary.server.sql("INSERT INTO world.t VALUES (30002, 'on this host only')")
            pair.replica.server.sql("START REPLICA")
            while not pair.primary.flavor.state(server).semi_sync:
                assert time.monotonic() < until + 15
                time.sleep(0.05)
            assert pair.sender_error == ""
            pair.primary.server.sql("INSERT INTO world.t VALUES (30003, 'on both')")
        assert pair.sender_error
        assert pair.primary.flavor.state(server).semi_sync
    pair.check()


@only_mariadb
def test_a_replica_that_freezes_while_it_receives_is_given_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_stream, "_SEND_PATIENCE", 2.0)
    pair.primary.set_semi_sync(on=True)
    with Receiver("127.0.4.2", pair.port, "127.0.4.1", pair.identity("db2")) as receiver, pair.sending():
        receiver.offer(10)
        assert receiver.stream is not None
        copy_stream.send_message(receiver.stream, {"refused": ""})
        until = time.monotonic() + 25
        while not pair.sender_error and time.monotonic() < until:
            time.sleep(0.1)
    assert "the other side takes nothing more" in pair.sender_error
    # The backup has ended, and the primary is as it was: writes wait for a replica.
    sessions = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID != CONNECTION_ID() AND COMMAND != 'Daemon'"
    while pair.primary.server.sql(sessions) != [["0"]]:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert pair.primary.server.sql("SELECT @@rpl_semi_sync_master_enabled") == [["1"]]


@only_mysql
def test_tables_that_the_copy_would_leave_empty_are_named(pair: Pair) -> None:
    pair.primary.server.sql("CREATE TABLE world.old (id INT) ENGINE=MyISAM; INSERT INTO world.old VALUES (1)")
    with pytest.raises(DatabaseError, match=r"a copy of db1 would lack the rows of world\.old, which are no InnoDB"):
        pair.copy()
    assert "takes no copy" in pair.sender_error
    assert not pair.places.unfinished and "world" not in data_of(pair.replica)
    pair.primary.server.sql("ALTER TABLE world.old ENGINE=InnoDB")
    pair.copy()
    pair.check()
    assert pair.replica.server.sql("SELECT id FROM world.old") == [["1"]]


@only_mysql
def test_the_clone_of_an_interrupted_run_is_ended(pair: Pair, tmp_path: Path) -> None:
    one, two = pair.primary, pair.replica
    donor = f"{one.address}:{one.server.port}"
    two.server.sql(f"SET GLOBAL clone_valid_donor_list = '{donor}'; SET GLOBAL clone_max_data_bandwidth = 1")
    statement = (
        f"CLONE INSTANCE FROM 'replication'@'{one.address}':{one.server.port} IDENTIFIED BY 'secret-r' "
        f"DATA DIRECTORY = '{tmp_path}/left' REQUIRE SSL"
    )
    first: list[str] = []

    def clone() -> None:
        try:
            two.server.sql(statement)
        except RuntimeError as error:
            first.append(str(error))
        two.server.sql("SET GLOBAL clone_max_data_bandwidth = 0")

    thread = threading.Thread(target=clone)
    thread.start()
    until = time.monotonic() + 20
    while two.server.sql("SELECT STATE FROM performance_schema.clone_status") != [["In Progress"]]:
        assert time.monotonic() < until
        time.sleep(0.1)
    pair.copy()
    thread.join(20)
    assert not thread.is_alive() and first
    pair.check()


@only_mysql
def test_the_password_stays_out_of_the_servers_logs(pair: Pair) -> None:
    two = pair.replica.server
    log = two.directory / "general.log"
    two.sql(f"SET GLOBAL general_log_file = '{log}'; SET GLOBAL general_log = 1")
    pair.copy()
    assert "CLONE INSTANCE FROM" in log.read_text()
    assert [path for path in (log, two.log) if "secret-r" in path.read_text()] == []


def test_a_read_only_server_sends_nothing(pair: Pair) -> None:
    pair.primary.server.sql("SET GLOBAL read_only = 1")
    with pair.sending():
        pass
    assert "is not the primary (by now), so nothing was sent" in pair.sender_error
    with pytest.raises(TopologyError, match="db1 is read-only, so it is not the primary"):
        pair.copy(sender=False)


def test_a_second_run_at_the_same_time_is_refused(pair: Pair) -> None:
    with alone(pair.places.data), pytest.raises(DatabaseError, match="another run copies to"):
        pair.copy(sender=False)


def test_the_new_binary_log_begins_with_the_whole_history() -> None:
    assert state_with("0-1-400,0-2-480", "0-2-500") == "0-1-400,0-2-500"
    assert state_with("0-2-480,0-1-500,1-7-3", "0-1-510,1-7-3") == "0-2-480,0-1-510,1-7-3"
    assert state_with("", "0-1-5") == "0-1-5"
