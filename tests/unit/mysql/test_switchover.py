"""Another server becomes the primary while somebody writes; wherever it is interrupted, nothing is lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pymysql
import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, TopologyError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.switchover import Limits, Result, switch_over
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import decide

from tests.unit.mysql.conftest import Node

Start = Callable[[int], Node]
Cluster = list[Node]


@pytest.fixture
def cluster(node: Start) -> Cluster:
    """Give three servers: db1 is the primary, a table to write is there."""
    nodes = [node(number) for number in (1, 2, 3)]
    nodes[0].bootstrap(semi_sync=True, first=True)
    for other in nodes[1:]:
        other.follow(nodes[0])
    nodes[0].await_replicas()
    nodes[0].server.sql("CREATE TABLE world.t (id INT PRIMARY KEY) ENGINE=InnoDB; CREATE USER writer@'%'")
    nodes[0].server.sql("GRANT SELECT, INSERT ON world.* TO writer@'%'")
    for other in nodes[1:]:
        other.wait_for(nodes[0])
    return nodes


def move(cluster: Cluster, target: str, *, dry: bool = False, **limits: float) -> Result:
    return switch_over(
        [each.as_server() for each in cluster],
        target,
        Limits(**{"settle": 15.0, **limits}),  # type: ignore[arg-type]  # the names are the test's
        dry=dry,
        semi_sync=True,
    )


class Writer:
    """Inserts numbered rows into whichever server takes them, as fast as it is told that they are there."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: list[int] = []
        self.unknown: set[int] = set()
        """Rows whose connection was lost before anybody said what became of them."""
        self.longest_pause = 0.0

    def _run(self) -> None:
        number, last, connection = 0, time.monotonic(), None
        while not self._done.is_set():
            number += 1
            while not self._done.is_set():
                try:
                    connection = connection or self._connect()
                    connection.cursor().execute("INSERT INTO world.t VALUES (%s)", [number])
                except pymysql.err.MySQLError as error:
                    if error.args[0] in (2006, 2013):
                        self.unknown.add(number)
                        number += 1
                    connection = None
                    time.sleep(0.01)
                else:
                    self.acknowledged.append(number)
                    self.longest_pause = max(self.longest_pause, time.monotonic() - last)
                    last = time.monotonic()
                    break

    def _connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        for each in self._cluster:
            socket = each.socket
            connection = pymysql.connect(unix_socket=socket, user="writer", autocommit=True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT @@read_only")
                if cursor.fetchone() == (0,):
                    return connection
            connection.close()
        raise pymysql.err.OperationalError(1290, "none is writable")

    @contextmanager
    def writing(self) -> Iterator[None]:
        self._thread.start()
        try:
            self.more()
            yield
            self.more()
        finally:
            self._done.set()
            self._thread.join()

    def more(self) -> None:
        """Wait until ten more rows were acknowledged."""
        wanted = len(self.acknowledged) + 10
        deadline = time.monotonic() + 20
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, "no row is acknowledged"
            time.sleep(0.01)


def check(cluster: Cluster, primary: str, rows: Sequence[int] = (), unknown: Sequence[int] | set[int] = ()) -> None:
    """One primary, all others follow it, and all hold the same rows: those and perhaps the unknown ones."""
    [head] = [each for each in cluster if each.name == primary]
    for each in cluster:
        state = each.member().state
        assert state is not None
        assert state.read_only is (each is not head)
        assert state.semi_sync is (each is head)
        if each is head:
            assert state.replication is None
        else:
            assert state.replication is not None
            assert (state.replication.host, state.replication.healthy) == (head.address, True)
            each.wait_for(head)
        found = {int(row[0]) for row in each.server.sql("SELECT id FROM world.t")}
        assert set(rows) - found == set(), "acknowledged rows are lost"
        assert found - set(rows) - set(unknown) == set(), "there are rows that were refused"


def test_nothing_is_lost_while_the_primary_moves_on(cluster: Cluster, record_property: Callable[..., None]) -> None:
    writer = Writer(cluster)
    with writer.writing():
        foretold = move(cluster, "db2", dry=True)
        assert decide([each.member() for each in cluster], "db1").primary == "db1"
        pauses = []
        for target in ("db2", "db3", "db1"):
            result = move(cluster, target)
            pauses.append(result.pause)
            if target == "db2":
                assert (result.old, result.actions) == ("db1", foretold.actions)
            writer.more()
        assert move(cluster, "db1").actions == []
    check(cluster, "db1", writer.acknowledged, writer.unknown)
    assert len(writer.unknown) == 0
    record_property(
        "figure",
        f"planned switchover of MariaDB, three times: 0 of {len(writer.acknowledged)} acknowledged rows lost, "
        f"no server writable for {max(pauses):.2f} s at most, no row acknowledged for {writer.longest_pause:.2f} s",
    )


def killed_at(cluster: Cluster, target: str, step: int) -> str:
    """Run a switchover in a process that is killed before its step of this number; return the step's name."""
    into, out = os.pipe()
    child = os.fork()
    if child == 0:
        steps: list[str] = []

        def progress(name: str) -> None:
            steps.append(name)
            if len(steps) == step:
                os.write(out, name.encode())
                os._exit(9)

        try:
            servers = [each.as_server() for each in cluster]
            switch_over(servers, target, Limits(), dry=False, semi_sync=True, progress=progress)
        finally:
            os._exit(0)
    os.close(out)
    with os.fdopen(into, "rb") as told:
        name = told.read().decode()
    os.waitpid(child, 0)
    return name


def rerun_site(cluster: Cluster) -> str:
    """Do what site.yml does about the topology; return the primary."""
    primary = decide([each.member() for each in cluster], "db1").primary
    [head] = [each for each in cluster if each.name == primary]
    head.bootstrap(semi_sync=True)
    for each in cluster:
        if each is not head:
            each.follow(head)
    head.await_replicas()
    return primary


@pytest.mark.parametrize("size", [2, 3])
def test_killed_at_each_of_its_steps_and_run_again(cluster: Cluster, size: int) -> None:
    """Whether what comes next is the same switchover or site.yml."""
    if size == 2:
        cluster[2].server.stop()
        cluster = cluster[:2]
    writer, seen, primary = Writer(cluster), [], "db1"
    with writer.writing():
        for step in range(1, 9):
            for again in (True, False):
                target = "db2" if primary == "db1" else "db1"
                name = killed_at(cluster, target, step)
                if not name:  # it had no such step, and ran to its end
                    primary = target
                    continue
                seen.append(name)
                open_now = [each.name for each in cluster if not each.member().state.read_only]  # type: ignore[union-attr]
                assert len(open_now) <= 1
                if again:
                    move(cluster, target)
                    primary = target
                else:
                    primary = rerun_site(cluster)
                writer.more()
    for step_name in ("close", "catches up", "stops following", "open", "let go", "follows"):
        assert any(step_name in name for name in seen), seen
    check(cluster, primary, writer.acknowledged, writer.unknown)


def test_an_account_that_read_only_does_not_bind_writes_nothing_aside(cluster: Cluster) -> None:
    """Such a write waits, and is undone when its server is a replica."""
    refused: list[int] = []
    done = threading.Event()

    def write() -> None:
        for number in range(1, 100_000):
            if done.is_set():
                return
            try:
                connection = pymysql.connect(unix_socket=cluster[0].socket, user="root", autocommit=True)
                connection.cursor().execute("INSERT INTO world.t VALUES (%s)", [number])
            except pymysql.err.MySQLError:
                refused.append(number)
                return

    writers = [threading.Thread(target=write)]
    for each in writers:
        each.start()
    time.sleep(0.2)
    told = ""
    try:
        move(cluster, "db2")
    except DatabaseError as error:
        told = str(error)
    finally:
        done.set()
        for each in writers:
            each.join()
    if told:  # it came between the end of the lock and the new role: named, and not merged
        assert "holds transactions that db2 lacks: 0-1-" in told
    else:
        check(cluster, "db2", [int(row[0]) for row in cluster[1].server.sql("SELECT id FROM world.t")])
        assert refused


def test_a_primary_that_can_not_be_closed_stays_it(cluster: Cluster) -> None:
    holder = pymysql.connect(unix_socket=cluster[0].socket, user="root")
    holder.cursor().execute("LOCK TABLES world.t WRITE")
    with pytest.raises(TopologyError, match="db1 was opened again and stays the primary"):
        move(cluster, "db2", patience=1)
    holder.close()
    check(cluster, "db1")


def test_a_target_that_does_not_catch_up_in_time_changes_nothing(cluster: Cluster) -> None:
    holder = pymysql.connect(unix_socket=cluster[1].socket, user="root")
    holder.cursor().execute("LOCK TABLES world.t READ")
    cluster[0].server.sql("INSERT INTO world.t VALUES (1)")
    with pytest.raises(TopologyError, match="has not applied .* within 1 s.* db1 was opened again"):
        move(cluster, "db2", catch_up=1)
    cluster[0].server.sql("INSERT INTO world.t VALUES (2)")
    holder.close()
    check(cluster, "db1", [1, 2])


def test_what_is_refused_before_any_change(cluster: Cluster) -> None:
    one, two, three = cluster
    with pytest.raises(TopologyError, match="target is 'db9'; it must be one of the database hosts: db1, db2, db3"):
        move(cluster, "db9")

    three.server.sql("STOP SLAVE")
    with pytest.raises(TopologyError, match="db3 does not replicate"):
        move(cluster, "db3")
    three.server.sql("START SLAVE")

    two.server.sql("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=60; START SLAVE")
    one.server.sql("INSERT INTO world.t VALUES (1)")
    time.sleep(1.5)
    with pytest.raises(TopologyError, match=r"db2 is \d+ s behind db1, allowed are 0 s"):
        move(cluster, "db2", lag=0)
    two.server.sql("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=0; START SLAVE")
    two.wait_for(one)

    three.server.freeze()
    try:
        servers = [each.as_server(answer=1) for each in cluster]
        with pytest.raises(TopologyError, match="needs every database host, and can't ask db3"):
            switch_over(servers, "db2", Limits(), dry=False)
    finally:
        three.server.thaw()

    two.server.sql("SET GLOBAL read_only = 0")
    with pytest.raises(TopologyError, match="db1 and db2 are both writable"):
        move(cluster, "db2")
    two.server.sql("CREATE TABLE world.aside (id INT); SET GLOBAL read_only = 1")
    with pytest.raises(TopologyError, match="db2 holds transactions that the primary db1 lacks: 0-2-"):
        move(cluster, "db3")
    check(cluster, "db1", [1])
