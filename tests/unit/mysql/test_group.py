"""Which server leads a group or begins it, what is said of it, and which tables it can't take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import TopologyError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.group import mending, unfit_tables
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.state import (
    Group,
    Replication,
    SemiSync,
    ServerState,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.survey import Answer, Survey, describe, summary
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.topology import Member, decide

from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS, one_kind

NAME = "5ad96873-2149-54bb-9c85-3938aded48a5"
OWN = "00000000-0000-0000-0000-000000000001"
ALL = {f"10.0.0.{number}": "ONLINE" for number in (1, 2, 3)}
NO_SEMI_SYNC = SemiSync(False, False, 0, 0, 0, 0, False)
FRESH = ServerState(
    running=True, flavor="mysql", version="9.7.4", binlog=True, group=Group(NAME, "OFFLINE", {}, "", "")
)
DOWN = ServerState(running=False)


def member(
    leader: int = 1, state: str = "ONLINE", seen: dict[str, str] | None = None, *, leads: bool = False
) -> ServerState:
    """Return the state of a member of the group that the server of this number leads."""
    view = Group(NAME, state, ALL if seen is None else seen, f"10.0.0.{leader}", f"{NAME}:1-9")
    return replace(FRESH, group=view, gtid_state=f"{NAME}:1-9", gtid_position=f"{NAME}:1-9", read_only=not leads)


def ended(last: int, received: int = 0) -> ServerState:
    """Return the state of a server that was a member and has transactions of the group up to `last`."""
    there = Group(NAME, "OFFLINE", {}, "", f"{NAME}:1-{received}" if received else "")
    return replace(FRESH, group=there, gtid_state=f"{NAME}:1-{last}", gtid_position=f"{NAME}:1-{last}")


def cluster(*states: ServerState | None) -> list[Member]:
    numbered = [
        replace(state, server_id=number) if state is not None and state.running else state
        for number, state in enumerate(states, start=1)
    ]
    return [Member(f"db{number}", f"10.0.0.{number}", state) for number, state in enumerate(numbered, start=1)]


FOLLOWING = Replication("10.0.0.2", 3306, "replication", "Yes", True, True, True, True, "ca", 5, 0, "")
CUT = {"10.0.0.1": "ONLINE", "10.0.0.2": "UNREACHABLE", "10.0.0.3": "UNREACHABLE"}
MOST = {"10.0.0.2": "ONLINE", "10.0.0.3": "ONLINE"}


@pytest.mark.parametrize(
    ("states", "primary", "begins"),
    [
        pytest.param([FRESH, FRESH, FRESH], "db1", True, id="new"),
        pytest.param([DOWN, DOWN, DOWN], "db1", False, id="nothing installed, and nobody says what it is set up for"),
        pytest.param([member(2), member(2, leads=True), member(2)], "db2", False, id="as the group has it"),
        pytest.param([member(2), member(2, leads=True), None], "db2", False, id="a member does not answer"),
        pytest.param([FRESH, member(3), member(3, leads=True)], "db3", False, id="a new host joins"),
        pytest.param(
            [member(1, seen=CUT, leads=True), member(2, seen=MOST, leads=True), member(2, seen=MOST)],
            "db2",
            False,
            id="the old one believes to lead, and hears nobody",
        ),
        pytest.param(
            [
                replace(FRESH, gtid_state=f"{OWN}:1-9", replication=FOLLOWING),
                replace(FRESH, gtid_state=f"{OWN}:1-9"),
                replace(FRESH, gtid_state=f"{OWN}:1-9", replication=FOLLOWING),
            ],
            "db2",
            True,
            id="servers that replicated the manual way begin with their primary",
        ),
    ],
)
def test_the_group_is_led_by_whom_it_chose(states: list[ServerState | None], primary: str, begins: bool) -> None:
    decision = decide(cluster(*states), "db1")
    assert (decision.primary, decision.begins_group) == (primary, begins)


@pytest.mark.parametrize(
    ("states", "recover", "reason"),
    [
        pytest.param(
            [ended(8), ended(9), ended(8)],
            "",
            "db2 hold(s) all that any server holds. To have",
            id="all ended, not told",
        ),
        pytest.param([ended(8), ended(9), ended(8)], "db1", "allowed is db2", id="told the wrong one"),
        pytest.param(
            [ended(8), ended(9), DOWN], "db2", "db3 did not answer: the group may run there", id="one is away"
        ),
        pytest.param(
            [member(1, seen=CUT, leads=True), None, None], "db1", "db2, db3 did not answer", id="a minority, cut off"
        ),
        pytest.param([FRESH, ended(9), None], "db1", "db3 did not answer", id="a new host is no reason to begin"),
        pytest.param(
            [member(1), member(1), member(3)], "", "more than one group, or one that is choosing", id="two leaders"
        ),
    ],
)
def test_no_group_is_begun_beside_another(states: list[ServerState | None], recover: str, reason: str) -> None:
    with pytest.raises(TopologyError, match=re.escape(reason)):
        decide(cluster(*states), "db1", recover=recover)


def test_a_group_begins_anew_with_the_server_that_was_sent_most() -> None:
    """What it was sent and has not applied counts: it is applied before anything else."""
    states = cluster(ended(8, received=12), ended(9, received=11), ended(11))
    decision = decide(states, "db2", recover="db1")
    assert (decision.primary, decision.begins_group) == ("db1", True)
    assert decide(cluster(ended(9), ended(9), None), "db1", recover="db2", give_up=["db3"]).primary == "db2"


def survey(*states: ServerState | None) -> Survey:
    answers = []
    for number, state in enumerate(states, start=1):
        name, address = f"db{number}", f"10.0.0.{number}"
        known = replace(state, server_id=number) if state is not None else None
        silence = "" if state is not None else "no answer within 5 s"
        answers.append(Answer(name, address, known, NO_SEMI_SYNC if known else None, silence))
    return describe(answers)


def test_a_whole_group_is_told_without_a_problem() -> None:
    found = survey(member(2), member(2, leads=True), member(2))
    assert (found.primary, found.certain, found.problems, found.doubts) == ("db2", True, [], [])
    assert found.conclusion == "db2 is the primary of a group of 3 (all ONLINE)."
    assert [server.role for server in found.servers] == ["secondary", "primary", "secondary"]
    assert [line.split()[-1] for line in summary(found)[1:]] == ["group", "ONLINE", "ONLINE", "ONLINE"]


def test_an_old_primary_that_is_cut_off_is_not_the_primary() -> None:
    found = survey(member(1, seen=CUT, leads=True), member(2, seen=MOST, leads=True), member(2, seen=MOST))
    assert (found.primary, found.conclusion) == ("db2", "db2 is the primary of a group of 2 (all ONLINE).")
    assert found.problems == [
        "db1 does not hear db2 and db3",
        "db1 does not hear most of its group: it confirms no write",
    ]


def test_a_silent_server_beside_a_group_is_not_the_primary() -> None:
    found = survey(member(3), None, member(3, leads=True))
    assert (found.primary, found.certain) == ("db3", True)
    assert found.doubts[0].endswith("the group has chosen another, so it is not the primary")


def test_nobody_leads_a_group_that_ended() -> None:
    found = survey(ended(9), ended(9), None)
    assert (found.primary, found.certain) == ("", False)
    assert found.conclusion.startswith("No group runs, so nobody can write, as far as db1 and db2 can tell")
    assert "db1 is OFFLINE in its group" in found.problems


@pytest.fixture(scope="module", params=[one_kind("mysql", "group")])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """One MySQL server."""
    with SERVERS[request.param].start(tmp_path_factory.mktemp("group")) as running:
        yield running


def test_tables_that_a_group_cannot_take_are_named_and_mended(server: DatabaseServer) -> None:
    server.sql(
        "CREATE DATABASE one; CREATE TABLE one.bare (a INT); CREATE TABLE one.maybe (a INT NULL UNIQUE);"
        "CREATE TABLE one.unique_key (a INT NOT NULL, b INT NOT NULL, UNIQUE (a, b));"
        "CREATE TABLE one.good (a INT PRIMARY KEY);"
        "CREATE VIEW one.looks AS SELECT * FROM one.bare;"
        "CREATE DATABASE `odd-name`; CREATE TABLE `odd-name`.old (a INT PRIMARY KEY) ENGINE=MyISAM;"
        "CREATE TABLE `odd-name`.both_of_it (a INT) ENGINE=MyISAM;"
        "SET sql_generate_invisible_primary_key = ON; CREATE TABLE one.invisible (a INT)"
    )
    with open_local(server.socket) as session:
        found = unfit_tables(session)
        assert found == [
            "odd-name.both_of_it (no primary key, engine MyISAM)",
            "odd-name.old (engine MyISAM)",
            "one.bare (no primary key)",
            "one.maybe (no primary key)",
        ]
        for statement in mending(found):
            session.execute(statement)
        assert unfit_tables(session) == []
    assert server.sql("INSERT INTO one.bare VALUES (7); SELECT * FROM one.bare") == [["7"]], "the key does not show"
