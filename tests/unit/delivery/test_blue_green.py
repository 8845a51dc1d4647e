"""Which set of instances a step of blue_green.yml works on, what hosts get, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.filter.blue_green import (
    blue_green_plan,
    blue_green_report,
    blue_green_undone,
)
from ansible_collections.trinitycore.mcp.plugins.filter.delivery import delivery_members

OLD, NEW = "2.0-aa", "2.1-bb"
BLUE, GREEN = ["app1-1", "app2-1"], ["app1-2", "app2-2"]


class Cluster:
    """App hosts with as many instances each, and load balancers before them."""

    def __init__(self, hosts: int = 2, instances: int = 2, balancers: int = 2) -> None:
        self.hosts = [f"app{number}" for number in range(1, hosts + 1)]
        self.hostvars: dict[str, Any] = {
            host: {
                "ansible_host": f"10.0.0.{number}",
                "mcp_server_instances": instances,
                "mcp_server_units": [{"name": f"unit{each}"} for each in range(instances)],
                "mcp_server_live": {
                    "current": OLD,
                    "previous": "",
                    "standby": "",
                    "instances": {str(each): OLD for each in range(1, instances + 1)},
                },
            }
            for number, host in enumerate(self.hosts, 1)
        }
        self.statuses: dict[str, Any] = {
            f"lb{number}": {
                "members": [
                    {"id": f"{host}-{each}", "host": host, "state": "active", "health": "up", "reason": ""}
                    for host in self.hosts
                    for each in range(1, instances + 1)
                ]
            }
            for number in range(1, balancers + 1)
        }

    def out(self, *names: str, balancers: tuple[str, ...] = ("lb1", "lb2"), state: str = "drained") -> Cluster:
        """Have load balancers give no calls to these, and calls to all others."""
        for balancer in balancers:
            for member in self.statuses[balancer]["members"]:
                member["state"] = state if member["id"] in names else "active"
        return self

    def down(self, *names: str) -> Cluster:
        """Have the checks of one load balancer say that these are down."""
        for member in self.statuses["lb2"]["members"]:
            if member["id"] in names:
                member |= {"health": "down", "reason": "refused"}
        return self

    def runs(self, release: str, *names: str) -> Cluster:
        """Give instances a release."""
        for name in names:
            host, _, number = name.rpartition("-")
            self.hostvars[host]["mcp_server_live"]["instances"][number] = release
        return self

    def has(self, **links: str) -> Cluster:
        """Have all hosts say this of ``current`` and ``standby``."""
        for host in self.hosts:
            self.hostvars[host]["mcp_server_live"] |= links
        return self

    def plan(self, step: str = "switch", release: str = NEW, *, force: bool = False) -> dict[str, Any]:
        """Return what the step would do."""
        members = delivery_members(self.hosts, self.hostvars, self.statuses)
        release = release if step == "switch" else ""
        return blue_green_plan(self.hosts, self.hostvars, members, self.statuses, step, release, force)

    def refusal(self, step: str = "switch", release: str = NEW) -> str:
        """Return why the step is refused."""
        return "\n".join(self.plan(step, release)["problems"])


def switched() -> Cluster:
    """Return a cluster after a switch: green is live with the new release."""
    return Cluster().out(*BLUE).runs(NEW, *GREEN).has(current=NEW, standby=OLD)


def sides(plan: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the action, the set that is worked on and the live one, each with its release."""
    idle, live = plan["idle"], plan["live"]
    return plan["action"], idle["ids"], idle["release"], live["ids"], live["release"]


def test_where_all_get_calls_the_second_half_gets_the_release() -> None:
    plan = Cluster().plan()
    assert sides(plan) == ("switch", GREEN, NEW, BLUE, OLD)
    assert plan["problems"] == []
    assert plan["idle"]["active"]
    assert [member["id"] for member in plan["idle"]["members"]] == GREEN
    assert plan["links"]["app2"] == {
        "given": {"standby": NEW, "instances": {"2": NEW}},
        "kept": {"current": NEW, "standby": OLD, "instances": {"2": NEW}},
        "undone": {"current": OLD, "standby": "", "instances": {"2": OLD}},
    }
    assert Cluster(hosts=1, instances=4).plan()["idle"]["ids"] == ["app1-3", "app1-4"]


def test_a_set_that_is_out_everywhere_is_the_idle_one() -> None:
    plan = Cluster().out(*BLUE).plan()
    assert sides(plan) == ("switch", BLUE, NEW, GREEN, OLD)
    assert not plan["idle"]["active"]
    third = switched().plan(release="2.2-cc")
    assert sides(third) == ("switch", BLUE, "2.2-cc", GREEN, NEW)
    assert third["links"]["app1"]["kept"] == {"current": "2.2-cc", "standby": NEW, "instances": {"1": "2.2-cc"}}
    assert third["links"]["app1"]["undone"] == {"current": NEW, "standby": OLD, "instances": {"1": OLD}}


def test_the_live_release_is_not_put_out_again() -> None:
    plan = switched().plan()
    assert plan["action"] == "none"
    assert plan["links"]["app1"]["kept"] == {"current": NEW, "standby": OLD, "instances": {}}
    assert Cluster().plan(release=OLD)["action"] == "none"
    assert Cluster().plan(release=OLD)["links"]["app1"]["kept"] == {"current": OLD, "standby": "", "instances": {}}


@pytest.mark.parametrize(
    "cut_short",
    [
        pytest.param(lambda: Cluster().out(*GREEN, balancers=("lb1",)), id="before all load balancers drained"),
        pytest.param(lambda: Cluster().out(*GREEN).runs(NEW, "app1-2"), id="before all hosts had the release"),
        pytest.param(
            lambda: Cluster().out(*GREEN, balancers=("lb1",)).out(*BLUE, balancers=("lb2",)).runs(NEW, *GREEN),
            id="before all load balancers switched",
        ),
    ],
)
def test_an_interrupted_switch_goes_on(cut_short: Any) -> None:
    plan = cut_short().plan()
    assert sides(plan) == ("switch", GREEN, NEW, BLUE, OLD)
    assert not plan["idle"]["active"]


def test_interrupted_before_hosts_knew_it_the_switch_is_noted_down() -> None:
    plan = Cluster().out(*BLUE).runs(NEW, *GREEN).has(current=OLD, standby=NEW).plan()
    assert plan["action"] == "none"
    assert plan["links"]["app1"]["kept"] == {"current": NEW, "standby": OLD, "instances": {}}


def test_back_and_forth() -> None:
    plan = switched().plan("back")
    assert sides(plan) == ("back", BLUE, OLD, GREEN, NEW)
    assert plan["links"]["app1"]["given"] == {"current": OLD, "standby": NEW, "instances": {}}
    assert plan["links"]["app1"]["undone"]["current"] == NEW
    forth = Cluster().out(*GREEN).runs(NEW, *GREEN).has(current=OLD, standby=NEW).plan("back")
    assert sides(forth) == ("back", GREEN, NEW, BLUE, OLD)


def test_back_finishes_what_was_interrupted_at_the_current_release() -> None:
    between = Cluster().out(*GREEN, balancers=("lb1",)).out(*BLUE, balancers=("lb2",)).runs(NEW, *GREEN)
    assert sides(between.has(current=OLD, standby=NEW).plan("back"))[1:3] == (BLUE, OLD)
    assert sides(between.has(current=NEW, standby=OLD).plan("back"))[1:3] == (GREEN, NEW)


def test_back_goes_without_hosts_that_a_run_leaves_out() -> None:
    cluster = switched()
    cluster.hosts = ["app1"]
    plan = cluster.plan("back")
    assert (plan["idle"]["ids"], plan["live"]["ids"]) == (BLUE, GREEN)
    assert list(plan["links"]) == ["app1"]


def test_back_needs_a_set_that_is_up_unless_forced() -> None:
    cluster = switched().down("app2-1")
    assert cluster.refusal("back") == (
        "app2-1 is down, says lb2: refused (-e force=true switches as long as one is up)"
    )
    assert cluster.plan("back", force=True)["problems"] == []
    assert "so there is no set to switch back to" in Cluster().refusal("back")
    assert "both sets have 2.0-aa" in Cluster().out(*GREEN).refusal("back")


def test_the_end_gives_all_the_live_release() -> None:
    plan = switched().plan("end")
    assert sides(plan) == ("end", BLUE, NEW, GREEN, NEW)
    assert plan["links"]["app2"]["given"] == {"current": NEW, "standby": "", "instances": {"1": NEW}}
    part = switched().out("app2-1").plan("end")
    assert part["idle"]["ids"] == BLUE, "one that came back by hand gets the live release too"
    assert switched().out().plan("end")["idle"]["ids"] == BLUE
    done = Cluster().plan("end")
    assert (done["action"], done["links"]["app1"]["kept"]["standby"]) == ("none", "")
    assert blue_green_report(done, []).endswith("app1-1, app1-2, app2-1, app2-2 get calls with 2.0-aa.")


@pytest.mark.parametrize("step", ["switch", "back", "end"])
@pytest.mark.parametrize(("instances", "value"), [(1, 1), (3, 3), (3, 0)])
def test_an_odd_number_of_instances_is_refused(step: str, instances: int, value: int) -> None:
    cluster = Cluster(hosts=1, instances=instances)
    cluster.hostvars["app1"] |= {"mcp_server_instances": value, "ansible_facts": {"processor_nproc": instances}}
    said = cluster.refusal(step)
    assert said.startswith(f"mcp_server_instances is {value} on app1")
    assert said.endswith("for two sets it must be even: 2, 4, 6 ...")
    assert (f"which makes {instances} by its processors" in said) == (value == 0)


@pytest.mark.parametrize("step", ["switch", "back"])
def test_a_part_of_a_set_that_is_out_is_refused(step: str) -> None:
    said = Cluster().out("app1-2").refusal(step)
    assert said.startswith("app1-2 is out of lb1; it must be none, or a whole set (blue: app1-1, app2-1; green: ")
    assert "app1-1, app1-2 are out of lb1" in Cluster().out("app1-1", "app1-2").refusal(step)
    assert "app1-2 is removed on lb1: undrain.yml first" in Cluster().out(*GREEN, state="removed").refusal(step)


def test_a_host_that_is_out_is_not_put_back_by_the_end() -> None:
    said = switched().out("app1-1", "app1-2", "app2-1").refusal("end")
    assert said.startswith("instances of both sets are out of load balancers (app1-1, app1-2, app2-1): undrain.yml")


def test_what_else_is_in_the_way_of_a_switch() -> None:
    assert "app2-1 is down, says lb2: refused" in Cluster().down("app2-1").refusal()
    assert Cluster().out(*GREEN).down("app2-2").refusal() == "", "the idle set is started anew"
    assert "different releases (app1-1: 2.1-bb, app2-1: 2.0-aa)" in Cluster().runs(NEW, "app1-1").refusal()
    assert "blue_green.yml -e step=end first" in Cluster().runs(NEW, *GREEN).refusal()
    between = Cluster().out(*GREEN, balancers=("lb1",)).out(*BLUE, balancers=("lb2",)).runs(NEW, *GREEN)
    assert "-e step=back finishes it" in between.refusal(release="2.2-cc")
    cluster = Cluster()
    cluster.statuses["lb1"]["members"].pop()
    assert cluster.refusal() == "lb1 does not know app2-2: run site.yml first"
    assert Cluster().runs("", "app1-1").refusal() == "app1-1 has no release of its own: run site.yml first"


def test_the_report_says_who_gets_calls_and_how_to_go_on() -> None:
    said = blue_green_report(switched().plan("back"), [0.51, 0.6])
    assert said.startswith(
        "The blue set (app1-1, app2-1) gets all calls with 2.0-aa, 0.6 s after load balancers were told."
    )
    assert "green set (app1-2, app2-2) stands by with 2.1-bb: -e step=back" in said
    assert blue_green_report(switched().plan(), []).startswith("There is nothing to do: app1-2, app2-2 get calls")
    ended = "All instances get calls with 2.1-bb: app1-1, app1-2, app2-1, app2-2."
    assert blue_green_report(switched().plan("end"), [0.5]) == ended
    assert blue_green_report(switched().plan("end"), [], check=True) == f"Would be done: {ended}"


def test_after_a_failure_it_is_said_who_gets_calls_and_what_is_left() -> None:
    assert blue_green_undone(Cluster().plan(), []) == (
        "Taken back: calls go to app1-1, app1-2, app2-1, app2-2 with 2.0-aa."
    )
    left = blue_green_undone(Cluster().plan(), ["app2 is away"])
    assert left.startswith(
        "Taken back: calls go to app1-1, app2-1 with 2.0-aa. NOT put right: app2 is away. The green set"
    )
    assert "calls go to app1-2, app2-2 with 2.1-bb." in blue_green_undone(switched().plan("back"), [])
    assert blue_green_undone(switched().plan("end"), []).startswith(
        "The green set goes on with 2.1-bb. The blue set is out"
    )
