"""The process: start without a database, drain, signals, systemd, TLS, logs and metrics."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.certificates import Authority
from tests.support.mariadb import MariaDb, free_port
from tests.support.mcp_server import (
    COMMAND,
    KEY,
    McpServer,
    answer_of,
    database_section,
    load_lab_world,
    target,
    tool_request,
)
from trinitycore_mcp.client import ToolCaller

pytestmark = pytest.mark.anyio


@contextmanager
def held(mariadb: MariaDb, seconds: float) -> Iterator[None]:
    """Keep readers of creature_template waiting for that long."""
    lock = f"LOCK TABLES creature_template WRITE; SELECT SLEEP({seconds}); UNLOCK TABLES"
    holder = threading.Thread(target=mariadb.sql, args=(lock, "world"))
    holder.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        holder.join()


def in_background(work: Callable[[], Any]) -> Future[Any]:
    """Run `work` in a thread of its own."""
    outcome: Future[Any] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome


def test_sigterm_turns_readiness_off_and_finishes_calls_in_flight(mariadb: MariaDb, tmp_path: Path) -> None:
    config = {"database": database_section(mariadb), "server": {"drain_delay": 1.0}}
    with McpServer.start(tmp_path, config) as server, held(mariadb, 2.5):
        server.wait_until_ready()
        slow = [
            in_background(lambda version=version: server.call("creature_get", {"id": 448}, version))  # type: ignore[misc]
            for version in ("2026-07-28", "2025-11-25")
        ]
        time.sleep(0.3)
        server.terminate()
        server.wait_for("draining")
        ready = server.get("/health/ready")
        assert (ready.status, ready.json()["reasons"]) == (503, ["draining"])
        assert ready.headers["connection"] == "close"
        # Until the delay is over, new calls are served as ever.
        assert server.call("item_get", {"id": 25})["structuredContent"]["name"] == "Worn Shortsword"
        time.sleep(1.2)
        with pytest.raises(OSError, match="refused"):
            server.get("/health/live")
        assert server.process.poll() is None
        assert [call.result(5)["structuredContent"]["name"] for call in slow] == ["Hogger", "Hogger"]
        assert server.process.wait(5) == 0
        assert server.log()[-1]["message"] == "stopped"


def test_calls_that_do_not_end_are_given_up_after_the_timeout(mariadb: MariaDb, tmp_path: Path) -> None:
    config = {"database": database_section(mariadb), "server": {"drain_delay": 0, "shutdown_timeout": 1}}
    with McpServer.start(tmp_path, config) as server, held(mariadb, 3.5):
        slow = in_background(lambda: server.call("creature_get", {"id": 448}))
        time.sleep(0.3)
        started = time.monotonic()
        server.terminate()
        assert server.process.wait(10) == 0
        assert time.monotonic() - started < 3
        with pytest.raises((OSError, KeyError, ValueError)):
            slow.result(5)


def test_a_second_signal_skips_the_delay(mariadb: MariaDb, tmp_path: Path) -> None:
    config = {"database": database_section(mariadb), "server": {"drain_delay": 60}}
    with McpServer.start(tmp_path, config) as server:
        server.terminate()
        server.wait_for("draining")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(5) == 0


async def test_it_starts_without_a_database_and_serves_once_there_is_one(tmp_path: Path) -> None:
    port = free_port()
    section = {"hosts": [{"host": "127.0.0.1", "port": port}], "user": "app_ro", "password_file": "db_password"}
    with McpServer.start(tmp_path / "mcp", {"database": section | {"pool": {"acquire_timeout": 0.2}}}) as server:
        assert server.get("/health/live").status == 200
        ready = server.get("/health/ready")
        assert ready.status == 503
        assert f"database 127.0.0.1:{port}: Can't connect" in ready.json()["reasons"][0]
        answer = await answer_of(server, "creature_get", id=448)
        assert "no database host can be read from" in answer.result
        # Calls that wait for the database give up together, not one after the other.
        started = time.monotonic()
        waiting = [in_background(lambda: server.call("creature_get", {"id": 448})) for _ in range(30)]
        assert all(call.result(10)["isError"] for call in waiting)
        assert time.monotonic() - started < 3
        with MariaDb.start(tmp_path / "db", port=port) as mariadb:
            load_lab_world(mariadb)
            server.wait_until_ready()
            assert (await answer_of(server, "creature_get", id=448)).result["name"] == "Hogger"


async def test_a_replica_killed_under_load_fails_no_call(tmp_path: Path) -> None:
    with (
        MariaDb.start(tmp_path / "1", server_id=1) as primary,
        MariaDb.start(tmp_path / "2", server_id=2) as replica,
    ):
        replica.replicate_from(primary)
        load_lab_world(primary)
        replica.wait_for_gtid(primary.sql("SELECT @@gtid_binlog_pos")[0][0])
        with McpServer.start(tmp_path / "mcp", {"database": database_section(primary, replica)}) as server:
            statuses: Counter[str] = Counter()

            async def caller(version: str) -> None:
                body, headers = tool_request("creature_get", {"id": 448}, version)
                async with httpx2.AsyncClient(headers=headers, timeout=10) as http:
                    for _ in range(60):
                        answer = await http.post(server.url, content=body)
                        result = answer.json().get("result", {})
                        name = result.get("structuredContent", {}).get("name")
                        statuses[f"{answer.status_code} {name}"] += 1
                        if statuses.total() == 300:
                            replica.kill()

            async with asyncio.TaskGroup() as group:
                for version in ("2026-07-28", "2025-11-25") * 8:
                    group.create_task(caller(version))
            assert statuses == {"200 Hogger": 960}
            metrics = server.metrics()
            assert metrics[f'mcp_db_host_up{{pool="127.0.0.1:{replica.port}",role="replica"}}'] == 0
            for host in (primary, replica):
                series = f'mcp_db_query_duration_seconds_count{{kind="creature_get",pool="127.0.0.1:{host.port}"}}'
                assert metrics[series] > 0


def test_systemd_is_told_of_readiness_and_of_the_end(mariadb: MariaDb, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        config = {"database": database_section(mariadb)}
        with McpServer.start(tmp_path / "mcp", config, environment=environment, wait=False) as server:
            assert manager.recv(100) == b"READY=1"
            assert server.get("/health/ready").status == 200
            server.terminate()
            assert manager.recv(100) == b"STOPPING=1"
            assert server.process.wait(5) == 0


def test_a_taken_port_is_a_clear_error(mariadb: MariaDb, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = {"database": database_section(mariadb), "server": {"port": port}}
        with McpServer.start(tmp_path, config, wait=False) as server:
            assert server.process.wait(10) == 2
            assert f"can't listen on 127.0.0.1 port {port}: Address already in use" in (tmp_path / "log").read_text()


async def test_both_listeners_want_a_client_certificate(mariadb: MariaDb, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger")
    own, client = authority.issue("app1"), authority.issue("lb1")
    section = {
        "tls": {"certificate_file": str(own.certificate), "key_file": str(own.key), "client_ca_file": str(authority.ca)}
    }
    known = ssl.create_default_context(cafile=authority.ca)
    known.load_cert_chain(client.certificate, client.key)
    config = {"database": database_section(mariadb), "server": section, "metrics": section}
    with McpServer.start(tmp_path / "mcp", config, tls=known) as server:
        server.wait_until_ready()
        assert server.metrics()["mcp_server_requests_in_flight"] == 0
        call = target(
            server, ca_file=authority.ca, certificate_file=client.certificate, certificate_key_file=client.key,
            url=f"https://localhost:{server.port}/mcp", address="127.0.0.1",
        )  # fmt: skip
        [answer] = await ToolCaller(call).call("creature_get", {"id": 448})
        assert answer.result["name"] == "Hogger"
        foreign = stranger.issue("lb1")
        nobody = ssl.create_default_context(cafile=authority.ca)
        other = ssl.create_default_context(cafile=authority.ca)
        other.load_cert_chain(foreign.certificate, foreign.key)
        for context in (nobody, other):
            server.tls = context
            for port in (server.port, server.metrics_port):
                with pytest.raises(OSError, match=r"(?i)certificate required|unknown ca|reset|eof|closed"):
                    server.get("/health/live", port=port)
        server.tls = known


def test_logs_are_json_lines_with_the_agreed_fields_and_no_secrets(mariadb: MariaDb, tmp_path: Path) -> None:
    with McpServer.start(tmp_path, {"database": database_section(mariadb)}) as server:
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        body, headers = tool_request("creature_get", {"id": 448})
        headers["traceparent"] = f"00-{trace}-00f067aa0ba902b7-01"
        server.request("POST", "/mcp", body=body, headers=headers)
        other = json.loads(body)
        other["params"]["_meta"]["traceparent"] = f"00-{trace[::-1]}-00f067aa0ba902b7-01"
        server.request("POST", "/mcp", body=json.dumps(other).encode(), headers=headers)
        server.call("creature_get", {"id": 999999})
        server.request("POST", "/mcp", body=b"{}", headers={"x-api-key": "a-wrong-key"})
        lines = [line for line in server.log() if line["message"] == "request" and line["tool"]]
        first, by_meta, second = lines
        assert by_meta["trace_id"] == trace[::-1]
        assert first["trace_id"] == trace
        assert (first["request_id"], first["method"], first["tool"]) == (1, "tools/call", "creature_get")
        assert (first["outcome"], first["principal"], first["level"]) == ("ok", "tests", "INFO")
        assert first["duration_ms"] > 0
        assert second["outcome"] == "tool_error"
        assert len(second["trace_id"]) == 32
        text = (tmp_path / "log").read_text()
        for secret in (KEY, "a-wrong-key", "Hogger"):
            assert secret not in text


def test_metrics_count_what_was_done_with_bounded_labels(mariadb: MariaDb, tmp_path: Path) -> None:
    with McpServer.start(tmp_path, {"database": database_section(mariadb)}) as server:
        server.call("creature_get", {"id": 448})
        server.call("creature_get", {"id": 999999})
        server.call("no_such_tool_" + "x" * 50, {})
        server.request("POST", "/mcp", body=b"{}")
        metrics = server.metrics()
        count = "mcp_server_operation_duration_seconds_count"
        assert metrics[f'{count}{{error_type="",method="tools/call",tool="creature_get"}}'] == 1
        assert metrics[f'{count}{{error_type="tool_error",method="tools/call",tool="creature_get"}}'] == 1
        assert [series for series in metrics if 'tool="unknown"' in series]
        assert not [series for series in metrics if "no_such_tool" in series]
        assert metrics['mcp_auth_total{method="api_key",result="missing"}'] == 1
        assert metrics['mcp_auth_total{method="api_key",result="ok"}'] > 0
        assert metrics["mcp_server_requests_in_flight"] == 0
        assert [series for series in metrics if series.startswith("mcp_build_info{")]
        pool = f'pool="127.0.0.1:{mariadb.port}"'
        assert metrics[f'mcp_db_query_duration_seconds_count{{kind="creature_get",{pool}}}'] > 0
        assert metrics[f'mcp_db_pool_connections{{{pool},state="idle"}}'] > 0


def test_two_instances_run_side_by_side(mariadb: MariaDb, tmp_path: Path) -> None:
    with McpServer.start(tmp_path, {"database": database_section(mariadb)}) as first:
        command = [*COMMAND, "serve", "--instance", "2"]
        with (tmp_path / "log2").open("wb") as log:
            second = subprocess.Popen([*command, "--config", str(tmp_path / "config.yml")], stderr=log)
        try:
            deadline = time.monotonic() + 15
            while time.monotonic() < deadline:
                try:
                    answer = first.get("/health/live", port=first.port + 1)
                    break
                except OSError:
                    time.sleep(0.05)
            assert answer.headers["x-mcp-instance"] == "test-2"
            assert first.get("/health/live").headers["x-mcp-instance"] == "test"
        finally:
            os.kill(second.pid, signal.SIGTERM)
            assert second.wait(10) == 0
