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
    for name in ("db_password", "db_writer_password", "request_state_keys"):
        assert host.run(f"runuser -u trinitycore-mcp -- cat /etc/trinitycore-mcp/credentials/{name}").rc != 0
    assert host.run("runuser -u trinitycore-mcp -- cat /etc/trinitycore-pki/host.key").rc != 0
    assert secrets["mcp_server_api_key"] not in host.run("cat /etc/trinitycore-mcp/api_keys.yml").stdout


def test_tables_are_there_and_commands_run_as_the_service_does(server: Server) -> None:
    assert server.host.check_output("trinitycore-mcp migrate-db --check") == "up to date"
    made = server.host.check_output(f"trinitycore-mcp keys create {server.name} 2>/dev/null")
    assert made.startswith("tcmcp_")
    listed = server.host.check_output("trinitycore-mcp keys list").splitlines()
    assert any(line.split()[:3] == [server.name, "valid", "read"] for line in listed)
    assert server.host.check_output(f"trinitycore-mcp keys revoke {server.name}") == f"revoked: {server.name}"
    assert server.host.run("trinitycore-mcp check-config --files").rc == 0
    assert server.host.run("runuser -u trinitycore-mcp -- trinitycore-mcp keys list").rc != 0


def test_an_instance_reads_its_own_log_and_no_others(
    server: Server, client_tls: tuple[Path, Path], ca_file: Path, secrets: dict[str, str]
) -> None:
    target = Target(
        f"https://{server.address}:8001/mcp",
        ca_file=ca_file,
        key=secrets["mcp_server_admin_api_key"],
        certificate_file=client_tls[0],
        certificate_key_file=client_tls[1],
    )
    (own,) = asyncio.run(ToolCaller(target).call("query_logs", {"text": "serving", "limit": 5}))
    assert {entry["host"] for entry in own.result["entries"]} == {server.name}
    (other,) = asyncio.run(ToolCaller(target).call("query_logs", {"unit": "ssh.service"}))
    assert other.is_error


def test_an_instance_whose_loop_stands_still_is_started_again(server: Server) -> None:
    """With a watchdog of seconds, for this run of the unit only."""
    unit = "trinitycore-mcp@1.service"
    drop_in = f"/run/systemd/system/{unit}.d/watchdog.conf"
    server.host.run_test(f"mkdir -p {Path(drop_in).parent} && printf '[Service]\nWatchdogSec=3\n' > {drop_in}")
    server.host.run_test(f"systemctl daemon-reload && systemctl restart {unit}")
    before = server.invocations()[unit]
    try:
        time.sleep(5)
        assert server.invocations()[unit] == before, "the server's signs of life are not heard"
        server.host.run_test(f"systemctl kill -s STOP --kill-whom=main {unit}")
        end = time.monotonic() + 60
        while server.invocations().get(unit) in (None, before):
            assert time.monotonic() < end
            time.sleep(0.2)
    finally:
        server.host.run_test(f"rm {drop_in} && systemctl daemon-reload && systemctl restart {unit}")


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
