"""Members that the inventory has no more leave a real NGINX without losing a call."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.retirement import Retirement
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import EdgeError

from tests.support.edge import Answer, Edge, Instance
from tests.support.waiting import wait_for


def retirement(edge: Edge, *names: str) -> Retirement:
    """Return what is done when only these stay."""
    members = [{"id": name, "host": name.rpartition("-")[0]} for name in names]
    return Retirement(Control(str(edge.directory / "control.sock")), members, str(edge.directory / "states.json"))


def drained(found: Retirement, *, dry: bool = False) -> dict[str, Any]:
    """Drain those who leave."""
    return found.drain(5.0, 5.0, dry=dry)


def test_a_host_that_leaves_finishes_its_calls_and_is_forgotten(edge: Edge, instances: list[Instance]) -> None:
    for each in instances:
        each.delay = 1.0
    answers: list[Answer] = []
    callers = [threading.Thread(target=lambda: answers.append(edge.call("creature_get"))) for _ in range(6)]
    for caller in callers:
        caller.start()
    wait_for(lambda: edge.member("app2-1")["calls_under_way"] > 0)

    leaves = retirement(edge, "app1-1", "app1-2")
    done = drained(leaves)

    assert (done["changed"], done["members"], done["states"]) == (True, ["app2-1"], {"app2-1": "drained"})
    assert edge.member("app2-1")["calls_under_way"] == 0
    for caller in callers:
        caller.join()
    assert [answer.status for answer in answers] == [200] * 6
    assert not drained(leaves)["changed"]

    with pytest.raises(EdgeError, match="NGINX still has app2-1"):
        leaves.forget(0.3, dry=False)
    edge.write_members(instances[:2])
    forgotten = leaves.forget(5.0, dry=False)
    assert (forgotten["changed"], forgotten["members"], forgotten["states"]) == (True, ["app2-1"], {})
    assert not leaves.forget(5.0, dry=False)["changed"]
    # One of that name that comes back gets calls.
    edge.write_members(instances)
    wait_for(lambda: edge.all_up(instances))
    assert edge.member("app2-1")["state"] == "active"


def test_who_stays_keeps_what_was_wished_for_it(edge: Edge) -> None:
    edge.write_states({"app1-2": "drained"})
    assert not drained(retirement(edge, "app1-1", "app1-2", "app2-1"))["changed"]
    assert drained(retirement(edge, "app1-1", "app1-2"))["states"] == {"app1-2": "drained", "app2-1": "drained"}


def test_a_whole_new_fleet_is_refused_while_none_of_it_serves(edge: Edge) -> None:
    with pytest.raises(EdgeError, match="'app1-1, app1-2, app2-1' is the last that is active.*take its place"):
        drained(retirement(edge, "web1-1"))
    assert edge.status()["states"] == {}


def test_check_mode_says_who_leaves_and_changes_nothing(edge: Edge) -> None:
    leaves = retirement(edge, "app1-1", "app1-2")
    foretold = drained(leaves, dry=True)
    assert foretold["changed"]
    assert foretold["diff"] == {"before": "{}\n", "after": '{\n  "app2-1": "drained"\n}\n'}
    assert edge.status()["states"] == {}
    assert not leaves.forget(5.0, dry=True)["changed"]


def test_where_nginx_was_never_deployed_nobody_leaves(tmp_path: Path) -> None:
    nowhere = Retirement(Control(str(tmp_path / "none.sock")), [], str(tmp_path / "none" / "states.json"))
    assert not drained(nowhere)["changed"]
    assert not nowhere.forget(0.1, dry=True)["changed"]
    stopped = Retirement(Control(str(tmp_path / "none.sock")), [], str(tmp_path / "states.json"))
    assert not drained(stopped)["changed"]
