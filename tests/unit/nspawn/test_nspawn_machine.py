"""What is read from the machine: control groups, processes, name servers; and the files that are written."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import (
    cgroups,
    files,
    fleet,
    host,
    network,
    processes,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import LabError, run
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.lab import Lab

HYBRID = """\
tmpfs /sys/fs/cgroup tmpfs ro 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/freezer cgroup rw,freezer 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0
"""
OWN = "4:memory:/ours\n3:cpu,cpuacct:/\n1:name=systemd:/user.slice\n0::/\n"


def test_hybrid_hierarchies(tmp_path: Path) -> None:
    (tmp_path / "memory/ours").mkdir(parents=True)
    mounts = f"{HYBRID}cgroup {tmp_path}/memory cgroup rw,memory 0 0\n"
    found = {tree.directory: tree.controllers for tree in cgroups.hierarchies(mounts, OWN)}
    assert found == {
        Path("/sys/fs/cgroup/unified"): {"unified"},
        Path("/sys/fs/cgroup/systemd"): {"systemd"},
        Path("/sys/fs/cgroup/cpu,cpuacct"): {"cpu", "cpuacct"},
        Path("/sys/fs/cgroup/freezer"): {"freezer"},
        tmp_path / "memory/ours": {"memory"},
    }


def test_pure_v2_gives_keeper_and_machine_a_leaf_each(tmp_path: Path) -> None:
    trees = cgroups.hierarchies(f"cgroup2 {tmp_path} cgroup2 rw 0 0\n", "0::/\n")
    group = cgroups.HostCgroups("unit", "db1", trees)
    assert group.pure_v2
    group.create()
    own = tmp_path / "trinitycore-lab/unit/db1"
    assert group.entrances() == ([own / "keeper/cgroup.procs"], [own / "machine/cgroup.procs"])
    assert group.exist()
    assert cgroups.hosts_of("unit", trees) == {"db1"}


def test_a_group_made_from_elsewhere_is_limited_and_removed(tmp_path: Path) -> None:
    theirs = tmp_path / "memory/theirs/trinitycore-lab/unit/db1"
    for path in (theirs, tmp_path / "memory/ours", tmp_path / "freezer"):
        path.mkdir(parents=True)
    limit = theirs / "memory.limit_in_bytes"
    limit.touch()
    mounts = f"cgroup {tmp_path}/memory cgroup rw,memory 0 0\ncgroup {tmp_path}/freezer cgroup rw,freezer 0 0\n"
    group = cgroups.HostCgroups("unit", "db1", cgroups.hierarchies(mounts, OWN))
    assert group.exist()
    group.limit(4096, None)
    assert limit.read_text() == "4096"
    limit.unlink()  # the kernel's own files go with the directory
    group.remove()
    assert not (tmp_path / "memory/theirs/trinitycore-lab").exists()
    assert (tmp_path / "memory/theirs").is_dir()


def test_no_control_groups_is_said() -> None:
    with pytest.raises(LabError, match="control groups"):
        cgroups.hierarchies("tmpfs /run tmpfs rw 0 0\n", OWN)


def test_a_process_is_known_by_its_start_time() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = processes.start_of(child.pid)
        assert started is not None
        known = processes.Process(child.pid, started)
        assert known.alive()
        assert not processes.Process(child.pid, started - 1).alive()
        processes.kill_member(child.pid, lambda _pid: False)
        assert known.alive(), "killed although it is no member any more"
        processes.kill_member(child.pid, lambda _pid: True)
        deadline = time.monotonic() + 5
        while known.alive() and time.monotonic() < deadline:  # a zombie until it is waited for
            time.sleep(0.01)
        assert not known.alive()
        assert child.wait() == -signal.SIGKILL
    assert not processes.is_first_of_namespace(os.getpid())


def test_name_servers_on_the_controllers_loopback_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub, real = tmp_path / "resolv.conf", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\noptions edns0\n")
    real.write_text("# comment\nnameserver 10.0.0.2\nsearch example.org\n")
    monkeypatch.setattr(host, "RESOLVERS", (stub, real))
    assert host.resolvers() == "nameserver 10.0.0.2\nsearch example.org\n"
    monkeypatch.setattr(host, "RESOLVERS", (stub,))
    with pytest.raises(LabError, match="loopback"):
        host.resolvers()


def test_files_are_replaced_only_when_they_differ(tmp_path: Path) -> None:
    path = tmp_path / "folder/file"
    assert files.write_atomically(path, "one", 0o600)
    before = path.stat().st_ino
    assert not files.write_atomically(path, "one", 0o600)
    assert path.stat().st_ino == before
    assert files.write_atomically(path, "one", 0o644)
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]
    path.write_text("{torn")
    assert files.read_json(path) == {}


def _hold(path: str, ready: multiprocessing.synchronize.Event) -> None:
    with files.locked(Path(path)):
        ready.set()
        time.sleep(60)


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(str(tmp_path / "lock"), ready))
    holder.start()
    assert ready.wait(10)
    with pytest.raises(LabError, match="held by another run"), files.locked(tmp_path / "lock", timeout=0.3):
        pass
    holder.kill()
    holder.join()
    with files.locked(tmp_path / "lock", timeout=2):
        (tmp_path / "lock").unlink()  # its holder may remove it
    with files.locked(tmp_path / "lock", timeout=2):
        assert (tmp_path / "lock").exists()


def test_ssh_files_name_every_host(tmp_path: Path) -> None:
    lab = Lab("unit", tmp_path, "10.99.9")
    for name, address in (("db1", "10.99.9.31"), ("lb1", "10.99.9.11")):
        record = {"spec": {"name": name, "address": address}, "host_key": f"ssh-ed25519 KEY-{name}"}
        files.write_json(lab.hosts_directory / name / "host.json", record)
    (lab.hosts_directory / ".new-x").mkdir()
    assert fleet.write_ssh_files(lab)
    assert not fleet.write_ssh_files(lab)
    assert (tmp_path / "known_hosts").read_text().splitlines() == [
        "10.99.9.31,db1 ssh-ed25519 KEY-db1",
        "10.99.9.11,lb1 ssh-ed25519 KEY-lb1",
    ]
    shown = run(["ssh", "-F", str(tmp_path / "ssh_config"), "-G", "db1"])
    assert "hostname 10.99.9.31\n" in shown
    assert "stricthostkeychecking true\n" in shown


def test_the_rules_are_good_nftables() -> None:
    run(["nft", "--check", "-f", "-"], stdin=network.rules(Lab("unit", Path("/x"), "10.99.9")))


def test_a_missing_program_and_a_failing_one_are_told_apart() -> None:
    with pytest.raises(LabError, match="not installed"):
        run(["no-such-program-of-ours"])
    with pytest.raises(LabError, match="exit status 3: words"):
        run(["sh", "-c", "echo words >&2; exit 3"])
    with pytest.raises(LabError, match="no end"):
        run(["sleep", "5"], timeout=0.1)
