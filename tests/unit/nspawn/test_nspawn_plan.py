"""From what is seen of a host and what is wanted to the steps between."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import fleet
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import LabError
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.files import write_json
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.host import Host, Observation, Spec
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.lab import Lab, load

ABSENT, STOPPED, BROKEN = Observation("absent"), Observation("stopped"), Observation("broken")
RUNNING, CUT = Observation("running", "up", 7), Observation("running", "cut", 7)
FROZEN = Observation("frozen", "up", 7)


@pytest.mark.parametrize(
    ("seen", "state", "network", "steps", "then"),
    [
        (ABSENT, "present", None, ["create"], STOPPED),
        (ABSENT, "started", "up", ["create", "start"], Observation("running", "up")),
        (ABSENT, "started", "cut", ["create", "start", "unplug"], Observation("running", "cut")),
        (ABSENT, "absent", None, [], ABSENT),
        (STOPPED, "present", "up", [], STOPPED),
        (STOPPED, "started", None, ["start"], Observation("running", "up")),
        (STOPPED, "killed", None, [], STOPPED),
        (RUNNING, "present", None, [], Observation("running", "up")),
        (RUNNING, "started", "up", [], Observation("running", "up")),
        (RUNNING, "started", "cut", ["unplug"], Observation("running", "cut")),
        (CUT, "started", None, [], Observation("running", "cut")),
        (CUT, "started", "up", ["plug"], Observation("running", "up")),
        (RUNNING, "frozen", None, ["freeze"], Observation("frozen", "up")),
        (FROZEN, "frozen", None, [], Observation("frozen", "up")),
        (FROZEN, "started", None, ["thaw"], Observation("running", "up")),
        (FROZEN, "stopped", None, ["shut_down"], STOPPED),
        (RUNNING, "stopped", "cut", ["shut_down"], STOPPED),
        (RUNNING, "killed", None, ["cut_power"], STOPPED),
        (RUNNING, "absent", None, ["remove"], ABSENT),
        (BROKEN, "started", None, ["mend", "start"], Observation("running", "up")),
        (BROKEN, "stopped", None, ["mend"], STOPPED),
        (BROKEN, "absent", None, ["remove"], ABSENT),
    ],
)
def test_steps(seen: Observation, state: str, network: str | None, steps: list[str], then: Observation) -> None:
    assert fleet.plan(seen, state, network) == (tuple(steps), then)


def test_new_limits_are_set_on_a_host_that_exists_only() -> None:
    assert fleet.plan(RUNNING, "started", None, limits_differ=True)[0] == ("limit",)
    assert fleet.plan(STOPPED, "started", None, limits_differ=True)[0] == ("limit", "start")
    assert fleet.plan(ABSENT, "started", None, limits_differ=True)[0] == ("create", "start")


def test_a_host_that_does_not_run_cannot_be_frozen() -> None:
    with pytest.raises(LabError, match="not running"):
        fleet.plan(STOPPED, "frozen", None)


def test_every_wanted_state_can_be_reached_from_every_found_one() -> None:
    reached = {"present": None, "started": "running", "stopped": "stopped", "killed": "stopped", "absent": "absent"}
    for seen in (ABSENT, STOPPED, BROKEN, RUNNING, CUT, FROZEN):
        for state, end in reached.items():
            steps, then = fleet.plan(seen, state, None)
            assert then.state == (end or then.state)
            assert fleet.plan(then, state, None)[0] == (), f"{state} from {seen} does not settle after {steps}"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab("unit", tmp_path, "10.99.9")
    lab.save()
    return lab


def note(lab: Lab, name: str, address: str) -> None:
    write_json(lab.hosts_directory / name / "host.json", {"spec": {"name": name, "address": address}})


def test_all_mistakes_of_a_list_of_hosts_are_named_at_once(lab: Lab) -> None:
    note(lab, "old1", "10.99.9.5")
    wanted = [Spec("a", "10.99.9.5"), Spec("b", "10.1.1.1"), Spec("c", "10.99.9.1"), Spec("d", "x")]
    with pytest.raises(LabError) as caught:
        fleet.check_specs(lab, wanted)
    for part in ("a: address 10.99.9.5 is old1's", "b: address '10.1.1.1'", "c: address '10.99.9.1'", "d: address 'x'"):
        assert part in str(caught.value)
    fleet.check_specs(lab, [Spec("old1", "10.99.9.5"), Spec("a", "10.99.9.6"), Spec("known", "")])


def test_a_host_is_not_silently_kept_when_another_one_is_wanted(lab: Lab) -> None:
    note(lab, "db1", "10.99.9.31")
    with pytest.raises(LabError, match=r"db1 was made with image bookworm, wanted is trixie"):
        fleet.plan_host(lab, Spec("db1", "10.99.9.31", image="trixie"), "started", None)
    assert fleet.plan_host(lab, Spec("db1", ""), "stopped", None).steps == ()


def test_an_unknown_host_needs_an_address(lab: Lab) -> None:
    with pytest.raises(LabError, match="no such host"):
        fleet.plan_host(lab, Spec("nobody", ""), "started", None)
    assert fleet.plan_host(lab, Spec("nobody", ""), "absent", None).steps == ()


def test_a_host_half_made_by_a_killed_run_is_made_anew(lab: Lab) -> None:
    (lab.hosts_directory / "db1" / "upper").mkdir(parents=True)
    plan = fleet.plan_host(lab, Spec("db1", "10.99.9.31"), "started", None)
    assert plan.steps == ("remove", "create", "start")


def test_switch_ports_fit_and_differ() -> None:
    ports = {
        Host(Lab(lab, Path("/x"), "10.99.9"), host).port
        for lab in ("lab", "molecule")
        for host in ("lb1", "backup1", "monitoring-of-all-1", "monitoring-of-all-2")
    }
    assert len(ports) == 8
    assert all(len(port) <= 15 for port in ports)


@pytest.mark.parametrize(
    ("name", "subnet", "directory"),
    [
        ("Upper", "10.1.1", "/x"),
        ("lab-of-thirteen", "10.1.1", "/x"),
        ("", "10.1.1", "/x"),
        ("lab", "10.1", "/x"),
        ("lab", "8.8.8", "/x"),
        ("lab", "10.1.1", "relative"),
    ],
)
def test_impossible_labs_are_refused(name: str, subnet: str, directory: str) -> None:
    with pytest.raises(LabError):
        Lab(name, Path(directory), subnet)


def test_a_lab_is_found_by_its_directory(lab: Lab, tmp_path: Path) -> None:
    assert load(tmp_path) == lab
    with pytest.raises(LabError, match="make its network first"):
        load(tmp_path / "other")
