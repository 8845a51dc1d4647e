"""The primary is gone while somebody writes: another takes over, and no confirmed write is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pymysql
import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import TopologyError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.failover import Limits, Result, fail_over
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.switchover import unheard

from tests.unit.mysql.conftest import Node
from tests.unit.mysql.moving import Cluster, Progress, Writer, check, killed_at, rerun_site

Figure = Callable[[str, object], None]


def take_over(
    cluster: Cluster,
    progress: Progress = unheard,
    *,
    target: str = "",
    force: tuple[str, ...] = (),
    semi_sync: bool = True,
    dry: bool = False,
) -> Result:
    servers = [each.as_server(timeout=1) for each in cluster]
    return fail_over(
        servers,
        Limits(settle=15),
        target=target,
        semi_sync=semi_sync,
        force=force,
        dry=dry,
        progress=progress,
    )


def lose(cluster: Cluster, how: str) -> None:
    if how == "killed":
        cluster[0].server.kill()
    else:
        cluster[0].server.freeze()


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_another_takes_over_and_the_old_one_comes_back(cluster: Cluster, how: str, record_property: Figure) -> None:
    one, *others = cluster
    writer = Writer(cluster)
    with writer.writing():
        lose(cluster, how)
        foretold = take_over(cluster, dry=True)
        assert all(each.member().state.read_only for each in others)  # type: ignore[union-attr]
        result = take_over(cluster)
        assert (result.lost, len(result.actions)) == (foretold.lost, len(foretold.actions)) == ("db1", 2)
        writer.more()
        if how == "frozen":
            # It still believes to be the primary, and whoever writes there is not told that it succeeded.
            one.server.thaw()
            write = threading.Thread(target=_write_aside, args=(one.socket, writer))
            write.start()
            write.join(3)
            assert write.is_alive()
            one.server.kill()
            write.join(5)
    check(others, result.primary, writer.acknowledged, writer.unknown)
    record_property(
        "figure",
        f"failover of {one.flavor.name}, primary {how}: 0 of {len(writer.acknowledged)} acknowledged rows lost, open "
        f"{result.seconds:.2f} s after the start, no row acknowledged for {writer.longest_pause:.2f} s",
    )

    one.server.restart()
    if extra := lacked(one, next(each for each in others if each.name == result.primary)):
        # MySQL keeps after a crash what it had written and nobody confirmed: it is named, and stays out.
        assert one.flavor.name == "mysql"
        with pytest.raises(TopologyError, match=f"db1 holds transactions that the primary .* lacks: {extra[0]}"):
            rerun_site(cluster)
        check(others, result.primary, writer.acknowledged, writer.unknown)
    else:  # MariaDB undoes it; site.yml makes the old primary a replica
        assert rerun_site(cluster) == result.primary
        check(cluster, result.primary, writer.acknowledged, writer.unknown)


def lacked(one: Node, primary: Node) -> list[str]:
    """Return the transactions that a server has and the primary lacks."""
    mine, there = one.member().state, primary.member().state
    assert mine is not None and there is not None
    return one.flavor.errant_transactions(mine, there)


def _write_aside(socket: str, writer: Writer) -> None:
    writer.unknown.add(-1)
    connection = pymysql.connect(unix_socket=socket, user="writer", autocommit=True)
    try:
        connection.cursor().execute("INSERT INTO world.t VALUES (-1)")
    except pymysql.err.MySQLError:
        return
    raise AssertionError("a server that was replaced has confirmed a write")


def test_killed_at_each_of_its_steps_and_run_again(cluster: Cluster) -> None:
    seen, rows = [], list(range(1, 9))
    for step in rows:
        head = [each for each in cluster if not each.member().state.read_only]  # type: ignore[union-attr]
        [primary] = head
        primary.server.sql(f"INSERT INTO world.t VALUES ({step})")
        primary.server.kill()
        name = killed_at(step, lambda progress: take_over(cluster, progress))
        seen.append(name)
        left = [each for each in cluster if each is not primary]
        open_now = [each.name for each in left if not each.member().state.read_only]  # type: ignore[union-attr]
        assert len(open_now) <= 1
        if name and not open_now:
            new = take_over(cluster).primary
        else:  # the new primary was open already; its replicas are site.yml's
            [new] = open_now
        primary.server.restart()
        assert rerun_site(cluster) == new
        check(cluster, new, rows[:step])
    for part in ("stops receiving", "applies", "forgets", "open", "follows"):
        assert any(part in name for name in seen), seen


def test_the_replica_that_has_received_more_takes_over(cluster: Cluster) -> None:
    one, two, three = cluster
    two.server.sql("STOP REPLICA IO_THREAD")
    one.server.sql("INSERT INTO world.t VALUES (1)")
    lose(cluster, "killed")
    with pytest.raises(TopologyError, match="db2 has not received all that db3 has"):
        take_over(cluster, target="db2")
    assert take_over(cluster).primary == "db3"
    check([two, three], "db3", [1])


def test_what_was_received_is_applied_before_it_opens(cluster: Cluster) -> None:
    holders = [pymysql.connect(unix_socket=each.socket, user="root") for each in cluster[1:]]
    for holder in holders:
        holder.cursor().execute("LOCK TABLES world.t READ")
    cluster[0].server.sql("INSERT INTO world.t VALUES (1)")
    lose(cluster, "killed")

    def release_all() -> None:
        for holder in holders:
            holder.close()

    release = threading.Timer(2, release_all)
    release.start()
    began = time.monotonic()
    result = take_over(cluster)
    assert time.monotonic() - began > 1
    check(cluster[1:], result.primary, [1])


def test_what_is_refused_before_any_change(cluster: Cluster) -> None:
    one, two, three = cluster
    with pytest.raises(TopologyError, match=r"db1 answer\(s\) and take\(s\) writes, so there is nothing to fail over"):
        take_over(cluster)

    one.server.kill()
    with pytest.raises(TopologyError, match="db1 did not wait for replicas .* say -e force=db1"):
        take_over(cluster, semi_sync=False)
    with pytest.raises(TopologyError, match="force names db9; database hosts are db1, db2, db3"):
        take_over(cluster, force=("db9",))
    with pytest.raises(TopologyError, match="target is 'db1'; it must be one of the replicas that answer: db2, db3"):
        take_over(cluster, target="db1")

    three.server.kill()
    with pytest.raises(TopologyError, match="db3 .* can't be asked, and may be the only one .* -e force=db3"):
        take_over(cluster)
    state = two.member().state
    assert state is not None and state.replication is not None and state.replication.io_running != "No"

    one.server.restart()
    with pytest.raises(TopologyError, match="db1, the primary, answers and is read-only, as after a restart"):
        take_over(cluster, force=("db3",))
    one.server.kill()
    assert take_over(cluster, force=("db3",)).primary == "db2"
    three.server.restart()
    assert rerun_site([two, three]) == "db2"
    check([two, three], "db2")
