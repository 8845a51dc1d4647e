"""Primary and replicas on real servers: made, kept, moved, and refused where data could be lost."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import open_local, open_remote
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import (
    DatabaseError,
    NoReplicaError,
    ServerUnavailableError,
    TopologyError,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.primary import make_primary
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import decide

from tests.support.certificates import Authority
from tests.unit.mysql.conftest import Node, only_mariadb, wanted

Start = Callable[[int], Node]


def row_count(node: Node) -> int:
    return int(node.server.sql("SELECT COUNT(*) FROM world.t")[0][0])


def test_bootstrap_replicate_restart_move(node: Start) -> None:
    """The life of a pair, in the order in which an operator meets it."""
    one, two = node(1), node(2)
    members = [one.member(), two.member()]
    assert decide(members, "db1").primary == "db1"

    with one.connect() as server:
        foretold = make_primary(server, one.flavor, wanted(), dry=True)
    assert one.server.sql("SHOW DATABASES LIKE 'mcp'") == []
    done = one.bootstrap()
    assert done == foretold
    assert "open for writes" in done
    assert one.bootstrap() == []

    assert two.follow(one, dry=True) == [f"follow db1 (127.0.4.1:{one.server.port})"]
    assert two.member().state is not None and two.member().state.replication is None  # type: ignore[union-attr]
    assert two.follow(one) == [f"follow db1 (127.0.4.1:{one.server.port})"]
    assert two.follow(one) == []

    one.server.sql("CREATE TABLE world.t (id INT PRIMARY KEY); INSERT INTO world.t VALUES (1)")
    two.wait_for(one)
    assert row_count(two) == 1
    assert decide([one.member(), two.member()], "db1").primary == "db1"

    # Both restart: both come up read-only, and the one that is followed is opened again.
    one.server.stop()
    two.server.stop()
    one.server.restart()
    two.server.restart()
    assert one.server.sql("SELECT @@read_only") == [["1"]]
    assert decide([one.member(), two.member()], "db2").primary == "db1"
    assert one.bootstrap() == ["open for writes"]
    one.server.sql("INSERT INTO world.t VALUES (2)")
    two.wait_for(one)

    # By hand, two becomes primary; a rerun keeps that and makes one its replica, with nothing lost.
    one.server.sql("SET GLOBAL read_only = 1")
    two.server.sql("STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = 0; INSERT INTO world.t VALUES (3)")
    assert decide([one.member(), two.member()], "db1").primary == "db2"
    assert two.bootstrap() == []
    assert one.follow(two) == [f"follow db2 (127.0.4.2:{two.server.port})"]
    assert one.follow(two) == []
    one.wait_for(two)
    assert row_count(one) == 3


def test_a_write_waits_until_a_replica_has_it(node: Start) -> None:
    one, two = node(1), node(2)
    assert one.bootstrap(semi_sync=True, first=True)[-1] == "open for writes"
    with pytest.raises(DatabaseError, match="no replica tells .* what it has, after 0 s"):
        one.await_replicas(0)
    two.follow(one)
    assert one.await_replicas(dry=True) == one.await_replicas() == ["let writes wait until a replica has them"]
    assert one.await_replicas() == []
    one.server.sql("CREATE TABLE world.t (id INT PRIMARY KEY)")

    two.server.freeze()
    write = threading.Thread(target=one.server.sql, args=("INSERT INTO world.t VALUES (1)",))
    write.start()
    write.join(1.5)
    assert write.is_alive(), "the write was confirmed though no replica has it"
    assert row_count(one) == 0, "it was seen before it was safe"
    two.server.thaw()
    write.join(15)
    assert not write.is_alive()
    two.wait_for(one)

    # A restart begins without, read-only; reopened, the primary waits from its first write on.
    two.server.stop()
    one.server.stop()
    one.server.restart()
    two.server.restart()
    assert one.bootstrap(semi_sync=True, dry=True) == ["let writes wait until a replica has them", "open for writes"]
    one.bootstrap(semi_sync=True)
    one.server.sql("INSERT INTO world.t VALUES (2)")
    assert one.bootstrap(semi_sync=True) == []
    assert one.bootstrap(semi_sync=False) == ["let writes wait for no replica"]

    # A primary that becomes a replica waits for nobody any more, else it would not apply anything.
    one.bootstrap(semi_sync=True)
    one.await_replicas()
    one.server.sql("SET GLOBAL read_only = 1")
    two.wait_for(one)
    two.server.sql("STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = 0; INSERT INTO world.t VALUES (3)")
    assert one.follow(two)[1:] == ["let writes wait for no replica"]
    one.wait_for(two)
    assert row_count(one) == 3


def test_a_server_is_opened_beside_new_ones_and_not_beside_a_silent_one(cluster: list[Node], node: Start) -> None:
    one, two, three = cluster
    new = node(4)
    for each in cluster:
        each.server.stop()
    for each in cluster:
        each.server.restart()
    three.server.freeze()
    try:
        with pytest.raises(TopologyError, match="db3 can't be asked over the network .*, and may take writes"):
            one.bootstrap(semi_sync=True, others=[two, three, new])
    finally:
        three.server.thaw()
    assert one.server.sql("SELECT @@read_only") == [["1"]]
    # One that knows none of our accounts yet is nobody's primary.
    assert one.bootstrap(semi_sync=True, others=[two, three, new])[-1] == "open for writes"


def test_what_can_not_be_written_without_a_replica_is_written_once_there_is_one(cluster: list[Node]) -> None:
    """Replicas start with the password that the primary still knows."""
    one, *others = cluster
    for each in others:
        each.server.sql("STOP REPLICA")
    while one.member().state.semi_sync_replicas:  # type: ignore[union-attr]
        time.sleep(0.1)
    with pytest.raises(NoReplicaError, match="Left to do: set the password of replication@%") as refused:
        one.bootstrap("secret-new", semi_sync=True)
    assert refused.value.pending == ["set the password of replication@%"]
    for each in others:
        assert each.follow(one, password="secret-new") == ["start replication"]
    assert one.bootstrap("secret-new", semi_sync=True) == ["set the password of replication@%"]
    for each in others:
        assert each.follow(one, password="secret-new") == ["password"]
        assert each.follow(one, password="secret-new") == []
        each.wait_for(one)


def test_network_logins_need_tls_and_only_read(node: Start) -> None:
    one = node(1)
    one.bootstrap()
    one.server.sql("CREATE TABLE world.t (id INT PRIMARY KEY)")
    with open_remote(one.address, one.server.port, "app_ro", "secret-a", one.ca) as server:
        assert server.value("SELECT COUNT(*) FROM world.t") == 0
        with pytest.raises(DatabaseError, match="denied"):
            server.execute("INSERT INTO world.t VALUES (1)")
        with pytest.raises(DatabaseError, match="denied"):
            server.execute("SELECT * FROM mysql.user")
    import pymysql  # noqa: PLC0415 - the driver itself, to leave TLS away

    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(host=one.address, port=one.server.port, user="app_ro", password="secret-a", ssl_disabled=True)


def test_a_certificate_of_another_authority_is_refused(node: Start, tmp_path: Path) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    stranger = Authority(tmp_path, "stranger")
    with pytest.raises(ServerUnavailableError, match="certificate verify failed"):
        two.follow(one, ca=str(stranger.ca))
    state = two.member().state
    assert state is not None and state.replication is None


def test_accounts_get_exactly_what_is_wanted(node: Start) -> None:
    one = node(1)
    one.bootstrap()
    one.server.sql(
        "GRANT INSERT ON world.* TO app_ro@'%'; REVOKE SELECT ON world.* FROM app_ro@'%'; "
        "GRANT FILE ON *.* TO app_ro@'%';"
        "ALTER USER app_ro@'%' IDENTIFIED BY 'other' REQUIRE NONE; CREATE USER operator@'%' IDENTIFIED BY 'mine'"
    )
    assert one.bootstrap() == [
        "set the password of app_ro@%",
        "require TLS of app_ro@%",
        "revoke FILE on *.* from app_ro@%",
        "revoke INSERT on `world`.* from app_ro@%",
        "grant SELECT on `world`.* to app_ro@%",
    ]
    assert one.bootstrap() == []
    # The operator's own account is none of ours.
    assert one.server.sql("SELECT COUNT(*) FROM mysql.user WHERE User = 'operator'") == [["1"]]
    log = one.server.sql("SHOW BINLOG EVENTS")
    assert not [event for event in log if "secret-a" in " ".join(event)], "a password stands in the binary log"


def test_a_new_replication_password_reaches_the_replica(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    two.follow(one)
    assert one.bootstrap("secret-new") == ["set the password of replication@%"]
    two.wait_for(one)
    assert two.follow(one, password="secret-new") == ["password"]
    assert two.follow(one, password="secret-new") == []


def test_a_stopped_replica_is_started_and_a_broken_one_reported(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    one.server.sql("CREATE TABLE world.t (id INT PRIMARY KEY)")
    two.follow(one)
    two.wait_for(one)
    two.server.sql("STOP REPLICA")
    assert two.follow(one) == ["start replication"]
    two.aside("SET sql_log_bin = 0; INSERT INTO world.t VALUES (1)")
    one.server.sql("INSERT INTO world.t VALUES (1)")
    with pytest.raises(DatabaseError, match="db2 does not replicate from db1: .*Duplicate entry"), two.connect():
        for _ in range(50):  # until the error has arrived, the replica still looks well
            two.follow(one)


def test_a_server_with_transactions_of_its_own_is_named_and_left_alone(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    two.aside("CREATE DATABASE mine; CREATE TABLE mine.t (id INT PRIMARY KEY); INSERT INTO mine.t VALUES (1)")
    with pytest.raises(
        TopologyError, match=f"db2 holds transactions that the primary db1 lacks: {two.transactions(3)}"
    ):
        two.follow(one)
    assert two.server.sql("SELECT id FROM mine.t") == [["1"]]
    state = two.member().state
    assert state is not None and state.replication is None


def test_tables_that_were_never_logged_are_no_replica_either(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    two.aside("SET sql_log_bin = 0; CREATE DATABASE mine; CREATE TABLE mine.t (id INT)")
    with pytest.raises(TopologyError, match=re.escape("db2 holds tables that never were replicated: mine (1)")):
        two.follow(one)


def test_purged_binary_logs_can_not_make_a_replica(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    until = time.monotonic() + 20
    while "000001" in one.server.sql("SHOW BINARY LOGS")[0][0]:  # kept until the storage engine has checkpointed
        assert time.monotonic() < until
        one.server.sql("FLUSH BINARY LOGS")
        one.server.sql(f"PURGE BINARY LOGS TO '{one.server.sql('SHOW BINARY LOGS')[-1][0]}'")
        time.sleep(0.1)
    with pytest.raises(TopologyError, match=r"the binary logs of db1 begin at \S+[-:]1-"):
        two.follow(one)


def test_a_primary_that_held_data_before_us_says_so(node: Start) -> None:
    one, two = node(1), node(2)
    one.aside(
        "SET sql_log_bin = 0; CREATE DATABASE world; CREATE TABLE world.t (id INT); INSERT INTO world.t VALUES (1)"
    )
    assert "create database world" not in one.bootstrap()
    assert row_count(one) == 1
    with pytest.raises(TopologyError, match="db1 held data before it was taken over"):
        two.follow(one)


@only_mariadb  # the other one can't be told to say another version
def test_a_newer_primary_is_not_followed(node: Start) -> None:
    one, two = node(1), node(2)
    one.server.stop()
    one.server.arguments = [*one.server.arguments, "--version=12.3.1-MariaDB"]
    one.server.restart()
    one.bootstrap()
    with pytest.raises(TopologyError, match=r"db2 runs mariadb .* can't follow db1, which runs mariadb 12\.3\.1"):
        two.follow(one)
    state = two.member().state
    assert state is not None and state.replication is None


def test_a_read_only_server_is_not_followed(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    one.server.sql("SET GLOBAL read_only = 1")
    with pytest.raises(TopologyError, match="db1 is read-only, so it is not the primary"):
        two.follow(one)


def test_a_replica_is_not_made_primary(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    two.follow(one)
    with pytest.raises(TopologyError, match=re.escape("follows 127.0.4.1 by now; nothing was changed")):
        two.bootstrap()
    assert two.server.sql("SELECT @@read_only") == [["1"]]


def test_no_server_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailableError, match="no server is running here"):
        open_local(str(tmp_path / "none"))


def test_a_replica_that_tries_again_by_itself_is_waited_for(node: Start) -> None:
    one, two = node(1), node(2)
    one.bootstrap()
    two.follow(one)
    one.server.stop()
    two.server.stop()
    two.server.restart()
    replication = two.member().state.replication  # type: ignore[union-attr]  # it runs
    assert replication is not None and replication.retrying
    one.server.restart()
    assert one.bootstrap() == ["open for writes"]
    assert two.follow(one, dry=True) == []
    assert two.follow(one) == []
    replication = two.member().state.replication  # type: ignore[union-attr]
    assert replication is not None and replication.healthy
