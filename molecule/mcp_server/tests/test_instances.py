"""The instances of every app host: answering, sandboxed, and back when killed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from trinitycore_mcp.client import Target, ToolCaller

from tests.support.instances import Server

testinfra_hosts = ["ansible://app"]


def test_every_cpu_has_an_instance_that_answers(
    server: Server, client_tls: tuple[Path, Path], ca_file: Path, secrets: dict[str, str]
) -> None:
    units = server.units()
    assert len(units) == int(server.host.run("nproc").stdout)
    for number in range(1, len(units) + 1):
        target = Target(
            f"https://{server.address}:{8000 + number}/mcp",
            ca_file=ca_file,
            key=secrets["mcp_server_api_key"],
            certificate_file=client_tls[0],
            certificate_key_file=client_tls[1],
        )
        (answer,) = asyncio.run(ToolCaller(target).call("creature_get", {"id": 1}))
        assert not answer.is_error, answer.result
        assert answer.instance == f"{server.name}-{number}"


def test_the_sandbox_is_tight(server: Server) -> None:
    last = server.host.run("systemd-analyze security trinitycore-mcp@1 | tail -1").stdout
    assert float(last.split(": ")[1].split()[0]) <= 2.0, last


def test_secrets_stay_where_they_belong(server: Server, secrets: dict[str, str]) -> None:
    host = server.host
    logs = "journalctl --no-pager -u 'trinitycore-mcp@*'"
    shown = host.run(f"ps auxe; cat /etc/trinitycore-mcp/config.yml; {logs}").stdout
    assert [name for name in secrets if secrets[name] in shown] == []
    for path in ("/etc/trinitycore-mcp/credentials/db_password", "/etc/trinitycore-pki/host.key"):
        assert host.run(f"runuser -u trinitycore-mcp -- cat {path}").rc != 0
    assert secrets["mcp_server_api_key"] not in host.run("cat /etc/trinitycore-mcp/credentials/api_keys").stdout


def test_a_killed_instance_is_back_by_itself(server: Server) -> None:
    before = server.invocations()
    unit = next(iter(before))
    server.host.run_test(f"systemctl kill -s KILL {unit}")
    end = time.monotonic() + 60
    while server.invocations().get(unit) in (None, before[unit]):
        assert time.monotonic() < end
        time.sleep(0.2)


def test_the_target_stops_and_starts_them_all(server: Server) -> None:
    units = server.units()
    server.host.run_test("systemctl stop trinitycore-mcp.target")
    assert server.units() == []
    server.host.run_test("systemctl start trinitycore-mcp.target")
    assert server.units() == units
