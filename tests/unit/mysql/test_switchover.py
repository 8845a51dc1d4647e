"""Another server becomes the primary while somebody writes; wherever it is interrupted, nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pymysql
import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import TopologyError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.switchover import (
    Limits,
    Result,
    switch_over,
    unheard,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import decide

from tests.unit.mysql.moving import Cluster, Progress, Writer, check, killed_at, rerun_site


def move(cluster: Cluster, target: str, progress: Progress = unheard, *, dry: bool = False, **limits: float) -> Result:
    return switch_over(
        [each.as_server() for each in cluster],
        target,
        Limits(**{"settle": 15.0, **limits}),  # type: ignore[arg-type]  # the names are the test's
        dry=dry,
        semi_sync=True,
        progress=progress,
    )


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
    # Not told what became of it: whose session is ended while it waits for a replica, or who waits for over a second.
    assert len(writer.unknown) <= len(pauses)
    record_property(
        "figure",
        f"planned switchover of {cluster[0].flavor.name}, three times: 0 of {len(writer.acknowledged)} acknowledged "
        f"rows lost, no server writable for {max(pauses):.2f} s at most, no row acknowledged for "
        f"{writer.longest_pause:.2f} s",
    )


@pytest.mark.parametrize("size", [2, pytest.param(3, marks=pytest.mark.long)])
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
                name = killed_at(step, partial(move, cluster, target))
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


def test_what_was_decided_before_a_switchover_opens_nothing_beside_it(cluster: Cluster) -> None:
    """site.yml saw the old primary closed, and comes to open it while the switchover runs or after it was killed."""
    one, *others = cluster
    refusals = []

    def site(step: str) -> None:
        if "open db2" in step or "let go" in step:
            with pytest.raises(TopologyError, match="another run is changing the role of .*; nothing was changed"):
                one.bootstrap(semi_sync=True, others=others)
            refusals.append(step)

    move(cluster, "db2", site)
    assert len(refusals) == 2
    check(cluster, "db2")

    # Killed when db1 was open, and before db2 follows it.
    name = killed_at(5, partial(move, cluster, "db1"))
    assert name == "let go of db2"
    with pytest.raises(TopologyError, match=r"db1 takes writes by now\. Nothing was opened; run again"):
        cluster[1].bootstrap(semi_sync=True, others=[cluster[0], cluster[2]])
    assert cluster[1].member().state.read_only  # type: ignore[union-attr]
    assert cluster[1].server.position() == cluster[0].server.position()
    assert rerun_site(cluster) == "db1"
    check(cluster, "db1")


def test_an_account_that_read_only_does_not_bind_writes_nothing_aside(cluster: Cluster) -> None:
    """Such writes are refused, or wait while the target catches up and are undone when theirs becomes a replica."""
    one, outcomes = cluster[0], dict[int, str]()

    def write(number: int) -> None:
        connection = pymysql.connect(unix_socket=one.socket, user="root", autocommit=True)
        try:
            connection.cursor().execute("INSERT INTO world.t VALUES (%s)", [number])
        except pymysql.err.MySQLError as error:
            outcomes[number] = str(error)
        else:
            outcomes[number] = "written"

    writers = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'Waiting for backup lock'"

    def progress(step: str) -> None:
        if step == "db2 catches up":
            for each in writers:
                each.start()
            deadline = time.monotonic() + 20
            while int(one.server.sql(waiting)[0][0]) + len(outcomes) != len(writers):
                assert time.monotonic() < deadline, "a write neither waits nor was refused"
                time.sleep(0.01)

    move(cluster, "db2", progress)
    for each in writers:
        each.join()
    assert len(outcomes) == len(writers)
    assert "written" not in outcomes.values()
    check(cluster, "db2")


def test_a_transaction_left_open_does_not_keep_the_old_primary_from_following(cluster: Cluster) -> None:
    one, two = cluster[:2]
    with pymysql.connect(unix_socket=one.socket, user="writer") as left_open:
        left_open.cursor().execute("INSERT INTO world.t VALUES (1)")
        move(cluster, "db2")
        two.server.sql("INSERT INTO world.t VALUES (1)")
        one.wait_for(two)
        with pytest.raises(pymysql.err.MySQLError):
            left_open.commit()
    check(cluster, "db2", [1])


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

    three.server.sql("STOP REPLICA")
    with pytest.raises(TopologyError, match="db3 does not replicate"):
        move(cluster, "db3")
    three.server.sql("START REPLICA")

    two.server.delay(60)
    one.server.sql("INSERT INTO world.t VALUES (1)")
    time.sleep(1.5)
    with pytest.raises(TopologyError, match=r"db2 is \d+ s behind db1, allowed are 0 s"):
        move(cluster, "db2", lag=0)
    two.server.delay(0)
    two.wait_for(one)

    three.server.freeze()
    try:
        servers = [each.as_server(timeout=1) for each in cluster]
        with pytest.raises(TopologyError, match="needs every database host, and can't ask db3"):
            switch_over(servers, "db2", Limits(), dry=False)
    finally:
        three.server.thaw()

    two.server.sql("SET GLOBAL read_only = 0")
    with pytest.raises(TopologyError, match="db1 and db2 are both writable"):
        move(cluster, "db2")
    two.server.sql("CREATE TABLE world.aside (id INT); SET GLOBAL read_only = 1")
    with pytest.raises(TopologyError, match="db2 holds transactions that the primary db1 lacks: "):
        move(cluster, "db3")
    check(cluster, "db1", [1])
