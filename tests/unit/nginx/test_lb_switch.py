"""Module lb_switch before a real NGINX: calls go from some instances to others, in one step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.control import Control
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.states import EdgeError
from ansible_collections.trinitycore.mcp.plugins.module_utils.edge.switch import Wish, switch

from tests.support.edge import Edge, Instance
from tests.support.waiting import wait_for
from tests.unit.nginx.test_balancer import shares

Switch = Callable[..., dict[str, Any]]


@pytest.fixture
def switch_to(edge: Edge) -> Switch:
    """Return the module, for this edge."""

    def run(
        active: list[str],
        drained: list[str],
        *,
        force: bool = False,
        timeout: float = 5.0,
        drain_timeout: float = 0.0,
        dry: bool = False,
    ) -> dict[str, Any]:
        control, path = Control(str(edge.directory / "control.sock")), str(edge.directory / "states.json")
        return switch(path, control, Wish(active, drained, force), timeout, drain_timeout, dry=dry)

    return run


def test_a_set_goes_out_and_the_other_one_comes_at_the_same_moment(edge: Edge, switch_to: Switch) -> None:
    answers: list[int] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            answers.append(edge.call("creature_get").status)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    assert switch_to([], ["app1-2", "app2-1"])["changed"]
    done = switch_to(["app1-2", "app2-1"], ["app1-1"])
    assert done["states"] == {"app1-1": "drained"}
    assert done["seconds"] < 5
    assert set(shares(edge, 10)) == {"app1-2", "app2-1"}
    assert not switch_to(["app1-2", "app2-1"], ["app1-1"])["changed"]
    back = switch_to(["app1-1"], ["app1-2", "app2-1"])
    assert back["states"] == {"app1-2": "drained", "app2-1": "drained"}
    assert set(shares(edge, 10)) == {"app1-1"}
    over.set()
    for caller in callers:
        caller.join()
    assert set(answers) == {200}


def test_nobody_gets_calls_who_is_not_up(edge: Edge, instances: list[Instance], switch_to: Switch) -> None:
    switch_to([], ["app1-2", "app2-1"])
    instances[2].health = "draining"
    wait_for(lambda: edge.member("app2-1")["health"] == "down")
    with pytest.raises(EdgeError, match=r"not within 1 s: app2-1 is down \(draining\)"):
        switch_to(["app1-2", "app2-1"], ["app1-1"], timeout=1.0)
    assert set(edge.status()["states"]) == {"app1-2", "app2-1"}
    assert switch_to(["app1-2", "app2-1"], ["app1-1"], force=True)["states"] == {"app1-1": "drained"}


def test_a_set_of_which_none_is_up_is_refused_with_force_too(
    edge: Edge, instances: list[Instance], switch_to: Switch
) -> None:
    switch_to([], ["app2"])
    instances[2].health = "draining"
    wait_for(lambda: edge.member("app2-1")["health"] == "down")
    with pytest.raises(EdgeError, match=r"nobody would answer calls without app1: app2-1 is down; nothing was changed"):
        switch_to(["app2"], ["app1"], force=True)
    assert edge.status()["states"] == {"app2": "drained"}
    with pytest.raises(EdgeError, match="without app1: nobody else is active"):
        switch_to([], ["app1"])


def test_one_that_was_just_started_is_waited_for(edge: Edge, instances: list[Instance], switch_to: Switch) -> None:
    switch_to([], ["app2-1"])
    instances[2].health = "draining"
    wait_for(lambda: edge.member("app2-1")["health"] == "down")
    threading.Timer(0.7, lambda: setattr(instances[2], "health", "ready")).start()
    assert switch_to(["app2-1"], ["app1"])["changed"]
    assert set(shares(edge, 6)) == {"app2-1"}


def test_calls_under_way_are_waited_for_if_asked(edge: Edge, instances: list[Instance], switch_to: Switch) -> None:
    instances[0].delay = 2.0
    switch_to([], ["app1-2", "app2-1"])
    caller = threading.Thread(target=edge.call, args=("creature_get",))
    caller.start()
    wait_for(lambda: edge.member("app1-1")["calls_under_way"] > 0)
    with pytest.raises(EdgeError, match=r"calls are still under way after 0.1 s: app1-1 has 1"):
        switch_to(["app1-2", "app2-1"], ["app1-1"], drain_timeout=0.1)
    began = time.monotonic()
    switch_to(["app1-2", "app2-1"], ["app1-1"], drain_timeout=5.0)
    assert edge.member("app1-1")["calls_under_way"] == 0
    assert time.monotonic() - began > 0.3
    caller.join()


def test_check_mode_changes_nothing(edge: Edge, instances: list[Instance], switch_to: Switch) -> None:
    foretold = switch_to(["app2"], ["app1"], dry=True)
    assert foretold["changed"]
    assert foretold["diff"] == {"before": "{}\n", "after": '{\n  "app1": "drained"\n}\n'}
    assert not (edge.directory / "states.json").exists()
    instances[2].health = "draining"
    wait_for(lambda: edge.member("app2-1")["health"] == "down")
    with pytest.raises(EdgeError, match="not within 0 s: app2-1 is down"):
        switch_to(["app2"], ["app1"], dry=True)


def test_names_that_make_no_sense(edge: Edge, switch_to: Switch) -> None:
    with pytest.raises(EdgeError, match=r"'app9-1' is neither an app host nor an instance"):
        switch_to(["app9-1"], ["app1"])
    with pytest.raises(EdgeError, match=r"app1-1 can't be active and drained"):
        switch_to(["app1-1"], ["app1"])
    assert not (edge.directory / "states.json").exists()


def test_a_file_that_cannot_be_written(edge: Edge, switch_to: Switch) -> None:
    (edge.directory / "states.json.new").mkdir()
    with pytest.raises(EdgeError, match=r"states.json can't be written: Is a directory"):
        switch_to(["app2"], ["app1"])
    assert edge.status()["states"] == {}
