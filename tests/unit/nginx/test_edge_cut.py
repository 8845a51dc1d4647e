"""Connections to an app host that is gone: by rule, and before a real NGINX."""

from __future__ import annotations

import threading
from typing import Any

from tests.support.binaries import free_port
from tests.support.edge import Answer, Edge, Instance
from tests.support.programs import ROLES, load
from tests.support.waiting import wait_for

edge_cut = load(ROLES / "nginx" / "files" / "edge_cut.py")
ONE, TWO, OTHER = (edge_cut.Port(host, "192.0.2.1", port) for host, port in (("app1", 1), ("app1", 2), ("app2", 1)))


def member(at: Any, health: str, state: str = "active") -> dict[str, Any]:
    """Return what NGINX says of an instance."""
    return {"host": at.host, "address": at.address, "port": at.port, "health": health, "state": state}


def test_a_host_is_suspect_when_nothing_of_it_is_up_and_another_host_is() -> None:
    assert edge_cut.suspects([member(ONE, "down"), member(TWO, "down"), member(OTHER, "up")]) == [ONE, TWO]
    assert edge_cut.suspects([member(ONE, "down"), member(TWO, "up"), member(OTHER, "up")]) == []
    assert edge_cut.suspects([member(ONE, "down"), member(OTHER, "down")]) == []
    assert edge_cut.suspects([member(ONE, "down", "removed"), member(OTHER, "up")]) == []
    assert edge_cut.suspects([member(ONE, "down", "drained"), member(OTHER, "up")]) == [ONE]


def test_it_is_gone_when_its_kernel_is_silent_three_times_in_a_row() -> None:
    judge = edge_cut.Judge()
    rounds = [(False, False), (False, False), (False, True), (False, False), (False, False), (False, False)]
    assert [judge.gone([ONE, TWO], each) for each in rounds] == [set()] * 5 + [{"app1"}]
    assert judge.gone([ONE, TWO], (True, False)) == set()
    assert judge.gone([], []) == set()


def test_a_kernel_that_refuses_is_there(instances: list[Instance]) -> None:
    assert edge_cut.answers(edge_cut.Port("app1", "127.0.0.1", instances[0].port))
    assert edge_cut.answers(edge_cut.Port("app1", "127.0.0.1", free_port()))


def test_calls_that_only_read_go_to_another_instance_when_theirs_is_cut(edge: Edge, instances: list[Instance]) -> None:
    gone = instances[2]
    gone.mode = "hang"
    answers: dict[str, Answer] = {}
    callers = [
        threading.Thread(target=lambda tool=tool: answers.update({tool: edge.call(tool)}))
        for tool in ("creature_get", "account_ban")
    ]
    edge.write_states({"app1": "drained"})
    for caller in callers:
        caller.start()
    wait_for(lambda: sorted(gone.calls) == ["account_ban", "creature_get"])
    edge.write_states({})
    assert answers == {}

    [at] = [one for one in map(port_of, edge_cut.members(str(edge.directory / "control.sock"))) if one.host == "app2"]
    assert edge_cut.cut(at) >= 2

    for caller in callers:
        caller.join()
    assert answers["creature_get"].status == 200
    assert answers["creature_get"].instance in ("app1-1", "app1-2")
    assert answers["account_ban"].status == 502
    assert "may have been carried out" in answers["account_ban"].json()["error"]["message"]


def port_of(one: dict[str, Any]) -> Any:
    """Return where an instance listens."""
    return edge_cut.Port(one["host"], one["address"], one["port"])
