"""Which release an operator means, and what is in the way of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.filter.delivery import (
    delivery_members,
    delivery_problems,
    delivery_reason,
    delivery_unreached,
    rollback_target,
    upgrade_target,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.wheelhouse import source_version


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Sources of version 2.1."""
    (tmp_path / "src").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "2.1"\n')
    return tmp_path


def live(*installed: str, previous: str = "", **instances: str) -> dict[str, Any]:
    """Return what a host says; the first release is the current one."""
    return {
        "current": installed[0],
        "previous": previous,
        "installed": list(installed),
        "instances": instances or {"1": installed[0]},
    }


def test_what_the_sources_make_is_meant_by_its_version_or_its_whole_name(source: Path) -> None:
    made, lives = source_version(source), {"app1": live("2.0-aa")}
    for name in ("2.1", made):
        assert upgrade_target(name, str(source), lives) == {"release": made, "problem": ""}


def test_a_release_that_all_hosts_have_needs_no_sources(source: Path) -> None:
    lives = {"app1": live("2.0-aa", "1.9-bb", "1.8-cc"), "app2": live("2.0-aa", "1.9-bb")}
    assert upgrade_target("1.9", str(source), lives)["release"] == "1.9-bb"
    assert upgrade_target("1.9-bb", "/nowhere", lives)["release"] == "1.9-bb"
    assert upgrade_target("1.8", str(source), lives)["release"] == ""


@pytest.mark.parametrize(("version", "said"), [("", "version is not set; "), ("3", "version is '3'; ")])
def test_another_version_is_refused_with_what_there_is(source: Path, version: str, said: str) -> None:
    found = upgrade_target(version, str(source), {"app1": live("2.0-aa")})
    assert found["release"] == ""
    assert found["problem"].startswith(said)
    assert f"2.1 (or {source_version(source)}), made of {source}" in found["problem"]
    assert found["problem"].endswith("installed on every app host: 2.0-aa")
    assert "none made of source '/nowhere'" in upgrade_target(version, "/nowhere", {"app1": live("2.0-aa")})["problem"]


def test_two_releases_of_one_version_are_told_apart_by_the_whole_name(source: Path) -> None:
    lives = {"app1": live("2.0-aa", "2.0-bb")}
    assert "which 2.0-aa and 2.0-bb are" in upgrade_target("2.0", str(source), lives)["problem"]
    assert rollback_target("2.0-bb", lives)["release"] == "2.0-bb"
    assert "stands for 2.0-aa and 2.0-bb" in rollback_target("2.0", lives)["problem"]


def test_back_goes_to_the_previous_release() -> None:
    lives = {host: live("2.1-bb", "2.0-aa", previous="2.0-aa") for host in ("app1", "app2")}
    assert rollback_target("", lives) == {"release": "2.0-aa", "problem": ""}
    assert "there is no previous release on app1" in rollback_target("", {"app1": live("2.1-bb")})["problem"]
    assert "which is not installed on every app host" in rollback_target("7", lives)["problem"]
    lives["app2"]["previous"] = ""
    assert "not the same on all app hosts (app1: 2.0-aa, app2: none)" in rollback_target("", lives)["problem"]


def test_back_from_an_interrupted_upgrade_goes_to_the_current_release() -> None:
    half = {"1": "2.1-bb", "2": "2.0-aa"}
    lives = {
        "app1": {**live("2.0-aa", "2.1-bb", "1.9-cc", previous="1.9-cc"), "instances": half},
        "app2": live("2.0-aa", "2.1-bb", "1.9-cc", previous="1.9-cc"),
    }
    assert rollback_target("", lives)["release"] == "2.0-aa"


def status(**states: str) -> dict[str, Any]:
    """Return what a load balancer says: ``app1_1="active up"``."""
    return {
        "members": [
            {"id": name.replace("_", "-"), "state": said.split()[0], "health": said.split()[1], "reason": "refused"}
            for name, said in states.items()
        ]
    }


def members(*statuses: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the instances of one host with two, and the load balancers' words by name."""
    hostvars = {
        "app1": {
            "ansible_host": "10.0.0.21",
            "mcp_server_instances": 2,
            "mcp_server_units": [{"name": "one"}, {"name": "two"}],
            "mcp_server_live": live("2.0-aa", **{"1": "2.0-aa", "2": "2.1-bb"}),
        }
    }
    named = {f"lb{number}": said for number, said in enumerate(statuses, 1)}
    return delivery_members(["app1"], hostvars, named), named


def test_instances_with_all_that_a_delivery_needs() -> None:
    (one, two), named = members(status(app1_1="active up", app1_2="drained up"))
    assert (one["id"], one["release"], one["active"], one["unit"]) == ("app1-1", "2.0-aa", True, {"name": "one"})
    assert one["watch"]["metrics_url"] == "https://10.0.0.21:9464/metrics"
    assert (two["url"], two["release"], two["active"]) == ("https://10.0.0.21:8002/mcp", "2.1-bb", False)
    assert delivery_problems([one, two], named, force=True) == []
    assert delivery_problems([one, two], named) == [
        "only app1-1 is active, and nobody would answer while it is restarted; -e force=true does it"
    ]


def test_instances_of_hosts_that_a_run_leaves_out_answer_meanwhile() -> None:
    listed, named = members(status(app1_1="active up", app1_2="drained up", app2_1="active up"))
    assert delivery_problems(listed, named) == []


def test_what_is_in_the_way() -> None:
    both = {"app1_1": "active up", "app1_2": "active up"}
    listed, named = members(status(**both), status(**both))
    assert delivery_problems(listed, named) == []
    listed, named = members(status(**both), status(app1_1="active down"))
    assert delivery_problems(listed, named) == [
        "app1-1 is down, says lb2: refused",
        "lb2 does not know app1-2: run site.yml first",
    ]
    assert len(delivery_problems(listed, named, healthy=False)) == 1
    listed, named = members(status(**both), status(app1_1="drained up", app1_2="active up"))
    assert "app1-1 is active on lb1 only: drain.yml or undrain.yml makes it equal" in delivery_problems(listed, named)
    listed[0]["release"] = ""
    assert "app1-1 has no release of its own: run site.yml first" in delivery_problems(listed, named)


def test_the_reason_of_a_loop_is_that_of_its_items() -> None:
    assert delivery_reason({"msg": "no"}) == "no"
    looped = {"msg": "One or more items failed", "results": [{"msg": "ok"}, {"failed": True, "msg": "lb2 is away"}]}
    assert delivery_reason(looped) == "lb2 is away"


def test_who_could_not_be_reached_is_named_once() -> None:
    lost = {"unreachable": True, "msg": "no route to lb2"}
    assert delivery_unreached([{"msg": "ok"}, {"results": [{"msg": "ok"}, lost, lost]}, lost]) == "no route to lb2"
    assert delivery_unreached([{"failed": True, "msg": "no"}, {"results": []}, {"skipped": True}]) == ""


def test_while_a_set_stands_by_nothing_else_is_put_out() -> None:
    listed, named = members(status(app1_1="active up", app1_2="drained up"))
    listed[0]["standby"] = "2.0-aa"
    assert delivery_problems(listed, named, force=True) == [
        "a set of instances stands by with a release of its own (app1: 2.0-aa): blue_green.yml -e step=end first, "
        "which gives it the live one; -e step=back switches to that set"
    ]
