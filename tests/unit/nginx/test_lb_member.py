"""Module lb_member before a real NGINX: what it says is what NGINX does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import EdgeError
from ansible_collections.trinitycore.mcp.plugins.modules.lb_member import bring

from tests.support.edge import Edge, Instance
from tests.support.waiting import wait_for
from tests.unit.nginx.test_balancer import shares

Bring = Callable[..., dict[str, Any]]


@pytest.fixture
def bring_to(edge: Edge) -> Bring:
    """Return the module, for this edge."""

    def run(name: str, state: str, *, dry: bool = False, **options: Any) -> dict[str, Any]:
        given = {
            "name": name,
            "state": state,
            "force": False,
            "timeout": 5.0,
            "drain_timeout": 5.0,
            "states_file": str(edge.directory / "states.json"),
            "control_socket": str(edge.directory / "control.sock"),
            **options,
        }
        return bring(given, dry=dry)

    return run


def test_a_host_goes_out_and_comes_back(edge: Edge, bring_to: Bring) -> None:
    done = bring_to("app1", "drained")
    assert done["changed"]
    assert done["states"] == {"app1": "drained"}
    assert {(each["id"], each["state"]) for each in done["members"]} == {("app1-1", "drained"), ("app1-2", "drained")}
    assert set(shares(edge, 10)) == {"app2-1"}
    assert not bring_to("app1", "drained")["changed"]
    back = bring_to("app1", "active")
    assert (back["changed"], back["states"]) == (True, {})
    assert len(shares(edge, 12)) == 3


def test_an_instance_has_a_state_of_its_own_until_its_host_gets_one(bring_to: Bring) -> None:
    assert bring_to("app1-2", "drained")["states"] == {"app1-2": "drained"}
    assert bring_to("app1", "removed")["states"] == {"app1": "removed"}
    assert bring_to("app1-2", "active")["states"] == {"app1": "removed", "app1-2": "active"}
    assert bring_to("app1", "active")["states"] == {}


def test_check_mode_changes_nothing(edge: Edge, bring_to: Bring) -> None:
    foretold = bring_to("app1", "drained", dry=True)
    assert foretold["changed"]
    assert foretold["diff"] == {"before": "{}\n", "after": '{\n  "app1": "drained"\n}\n'}
    assert edge.status()["states"] == {}
    assert not (edge.directory / "states.json").exists()


def test_calls_under_way_are_waited_for(edge: Edge, instances: list[Instance], bring_to: Bring) -> None:
    for each in instances:
        each.delay = 2.0
    callers = [threading.Thread(target=edge.call, args=("creature_get",)) for _ in range(6)]
    for caller in callers:
        caller.start()
    wait_for(lambda: sum(edge.member(name)["calls_under_way"] for name in ("app1-1", "app1-2")) > 0)
    with pytest.raises(EdgeError, match=r"calls are still under way after 0.1 s: app1-[12] has "):
        bring_to("app1", "drained", drain_timeout=0.1)
    began = time.monotonic()
    assert all(each["calls_under_way"] == 0 for each in bring_to("app1", "drained")["members"])
    assert time.monotonic() - began > 0.3
    for caller in callers:
        caller.join()


def test_the_last_one_stays_unless_forced(bring_to: Bring, edge: Edge) -> None:
    bring_to("app1", "drained")
    with pytest.raises(EdgeError, match=r"'app2' is the last that is active"):
        bring_to("app2", "drained")
    assert edge.status()["states"] == {"app1": "drained"}
    assert bring_to("app2", "drained", force=True)["changed"]
    assert edge.call("creature_get").status == 503


def test_what_is_not_ready_is_not_said_to_be_back(instances: list[Instance], bring_to: Bring) -> None:
    bring_to("app2", "removed")
    instances[2].health = "draining"
    with pytest.raises(EdgeError, match=r"not within 2 s: app2-1 is down \(draining\)"):
        bring_to("app2", "active", timeout=2.0)
    instances[2].health = "ready"
    (member,) = bring_to("app2", "active")["members"]
    assert (member["state"], member["health"]) == ("active", "up")


def test_a_name_that_nobody_has(bring_to: Bring) -> None:
    with pytest.raises(EdgeError, match=r"'app9' is neither an app host nor an instance; there are app1, app1-1"):
        bring_to("app9", "drained")


def test_an_nginx_that_does_not_listen_to_its_file_is_noticed(bring_to: Bring, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    with pytest.raises(EdgeError, match=r"not within 1 s: app1-1 is active; app1-2 is active"):
        bring_to("app1", "drained", states_file=str(elsewhere), timeout=1.0)


def test_an_nginx_that_is_gone(bring_to: Bring, tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="NGINX does not answer at "):
        bring_to("app1", "drained", control_socket=str(tmp_path / "none.sock"))
    with pytest.raises(EdgeError, match="is the role nginx deployed on this host"):
        bring_to("app1", "drained", states_file=str(tmp_path / "no" / "states.json"))


def test_a_file_that_was_broken_by_hand(edge: Edge, bring_to: Bring) -> None:
    (edge.directory / "states.json").write_text("{")
    with pytest.raises(EdgeError, match="is not JSON"):
        bring_to("app1", "drained")


def test_the_last_one_that_is_up_stays_unless_forced(bring_to: Bring, edge: Edge, instances: list[Instance]) -> None:
    """Whoever is active and not there is no help."""
    instances[2].health = "draining"
    wait_for(lambda: edge.member("app2-1")["health"] == "down")
    with pytest.raises(EdgeError, match=r"'app1' is the last that is up \(app2-1 is down\): nobody would answer calls"):
        bring_to("app1", "drained")
    assert edge.status()["states"] == {}
    assert bring_to("app1-1", "drained")["changed"]
    assert bring_to("app1", "drained", force=True)["changed"]
