"""Who reaches which port. Somebody listens on all of them (see prepare.yml), so only the firewall can refuse."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from testinfra import get_host
from testinfra.host import Host

from tests.support.playbooks import run_playbook

testinfra_hosts = ["ansible://app1"]

PORTS = [80, 443, 3306, 4444, 6379, 8001, 9090, 9100, 9464]
_PROBE = """
import concurrent.futures, socket, sys
def ask(port):
    try:
        socket.create_connection((sys.argv[1], int(port)), 2).close()
        return port
    except OSError:
        return ""
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(*pool.map(ask, sys.argv[2:]))
"""


def other(host: Host, name: str) -> Host:
    """Another host of the scenario."""
    return get_host(f"ansible://{name}", ansible_inventory=host.backend.ansible_runner.inventory_file)


def address(host: Host) -> str:
    return str(host.check_output("ip -4 -o addr show host0 | tr / ' '").split()[3])


def reached(source: Host, target: Host) -> list[int]:
    """Ports of `target` that accept a connection from `source`."""
    words = " ".join(map(str, PORTS))
    return [int(port) for port in source.check_output(f"python3 -c '{_PROBE}' {address(target)} {words}").split()]


def reached_from_here(target: Host) -> list[int]:
    """Ports that accept a connection from the controller."""
    there = address(target)

    def answers(port: int) -> bool:
        try:
            socket.create_connection((there, port), 2).close()
        except OSError:
            return False
        return True

    ports = [22, *PORTS]
    with ThreadPoolExecutor(len(ports)) as pool:
        return [port for port, answer in zip(ports, pool.map(answers, ports), strict=True) if answer]


def test_the_app_host_is_open_to_those_who_need_it(host: Host) -> None:
    assert reached(other(host, "lb1"), host) == [3306, 8001]
    assert reached(other(host, "mon1"), host) == [6379, 9100, 9464]
    assert reached(host, host) == PORTS


def test_the_edge_is_open_to_everybody(host: Host) -> None:
    assert reached(host, other(host, "lb1")) == [80, 443]
    assert reached_from_here(other(host, "lb1")) == [22, 80, 443]


def test_operators_come_in_by_ssh_and_to_prometheus(host: Host) -> None:
    assert reached_from_here(host) == [22]
    assert reached_from_here(other(host, "mon1")) == [22, 9090]
    assert host.run(f"python3 -c '{_PROBE}' {address(other(host, 'mon1'))} 22 9090").stdout.split() == []


def test_ping_is_answered(host: Host) -> None:
    assert other(host, "lb1").run(f"python3 - <<'E'\n{_ECHO.format(address(host))}\nE").rc == 0


_ECHO = """
import socket, struct
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
body = b"trinity!"
head = struct.pack("!BBHHH", 8, 0, 0, 7, 1)
head = struct.pack("!BBHHH", 8, 0, checksum(head + body), 7, 1)
probe = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
probe.settimeout(2)
probe.sendto(head + body, ("{}", 0))
while body not in (answer := probe.recv(200)) or answer[20] != 0:
    pass
"""


@pytest.fixture
def theirs(host: Host) -> Iterator[str]:
    """A table of the operator's own."""
    host.check_output("nft add table inet theirs")
    yield "table inet theirs"
    host.run("nft delete table inet theirs")


def test_a_reload_replaces_our_table_and_leaves_others(host: Host, theirs: str) -> None:
    host.check_output("systemctl reload trinitycore-firewall")
    assert theirs in host.check_output("nft list tables")
    assert host.check_output("nft list chain inet trinitycore_mcp input").count('"ssh"') == 1


def test_it_comes_back_after_the_distributions_service_flushed_all(host: Host) -> None:
    for verb in ("start", "reload", "restart", "stop"):
        host.check_output(f"systemctl {verb} nftables")
        assert reached(other(host, "lb1"), host) == [3306, 8001], verb


def test_a_run_mends_what_somebody_flushed(host: Host) -> None:
    host.check_output("nft flush ruleset")
    assert 4444 in reached(other(host, "lb1"), host)
    done = run_playbook("molecule/firewall/converge.yml", Path(host.backend.ansible_runner.inventory_file))
    assert done.code == 0, done.output
    assert reached(other(host, "lb1"), host) == [3306, 8001]


def test_it_is_there_after_a_reboot(host: Host) -> None:
    before = host.check_output("cat /proc/sys/kernel/random/boot_id; stat -c %Z /run/systemd")
    host.run("systemd-run --on-active=1 systemctl reboot")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(2)
        try:
            socket.create_connection((address(host), 22), 2).close()
            if host.run("stat -c %Z /run/systemd").stdout.strip() not in before:
                break
        except (OSError, RuntimeError, AssertionError):
            continue
    assert host.service("trinitycore-firewall").is_running
    assert reached(other(host, "lb1"), host) == [3306, 8001]


@pytest.mark.parametrize("entry", ["", "env -i "], ids=["plain", "as by sudo"])
def test_rules_that_would_lock_us_out_are_refused(host: Host, entry: str) -> None:
    look = "/usr/local/lib/trinitycore-firewall/keeps_way_in"
    refused = host.run(f"{entry}{look} 192.0.2.0/24 2001:db8::/32")
    assert refused.rc == 1
    assert "let only 192.0.2.0/24, 2001:db8::/32 in by SSH" in refused.stderr
    network = address(host).rpartition(".")[0]
    assert host.run(f"{entry}{look} 192.0.2.0/24 {network}.1").rc == 0
