"""Hosts of a lab on this machine: states, faults, and what is left by a killed run or a reboot of the machine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import cgroups, fleet, network
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import run
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.host import Host, ssh_answers
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.lab import RUNTIME_DIRECTORY, Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

SUBNET = os.environ.get("TEST_HOSTS_NETWORK", "10.77.4")
ADDRESS, OTHER_ADDRESS = f"{SUBNET}.11", f"{SUBNET}.12"


def module(name: str, **arguments: Any) -> dict[str, Any]:
    """Run one of the lab's modules with Ansible's way of passing arguments; return its result."""
    done = subprocess.run(
        [sys.executable, "-m", f"ansible_collections.trinitycore.mcp.plugins.modules.{name}"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.lstrip().startswith("{"), done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert not result.get("failed"), result["msg"]
    return result


def hosts(directory: Path, *wanted: dict[str, Any], check: bool = False, **arguments: Any) -> dict[str, Any]:
    return module("nspawn_host", _ansible_check_mode=check, directory=str(directory), hosts=list(wanted), **arguments)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with one host, h1; the second, h2, comes and goes with the tests."""
    lab = Lab("hosttest", tmp_path_factory.mktemp("lab"), SUBNET)
    before = (run(["nft", "list", "tables"]), [path.read_text() for path in network.KERNEL])
    try:
        module("nspawn_image", names=["bookworm"])
        module("nspawn_network", directory=str(lab.directory), lab=lab.name, subnet=SUBNET)
        hosts(lab.directory, {"name": "h1", "address": ADDRESS})
        yield lab
    finally:
        arguments = {"directory": str(lab.directory), "lab": lab.name, "subnet": SUBNET, "state": "absent"}
        module("nspawn_host", **arguments)
        module("nspawn_network", **arguments)
    assert not Path(f"/sys/class/net/{lab.bridge}").exists()
    assert lab.table not in run(["nft", "list", "tables"])
    assert not cgroups.hosts_of(lab.name)
    assert not lab.control_directory.exists()
    assert not any((lab.directory / "hosts").glob("*"))
    if not RUNTIME_DIRECTORY.exists():  # no other lab came up meanwhile
        assert (run(["nft", "list", "tables"]), [path.read_text() for path in network.KERNEL]) == before


def ssh(lab: Lab, host: str, command: str) -> str:
    return run(["ssh", "-F", str(lab.directory / "ssh_config"), "-o", "ConnectTimeout=3", host, command]).strip()


def up(lab: Lab, name: str = "h1", address: str = ADDRESS) -> dict[str, Any]:
    answer: dict[str, Any] = hosts(lab.directory, {"name": name, "address": address}, network="up")
    return answer


def test_a_host_is_a_machine(lab: Lab) -> None:
    assert up(lab)["changed"] is False
    deadline = time.monotonic() + 30
    while (state := ssh(lab, "h1", "systemctl is-system-running || true")) == "starting":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert state == "running", ssh(lab, "h1", "systemctl --failed")
    assert ssh(lab, "h1", "hostname") == "h1"
    assert ssh(lab, "h1", "cat /etc/machine-id") == Host(lab, "h1").record["uuid"].replace("-", "")
    uris = ssh(lab, "h1", "apt-get update -qq && apt-get install -qq --print-uris nginx")
    assert "nginx" in uris, "no packages through the controller"


def test_limits_inside_a_host_hold(lab: Lab) -> None:
    up(lab)
    unit = "systemd-run --quiet --wait --property={} -- {} && echo passed || echo stopped"
    hog = "python3 -c 'bytearray({} << 20)'"
    assert ssh(lab, "h1", unit.format("MemoryMax=64M", hog.format(300))) == "stopped"
    assert ssh(lab, "h1", unit.format("MemoryMax=64M", hog.format(10))) == "passed"
    forks = "sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'"
    assert ssh(lab, "h1", unit.format("TasksMax=5", forks)) == "stopped"
    assert ssh(lab, "h1", unit.format("TasksMax=50", forks)) == "passed"


def test_limits_of_a_host_hold_and_go(lab: Lab) -> None:
    hog = "python3 -c 'bytearray(300 << 20)' >/dev/null 2>&1 && echo passed || echo stopped"
    limited = hosts(lab.directory, {"name": "h1", "address": ADDRESS, "memory": "128M"})
    assert limited["hosts"]["h1"]["steps"] == ["limit"]
    assert ssh(lab, "h1", hog) == "stopped"
    assert up(lab)["hosts"]["h1"]["steps"] == ["limit"]
    assert ssh(lab, "h1", hog) == "passed"


def test_check_mode_says_and_does_nothing(lab: Lab) -> None:
    up(lab)
    new = hosts(lab.directory, {"name": "h2", "address": OTHER_ADDRESS}, check=True)
    assert new["changed"]
    assert new["hosts"]["h2"]["steps"] == ["create", "start"]
    frozen = hosts(lab.directory, {"name": "h1"}, state="frozen", check=True)
    assert frozen["hosts"]["h1"]["steps"] == ["freeze"]
    assert Host(lab, "h1").observe().state == "running"
    assert Host(lab, "h2").observe().state == "absent"


def test_freeze_and_thaw(lab: Lab) -> None:
    up(lab)
    assert hosts(lab.directory, {"name": "h1"}, state="frozen")["hosts"]["h1"]["state"] == "frozen"
    assert not ssh_answers(ADDRESS)
    assert hosts(lab.directory, {"name": "h1"}, state="frozen")["changed"] is False
    assert up(lab)["hosts"]["h1"]["steps"] == ["thaw"]
    assert ssh_answers(ADDRESS)


def test_cut_and_plug(lab: Lab) -> None:
    up(lab)
    assert hosts(lab.directory, {"name": "h1"}, network="cut")["hosts"]["h1"]["network"] == "cut"
    assert not ssh_answers(ADDRESS)
    assert hosts(lab.directory, {"name": "h1"}, network="cut")["changed"] is False
    assert up(lab)["hosts"]["h1"]["steps"] == ["plug"]
    assert ssh_answers(ADDRESS)


def test_a_reboot_from_inside_keeps_files_and_keeper(lab: Lab) -> None:
    up(lab)
    host = Host(lab, "h1")
    keeper, first = host.keeper(), host.observe().pid
    identity = ssh(lab, "h1", "echo kept > /root/kept; cat /etc/machine-id")
    with contextlib.suppress(Exception):
        ssh(lab, "h1", "systemctl reboot")
    deadline = time.monotonic() + 30
    while host.cgroups.first_process() in (None, first) or not ssh_answers(ADDRESS):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert host.keeper() == keeper
    assert up(lab)["changed"] is False
    assert ssh(lab, "h1", "cat /root/kept /etc/machine-id").split() == ["kept", identity]


def test_stop_is_clean_and_kill_is_not(lab: Lab) -> None:
    up(lab)
    ssh(lab, "h1", "systemd-run --quiet --unit=witness --property='ExecStop=/bin/touch /root/told' sleep infinity")
    assert hosts(lab.directory, {"name": "h1"}, state="killed")["hosts"]["h1"]["state"] == "stopped"
    up(lab)
    assert ssh(lab, "h1", "ls /root/told 2>/dev/null || echo untold") == "untold"
    ssh(lab, "h1", "systemd-run --quiet --unit=witness --property='ExecStop=/bin/touch /root/told' sleep infinity")
    assert hosts(lab.directory, {"name": "h1"}, state="stopped")["hosts"]["h1"]["state"] == "stopped"
    assert not Host(lab, "h1").cgroups.processes()
    up(lab)
    assert ssh(lab, "h1", "ls /root/told") == "/root/told"


def test_a_host_without_its_keeper_is_mended(lab: Lab) -> None:
    up(lab)
    host = Host(lab, "h1")
    keeper, first = host.keeper(), host.observe().pid
    assert keeper is not None
    # What starts a host dies, the host itself lives on.
    for pid in host.cgroups.processes():
        if pid == keeper.pid or f"PPid:\t{keeper.pid}\n" in Path(f"/proc/{pid}/status").read_text():
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)
    assert host.cgroups.first_process() == first
    assert host.observe().state == "broken"
    assert up(lab)["hosts"]["h1"]["steps"] == ["mend", "start"]
    assert ssh(lab, "h1", "hostname") == "h1"


def test_a_reboot_of_the_machine_is_mended(lab: Lab) -> None:
    up(lab)
    host = Host(lab, "h1")
    ssh(lab, "h1", "echo kept > /root/kept; sync")
    # What is left then: files, and a keeper's number that another process may have by now.
    host.cut_power()
    run(["ip", "link", "del", lab.bridge])
    run(["nft", "delete", "table", "inet", lab.table])
    record = host.record
    record["keeper"] = {"pid": 1, "started": 0, "boot": "another"}
    (host.directory / "host.json").write_text(json.dumps(record))
    assert module("nspawn_network", directory=str(lab.directory), lab=lab.name, subnet=SUBNET)["changed"]
    assert up(lab)["hosts"]["h1"]["steps"] == ["start"]
    assert ssh(lab, "h1", "cat /root/kept") == "kept"


def test_hosts_come_back_to_a_new_switch(lab: Lab) -> None:
    up(lab)
    run(["ip", "link", "del", lab.bridge])
    assert module("nspawn_network", directory=str(lab.directory), lab=lab.name, subnet=SUBNET)["changed"]
    assert up(lab)["hosts"]["h1"]["steps"] == ["plug"]
    assert ssh(lab, "h1", "hostname") == "h1"
    assert module("nspawn_network", directory=str(lab.directory), lab=lab.name, subnet=SUBNET)["changed"] is False


def test_a_run_killed_while_it_makes_a_host_leaves_no_half_one(lab: Lab) -> None:
    half = lab.hosts_directory / ".new-h2" / "upper"
    half.mkdir(parents=True)
    assert Host(lab, "h2").observe().state == "absent"
    assert up(lab, "h2", OTHER_ADDRESS)["hosts"]["h2"]["steps"] == ["create", "start"]
    assert not half.parent.exists()
    assert ssh(lab, "h2", f"ping -c 1 -W 2 {ADDRESS} >/dev/null && echo reached") == "reached"


def test_a_host_whose_files_were_deleted_is_found_and_made_anew(lab: Lab) -> None:
    up(lab, "h2", OTHER_ADDRESS)
    shutil.rmtree(lab.hosts_directory / "h2")
    assert [host.name for host in fleet.all_hosts(lab)] == ["h1", "h2"]
    assert up(lab, "h2", OTHER_ADDRESS)["hosts"]["h2"]["steps"] == ["remove", "create", "start"]
    assert ssh(lab, "h2", "hostname") == "h2"
    shutil.rmtree(lab.hosts_directory / "h2")
    assert hosts(lab.directory, {"name": "h2"}, state="absent")["changed"]
    assert not Host(lab, "h2").cgroups.processes()
    assert not Host(lab, "h2").cgroups.exist()


def test_a_lab_of_this_name_that_runs_elsewhere_is_left_alone(lab: Lab, tmp_path: Path) -> None:
    up(lab)
    other = {"directory": str(tmp_path), "lab": lab.name, "subnet": SUBNET}
    for name, wanted in (("nspawn_network", "present"), ("nspawn_host", "absent"), ("nspawn_network", "absent")):
        with pytest.raises(AssertionError, match=f"already runs from {lab.directory}: choose another LAB_NAME"):
            module(name, **other, state=wanted)
    assert ssh(lab, "h1", "hostname") == "h1"


def test_what_a_killed_run_left_is_taken_over_by_another_checkout(lab: Lab, tmp_path: Path) -> None:
    up(lab)
    there = {"directory": str(tmp_path / "other"), "lab": lab.name, "subnet": SUBNET}
    here = {**there, "directory": str(lab.directory)}
    # Its network is seconds old: its hosts may be about to boot.
    hosts(lab.directory, {"name": "h1"}, state="killed")
    module("nspawn_network", **here, state="absent")
    module("nspawn_network", **here)
    with pytest.raises(AssertionError, match="choose another LAB_NAME"):
        module("nspawn_network", **there)
    register = json.loads(network.REGISTER.read_text())
    register["labs"][lab.name]["came_up"] -= network.COMING_UP
    network.REGISTER.write_text(json.dumps(register))
    module("nspawn_network", **there)
    module("nspawn_network", **there, state="absent")
    # And back, with what it had.
    module("nspawn_network", **here)
    assert up(lab)["hosts"]["h1"]["steps"] == ["start"]


def test_a_lab_that_an_older_version_registered_goes_on(lab: Lab) -> None:
    up(lab)
    here = {"directory": str(lab.directory), "lab": lab.name, "subnet": SUBNET}
    register = json.loads(network.REGISTER.read_text())
    del register["labs"][lab.name]["came_up"]
    network.REGISTER.write_text(json.dumps(register))
    assert module("nspawn_network", **here)["changed"] is False
    assert ssh(lab, "h1", "hostname") == "h1"


def test_labs_of_deleted_checkouts_go_with_the_next_one_that_ends(lab: Lab, tmp_path: Path) -> None:
    gone = Lab("deleted", tmp_path / "gone", f"{SUBNET.rpartition('.')[0]}.254")
    ended = Lab("ended", tmp_path / "ended", f"{SUBNET.rpartition('.')[0]}.253")
    for made in (gone, ended):
        module("nspawn_network", directory=str(made.directory), lab=made.name, subnet=made.subnet)
    shutil.rmtree(gone.directory)
    module("nspawn_network", directory=str(ended.directory), lab=ended.name, subnet=ended.subnet, state="absent")
    assert not Path(f"/sys/class/net/{gone.bridge}").exists()
    assert gone.table not in run(["nft", "list", "tables"])
    registered = set(json.loads(network.REGISTER.read_text())["labs"])
    assert lab.name in registered
    assert not {gone.name, ended.name} & registered
    assert ssh(lab, "h1", "hostname") == "h1"
