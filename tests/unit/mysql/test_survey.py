"""What an operator is told of the servers' roles, from whichever of them answer."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.state import Replication, SemiSync, ServerState
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.survey import Answer, Survey, describe, summary
from ansible_collections.trinitycore.mcp.plugins.modules import mysql_topology_info

from tests.unit.mysql.conftest import logins
from tests.unit.mysql.moving import Cluster

READS = ServerState(
    running=True,
    flavor="mariadb",
    version="10.11.19-MariaDB",
    binlog=True,
    gtid_state="0-1-9",
    gtid_position="0-1-9",
)
WRITES = replace(READS, read_only=False)
WAITS = SemiSync(wanted=True, works=True, timeout=31536000, replicas=2, waiting=0, longest_wait=0, confirms=False)
CONFIRMS = SemiSync(wanted=False, works=False, timeout=31536000, replicas=0, waiting=0, longest_wait=0, confirms=True)


def following(source: str, state: ServerState = READS, **how: Any) -> ServerState:
    there = Replication(f"10.0.0.{source[-1]}", 3306, "replication", "Yes", True, True, True, True, "ca", 5, 0, "")
    return replace(state, replication=replace(there, **how))


def survey(*states: ServerState | None, semi_sync: SemiSync = WAITS) -> Survey:
    answers = []
    for number, state in enumerate(states, start=1):
        name, address = f"db{number}", f"10.0.0.{number}"
        if state is None:
            answers.append(Answer(name, address, silence="no answer within 5 s"))
        else:
            waits = CONFIRMS if state.read_only else semi_sync
            answers.append(Answer(name, address, replace(state, server_id=number), waits))
    return describe(answers)


LOST: dict[str, Any] = {"io_running": "Connecting", "error": "can't connect"}


@pytest.mark.parametrize(
    ("states", "primary", "certain", "conclusion"),
    [
        pytest.param([WRITES, following("db1"), following("db1")], "db1", True, "db1 is the primary.", id="all well"),
        pytest.param(
            [replace(WRITES, followers=["10.0.0.2", "10.0.0.3"]), following("db1"), None],
            "db1",
            True,
            "db1 is the primary.",
            id="a silent one that the primary sends to",
        ),
        pytest.param(
            [WRITES, following("db1"), None],
            "db1",
            False,
            "db1 is the primary, as far as can be seen: db3 may take writes too.",
            id="a silent one that nobody knows of",
        ),
        pytest.param(
            [None, following("db1", **LOST), following("db1", **LOST)],
            "",
            False,
            "The primary is unknown: db1 did not answer and may be it (db2 and db3 follow(s) db1).",
            id="the primary is gone",
        ),
        pytest.param(
            [None, following("db1"), None],
            "",
            False,
            "The primary is unknown: db1 and db3 did not answer and may be it (db2 follow(s) db1).",
            id="one is left",
        ),
        pytest.param(
            [READS, following("db1"), following("db1")],
            "",
            True,
            "There is no primary: no server takes writes. db2 and db3 follow(s) db1. "
            "site.yml opens the one that holds everything.",
            id="all were restarted",
        ),
        pytest.param(
            [WRITES, WRITES, following("db2")],
            "",
            False,
            "db1 and db2 all take writes: which one is the primary can't be said.",
            id="two take writes",
        ),
        pytest.param(
            [None, None], "", False, "No database host answers (db1, db2); nothing is known.", id="nobody answers"
        ),
    ],
)
def test_who_is_the_primary_and_how_sure_that_is(
    states: list[ServerState | None], primary: str, certain: bool, conclusion: str
) -> None:
    seen = survey(*states)
    assert (seen.primary, seen.certain, seen.conclusion) == (primary, certain, conclusion)
    assert summary(seen)[0] == conclusion
    assert len(seen.servers) == len(states)


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        pytest.param(
            [WRITES, following("db1", replace(READS, gtid_state="0-1-9,0-2-10", gtid_position="0-2-10"))],
            "db2 holds transactions that db1 lacks: 0-2-10",
            id="errant",
        ),
        pytest.param(
            [None, following("db1", replace(READS, gtid_state="0-1-9,0-2-7")), following("db1")],
            "db2 holds transactions that db3 lacks: 0-2-7",
            id="errant without a primary",
        ),
        pytest.param(
            [
                replace(WRITES, gtid_state="0-1-12", gtid_position="0-1-12"),
                replace(WRITES, gtid_state="0-1-9,0-2-10", gtid_position="0-2-10"),
                following("db1", replace(READS, gtid_state="0-1-12", gtid_position="0-1-12")),
            ],
            "db1 holds transactions that db2 lacks: 0-1-12",
            id="two that write have each their own",
        ),
        pytest.param([WRITES, READS], "db2 follows nobody", id="alone"),
        pytest.param(
            [WRITES, following("db1"), following("db2")], "db3 follows db2, not the primary db1", id="a chain"
        ),
        pytest.param(
            [WRITES, following("db9")], "db2 follows 10.0.0.9, not the primary db1", id="none of the inventory"
        ),
        pytest.param(
            [WRITES, following("db1", io_running="No", sql_running=False)],
            "db2 does not receive and apply what db1 sends: it was stopped",
            id="stopped",
        ),
        pytest.param(
            [WRITES, following("db1", sql_running=False, error="Duplicate entry")],
            "db2 does not apply what db1 sends: Duplicate entry",
            id="broken",
        ),
        pytest.param(
            [following("db2", WRITES), following("db1")],
            "db1 takes writes, and is set up to follow db2",
            id="half moved",
        ),
        pytest.param([WRITES, WRITES], "db1 and db2 all take writes. Make all but", id="two take writes"),
    ],
)
def test_what_is_wrong_is_named(states: list[ServerState | None], problem: str) -> None:
    problems = survey(*states).problems
    assert any(each.startswith(problem) for each in problems), problems


def test_a_replica_of_either_of_two_writing_servers_holds_nothing_errant() -> None:
    ahead = replace(WRITES, gtid_state="0-1-12", gtid_position="0-1-12")
    aside = replace(WRITES, gtid_state="0-1-9,0-2-10", gtid_position="0-2-10")
    seen = survey(ahead, aside, following("db1", replace(ahead, read_only=True)))
    assert [found.errant for found in seen.servers] == [["0-1-12"], ["0-2-10"], []]


@pytest.mark.parametrize(
    ("semi_sync", "problem"),
    [
        (WAITS, ""),
        (replace(WAITS, waiting=1, longest_wait=0.1), ""),
        (replace(WAITS, waiting=1, longest_wait=7.5), "hang: 1 wait(s), the first for 7.5 s, and 2 replica(s) would"),
        (replace(WAITS, replicas=0, waiting=1), "hang: 1 wait(s), the first for 0 s, and no replica(s) would confirm"),
        (replace(WAITS, works=False, timeout=10), "goes on without any replica, after 10 s: writes are on it alone"),
        (replace(WAITS, wanted=False), "lets no write wait for a replica"),
    ],
)
def test_what_becomes_of_commits(semi_sync: SemiSync, problem: str) -> None:
    problems = survey(WRITES, following("db1"), semi_sync=semi_sync).problems
    assert (not problems) if not problem else (problem in problems[0]), problems


def test_kinds_of_servers_are_not_compared() -> None:
    seen = survey(WRITES, replace(READS, gtid_state="0-9-9"))
    assert "holds transactions" in str(seen.problems)
    other = replace(READS, flavor="other", gtid_position="3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5")
    assert "servers of different kinds (mariadb, other)" in str(survey(WRITES, other).problems)


def test_what_is_not_seen_is_said() -> None:
    gone = survey(None, following("db1", **LOST), following("db1"))
    assert gone.doubts == [
        "db1 is silent (no answer within 5 s), so its position, lag and errant transactions are unknown; it may be the "
        "primary: db3 still receive(s) from it, db2 follow(s) it and hear(s) nothing from it",
        "errant transactions were looked for against db2, the most advanced that answers: what db1 holds may make "
        "others of them errant",
    ]
    [doubt] = survey(replace(WRITES, followers=["10.0.0.2"]), None).doubts
    assert doubt.endswith("unknown; db1 sends it its binary log, so it is a replica")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Give a function that runs the module about a cluster, by the account that the role makes for it."""

    def run(cluster: Cluster, **options: Any) -> dict[str, Any]:
        arguments = {
            "members": [{"name": each.name, "address": each.address} for each in cluster],
            "admin_password": "secret-s",
            "ca_file": cluster[0].ca,
            **options,
        }
        with (
            pytest.MonkeyPatch.context() as patch,
            patch_module_args(arguments),
            pytest.raises(SystemExit),
        ):
            patch.setattr(mysql_topology_info, "login_of", logins(cluster))
            mysql_topology_info.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


def test_a_cluster_is_described(cluster: Cluster, ask: Callable[..., dict[str, Any]]) -> None:
    one, two, three = cluster
    seen = ask(cluster)
    assert (seen["primary"], seen["certain"], seen["problems"], seen["doubts"]) == ("db1", True, [], [])
    first, second, _ = seen["servers"]
    assert (first["role"], first["writable"], first["flavor"]) == ("primary", True, one.flavor.name)
    assert len(first["followers"]) == 2
    assert (first["semi_sync"]["wanted"], first["semi_sync"]["works"], first["semi_sync"]["replicas"]) == (
        True,
        True,
        2,
    )
    assert (second["role"], second["follows"], second["errant"]) == ("replica", "db1", [])
    assert second["lag"] in (0, 1)  # whole seconds, and one may have begun meanwhile
    assert second["receives"] and second["applies"] and second["semi_sync"]["confirms"]
    assert second["gtid_position"] == first["gtid_position"] and not second["lacks"]
    line = rf"db1 +primary +{one.flavor.name} \d+\.\d+\.\d+ +- +\S+ +- +- +- +2 confirm, 0 wait"
    assert re.match(line, seen["summary"][2])

    # Behind, then with a transaction of its own.
    three.server.sql("STOP REPLICA SQL_THREAD")
    one.server.sql("INSERT INTO world.t VALUES (1)")
    two.wait_for(one)
    two.aside("INSERT INTO world.t VALUES (77)")
    seen = ask(cluster)
    _, second, third = seen["servers"]
    assert third["lacks"] and third["receives"] and not third["applies"]
    assert len(second["errant"]) == 1
    assert f"db2 holds transactions that db1 lacks: {second['errant'][0]}" in seen["problems"]
    # Its own account sees all of that, and no more.
    assert ask(cluster, admin_password="wrong")["conclusion"].startswith("No database host answers")


def test_commits_that_hang_are_seen_while_they_do(cluster: Cluster, ask: Callable[..., dict[str, Any]]) -> None:
    one, two, three = cluster
    two.server.freeze()
    three.server.freeze()
    write = threading.Thread(target=one.server.sql, args=("INSERT INTO world.t VALUES (1)",))
    write.start()
    try:
        deadline = time.monotonic() + 30
        while True:
            seen = ask([one], timeout=10)
            waits = seen["servers"][0]["semi_sync"]
            if waits["waiting"] and waits["longest_wait"] >= 2:
                break
            assert time.monotonic() < deadline, waits
            time.sleep(0.2)
        seen = ask(cluster, timeout=2)
    finally:
        two.server.thaw()
        three.server.thaw()
        write.join(30)
    assert seen["primary"] == "db1"
    assert any("db1 has commits that hang: 1 wait(s), the first for" in each for each in seen["problems"])
    assert [each["role"] for each in seen["servers"]] == ["primary", "silent", "silent"]

    three.server.stop()
    two.server.stop()
    side = "master" if one.flavor.name == "mariadb" else "source"
    one.server.sql(f"SET GLOBAL rpl_semi_sync_{side}_timeout = 200; INSERT INTO world.t VALUES (2)")
    seen = ask(cluster)
    assert any("db1 goes on without any replica, after 0.2 s" in each for each in seen["problems"])
    assert not seen["certain"]


def test_the_primary_is_gone(
    cluster: Cluster, ask: Callable[..., dict[str, Any]], record_property: Callable[[str, object], None]
) -> None:
    one, _, _ = cluster
    one.server.freeze()
    try:
        began = time.monotonic()
        seen = ask(cluster, timeout=2)
        record_property(
            "figure", f"mysql_topology_info, one of 3 frozen, timeout 2 s: {time.monotonic() - began:.1f} s"
        )
    finally:
        one.server.thaw()
    assert (seen["primary"], seen["certain"]) == ("", False)
    assert seen["conclusion"] == "The primary is unknown: db1 did not answer and may be it (db2 and db3 follow(s) db1)."
    assert seen["reference"] in ("db2", "db3")
    assert seen["servers"][0] == {
        "name": "db1",
        "address": one.address,
        "role": "silent",
        "silence": seen["servers"][0]["silence"],
        "problems": [],
    }
