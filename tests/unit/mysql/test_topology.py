"""Which server is the primary, for every constellation that a rerun may meet."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import TopologyError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.state import Replication, ServerState
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import Member, decide, lost_by_restart

ADDRESSES = {f"db{number}": f"10.0.0.{number}" for number in (1, 2, 3)}
FRESH = ServerState(running=True, flavor="mariadb", version="10.11", read_only=True, binlog=True)
USED = replace(FRESH, gtid_state="0-1-9", gtid_position="0-1-9", databases={"mcp": 1})
OPEN = replace(USED, read_only=False)
DOWN = ServerState(running=False)


def following(name: str, state: ServerState = USED) -> ServerState:
    return replace(
        state,
        replication=Replication(
            ADDRESSES.get(name, name), 3306, "replication", "Yes", True, True, True, True, "ca", 5, 0, ""
        ),
    )


def cluster(*states: ServerState | None) -> list[Member]:
    members = []
    for number, state in enumerate(states, start=1):
        own = replace(state, server_id=number) if state is not None and state.running else state
        members.append(Member(f"db{number}", f"10.0.0.{number}", own))
    return members


@pytest.mark.parametrize(
    ("members", "primary"),
    [
        pytest.param(cluster(FRESH), "db1", id="one new server"),
        pytest.param(cluster(FRESH, FRESH, FRESH), "db1", id="new cluster"),
        pytest.param(cluster(USED, FRESH), "db1", id="adopted server, new replica"),
        pytest.param(cluster(DOWN, DOWN), "db1", id="nothing installed"),
        pytest.param(cluster(OPEN, following("db1")), "db1", id="as it was"),
        pytest.param(cluster(following("db2"), OPEN, following("db2")), "db2", id="primary was moved"),
        pytest.param(cluster(USED, OPEN), "db2", id="moved by hand, old one not yet a replica"),
        pytest.param(cluster(following("db2"), USED, following("db2")), "db2", id="moved, then all restarted"),
        pytest.param(cluster(USED), "db1", id="single server restarted"),
        pytest.param(
            cluster(USED, following("db1"), following("db1", replace(USED, gtid_state="0-1-10"))),
            "db3",
            id="a crashed primary has undone what a replica holds",
        ),
        pytest.param(
            cluster(USED, replace(USED, gtid_state="0-1-9,0-2-10"), following("db1")),
            "db2",
            id="the new primary crashed before anybody followed it",
        ),
        pytest.param(cluster(OPEN, None), "db1", id="a silent replica"),
        pytest.param(cluster(OPEN, DOWN, following("db1")), "db1", id="a replica that is not installed yet"),
    ],
)
def test_the_primary_follows_from_live_state(members: list[Member], primary: str) -> None:
    assert decide(members, "db1").primary == primary


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(cluster(OPEN, OPEN), "db1 and db2 are both writable", id="two writable"),
        pytest.param(
            cluster(following("db2", OPEN), USED), "db1 is writable, yet set up to follow db2", id="half moved"
        ),
        pytest.param(cluster(None, FRESH), "db1 did not answer", id="bootstrap beside a silent server"),
        pytest.param(cluster(USED, following("db1"), None), "db3 did not answer", id="reopen beside a silent server"),
        pytest.param(cluster(following("db2"), following("db1")), "which one to open is not clear", id="circle"),
        pytest.param(
            cluster(USED, following("db1"), USED, following("db3")), "which one to open is not clear", id="two groups"
        ),
        pytest.param(
            cluster(
                replace(USED, gtid_state="0-1-9"),
                following("db1", replace(USED, gtid_state="0-1-9,0-2-10")),
                following("db1", replace(USED, gtid_state="0-1-9,0-3-10")),
            ),
            "none has all that the others hold",
            id="two replicas know more, each something else",
        ),
        pytest.param(cluster(FRESH, USED), "db2 holds data", id="data elsewhere"),
        pytest.param(cluster(following("10.9.9.9"), FRESH), "no database host of the inventory", id="foreign primary"),
    ],
)
def test_contradictions_are_refused(members: list[Member], reason: str) -> None:
    with pytest.raises(TopologyError, match=re.escape(reason)):
        decide(members, "db1")


def test_server_ids_must_differ() -> None:
    twins = [Member(name, ADDRESSES[name], replace(FRESH, server_id=7)) for name in ("db1", "db2")]
    with pytest.raises(TopologyError, match="db1 and db2 both have server_id 7"):
        decide(twins, "db1")


def test_the_bootstrap_primary_must_be_a_database_host() -> None:
    with pytest.raises(TopologyError, match="must be one of the database hosts: db1"):
        decide(cluster(FRESH), "db9")


def test_states_travel_as_plain_data() -> None:
    member = cluster(following("db2"))[0]
    assert member.state is not None
    travelled = Member.from_dict({"name": member.name, "address": member.address, "state": member.state.as_dict()})
    assert travelled == member


def test_servers_of_two_kinds_are_no_cluster() -> None:
    other = replace(FRESH, flavor="mysql", version="9.7.4")
    with pytest.raises(TopologyError, match="db1 runs mariadb, db2 runs mysql: all must be of one kind"):
        decide(cluster(FRESH, other), "db1")


ERRANT = replace(USED, gtid_state="0-1-8,0-3-9", gtid_position="0-3-9")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(cluster(OPEN, following("db1")), "", id="as it should be"),
        pytest.param(cluster(OPEN), "", id="a single server"),
        pytest.param(cluster(OPEN, FRESH), "", id="a replica that is to come"),
        pytest.param(cluster(OPEN, OPEN), "", id="new servers, not yet closed"),
        pytest.param(cluster(following("db2"), OPEN), "", id="a replica"),
        pytest.param(
            cluster(OPEN, following("db1"), following("db1", ERRANT)),
            "db1, the primary, was not restarted, and takes writes as before: db3 holds 0-3-9, which it lacks",
            id="a replica holds what it lacks, and not all that it has",
        ),
        pytest.param(
            cluster(OPEN, following("db1"), following("db1", replace(USED, gtid_state="0-1-9,0-3-10"))),
            "rejoin.yml -e host=db3 saves them",
            id="a replica holds more and would take its place",
        ),
        pytest.param(
            cluster(OPEN, following("db1"), None), "none would be opened then: .* db3 did not answer", id="a silent one"
        ),
    ],
)
def test_a_primary_that_would_not_be_opened_again_is_not_restarted(members: list[Member], reason: str) -> None:
    said = lost_by_restart(members, "db1", "db1")
    assert re.search(reason, said) if reason else said == ""
