"""What every host has after the role `common`, asked of the host itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from testinfra.host import Host

testinfra_hosts = ["ansible://all"]


def ssh(host: Host, user: str, command: str) -> subprocess.CompletedProcess[str]:
    """Log in over the network as an operator does, with the key that the scenario gave alice."""
    state = Path(host.ansible.get_variables()["ansible_private_key_file"]).parent
    return subprocess.run(
        [
            "ssh",
            "-F",
            str(state / "ssh_config"),
            "-o",
            "BatchMode=yes",
            f"{user}@{host.backend.get_hostname()}",
            command,
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_operator_logs_in_and_becomes_root(host: Host) -> None:
    assert ssh(host, "alice", "sudo -n id -u").stdout.strip() == "0"


def test_operator_without_key_or_sudo_gets_neither(host: Host) -> None:
    assert ssh(host, "bob", "true").returncode == 255
    assert host.run("su bob -c 'sudo -n id -u'").rc != 0


def test_removed_account_is_gone(host: Host) -> None:
    assert host.run("getent passwd games").rc == 2


def test_session_limit(host: Host) -> None:
    assert ssh(host, "alice", "ulimit -Sn").stdout.strip() == "4321"


def test_time_zone(host: Host) -> None:
    assert host.check_output("date -d 2026-01-15T12:00Z +%H:%M%Z") == "13:00CET"
    assert host.check_output("timedatectl show --property=Timezone --value") == "Europe/Berlin"


@pytest.mark.parametrize(("name", "number"), [("host1", "71"), ("host2", "72")])
def test_hosts_know_each_other_by_name(host: Host, name: str, number: str) -> None:
    for known in (name, f"{name}.trinitycore-mcp"):
        addresses = host.check_output("getent ahostsv4 %s", known).split()
        assert addresses[0].endswith(f".{number}")
    assert host.run("ping -c 1 -W 2 %s", name).rc == 0


def test_kernel_settings(host: Host) -> None:
    assert host.sysctl("net.core.somaxconn") == 4096
    assert host.check_output("sysctl -n net.ipv4.ip_local_port_range").split() == ["30000", "50000"]


def test_the_running_journal_is_bounded(host: Host) -> None:
    said = host.check_output("journalctl -b --no-pager -u systemd-journald -g 'System Journal'").splitlines()
    assert "max 64.0M" in said[-1] or "max 64M" in said[-1]


def test_nothing_failed(host: Host) -> None:
    assert host.check_output("systemctl --failed --no-legend") == ""
