"""What a host that went through the role common does differently."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from testinfra.host import Host


def log_in(host: Host, user: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run `command` in an SSH session of its own, as an operator would."""
    lab = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / f".lab-{os.environ.get('SCENARIO_LAB', 'molecule')}"
    name = host.backend.get_hostname()
    return subprocess.run(
        ["ssh", "-F", lab / "ssh_config", "-o", "ControlPath=none", "-l", user, name, command],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_clock_shows_the_time_zone(host: Host) -> None:
    assert host.check_output("date +%z") == "+0545"


def test_names_of_the_cluster_resolve(host: Host) -> None:
    address = host.check_output("getent ahostsv4 host2.trinitycore-mcp | head -1 | cut -d' ' -f1")
    assert address.endswith(".72")
    assert host.check_output("getent ahostsv4 host1 | head -1 | cut -d' ' -f1").endswith(".71")


def test_the_operators_own_names_still_resolve(host: Host) -> None:
    assert host.check_output("getent hosts game.example.com").startswith("192.0.2.9")
    assert host.run("getent hosts localhost").rc == 0


def test_journal_is_persistent_and_limited(host: Host) -> None:
    told = host.check_output("journalctl -q -o cat -u systemd-journald --grep 'System Journal .*max' | tail -1")
    assert "/var/log/journal/" in told
    assert re.search(r"max 64(\.0)?M", told)


def test_sessions_have_their_limits(host: Host) -> None:
    assert log_in(host, "ada", "ulimit -Sn; ulimit -Hc").stdout.split() == ["8192", "0"]
    assert log_in(host, "root", "ulimit -Sn; ulimit -Hc").stdout.split() == ["8192", "0"]


def test_kernel_settings_are_live(host: Host) -> None:
    assert host.sysctl("net.ipv4.tcp_max_syn_backlog") == 4096
    assert host.check_output("cat /proc/sys/net/ipv4/ip_local_port_range").split() == ["27000", "60999"]
    assert host.service("systemd-sysctl").is_running


@pytest.mark.parametrize(("user", "rights"), [("ada", "root"), ("carl", "")])
def test_operators_log_in_and_some_become_root(host: Host, user: str, rights: str) -> None:
    assert log_in(host, user, "whoami").stdout.strip() == user
    assert log_in(host, user, "sudo -n whoami").stdout.strip() == rights


def test_accounts_are_as_listed(host: Host) -> None:
    assert host.user("ada").groups == ["ada", "adm"]
    assert host.user("ada").gecos == "Ada Lovelace"
    assert not host.user("bob").exists
    assert host.file("/home/bob").exists
