"""What a host has to bring up to date, and in which order hosts are taken away."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.filter.patch import patch_order
from ansible_collections.trinitycore.mcp.plugins.module_utils.os_updates import (
    newer_kernel,
    outdated_processes,
    planned,
    reboot_reasons,
)

SIMULATION = """\
Reading package lists...
The following packages will be upgraded:
  openssl
Inst libssl3 [3.0.14-1~deb12u2] (3.0.15-1~deb12u1 Debian:12.9/stable [amd64]) []
Inst linux-image-6.1.0-28-amd64 (6.1.119-1 Debian-Security:12/stable-security [amd64])
Conf libssl3 (3.0.15-1~deb12u1 Debian:12.9/stable [amd64])
"""


def test_packages_are_named_with_their_versions() -> None:
    assert planned(SIMULATION) == [
        "libssl3 3.0.14-1~deb12u2 -> 3.0.15-1~deb12u1",
        "linux-image-6.1.0-28-amd64 - -> 6.1.119-1",
    ]
    assert planned("Reading package lists...\n0 upgraded\n") == []


@pytest.mark.parametrize(
    ("installed", "newer"),
    [
        (["vmlinuz-6.1.0-9-amd64"], None),
        (["vmlinuz-6.1.0-9-amd64", "vmlinuz-6.1.0-28-amd64", "initrd.img-7.0.0-1-amd64"], "6.1.0-28-amd64"),
        (["vmlinuz-6.1.0-8-amd64"], None),
        (["vmlinuz-6.12.0-1-cloud-amd64"], None),
        ([], None),
    ],
)
def test_a_newer_kernel_of_the_same_kind_asks_for_a_reboot(installed: list[str], newer: str | None) -> None:
    assert newer_kernel(installed, "6.1.0-9-amd64") == newer


def test_a_process_whose_program_was_replaced_is_found() -> None:
    """A real one: its program lies below /usr, and is replaced while it runs."""
    program = Path("/usr/local/bin") / f"trinitycore-test-{os.getpid()}"
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([program, "60"])
    try:
        time.sleep(0.1)
        name = program.name[:15]
        assert name not in outdated_processes(Path("/proc"))
        program.unlink()
        assert outdated_processes(Path("/proc"))[name] == [str(program)]
    finally:
        program.unlink(missing_ok=True)
        process.kill()
        process.wait()


def test_reasons_for_a_reboot(tmp_path: Path) -> None:
    (tmp_path / "proc" / "77").mkdir(parents=True)
    (tmp_path / "proc" / "77" / "maps").write_text("7f00-7f01 r-xp 00000000 08:01 12 /usr/lib/libssl.so.3 (deleted)\n")
    (tmp_path / "proc" / "77" / "comm").write_text("nginx\n")
    assert reboot_reasons(tmp_path) == ["nginx run(s) files that were replaced"]
    (tmp_path / "proc" / "77" / "maps").write_text("7f00-7f01 rw-p 00000000 00:01 12 /dev/zero (deleted)\n")
    assert reboot_reasons(tmp_path) == []
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "reboot-required").touch()
    kind = platform.release().lstrip("0123456789.-")
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / f"vmlinuz-99.0.0-1{'-' + kind if kind else ''}").touch()
    required, kernel = reboot_reasons(tmp_path)
    assert required == "/run/reboot-required is there"
    assert kernel.startswith("kernel 99.0.0-1") and kernel.endswith(f"{platform.release()} runs")


GROUPS = {
    "loadbalancers": ["lb1", "lb2"],
    "app": ["app1", "one"],
    "database": ["db1", "db2"],
    "monitoring": ["mon1", "one"],
}


def test_whoever_leads_comes_last_and_who_serves_nobody_first() -> None:
    hosts = ["lb1", "lb2", "app1", "one", "db1", "db2", "mon1", "acme1"]
    assert patch_order(hosts, GROUPS, ["db1", "lb1"]) == ["acme1", "mon1", "db2", "app1", "one", "lb2", "db1", "lb1"]
    assert patch_order(["db2", "db1"], GROUPS, []) == ["db2", "db1"]
