"""What an operator sees of the process: log lines and metrics, with agreed names, bounded and without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.tests.lifecycle_support import held, until
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import KEY, McpServer, database_section, tool_request
from tests.support.redis import Redis
from trinitycore_mcp import __version__

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FIELDS = {
    "time",
    "level",
    "logger",
    "message",
    "trace_id",
    "request_id",
    "method",
    "tool",
    "duration_ms",
    "outcome",
    "principal",
    "protocol",
}
BOTH = ["2026-07-28", "2024-11-05"]
"""A revision that is answered on the short way, and one that the SDK answers."""


@pytest.fixture(scope="module")
def running(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    directory = tmp_path_factory.mktemp("seen")
    with Redis.start(directory / "redis") as redis:
        config = {
            "database": database_section(mariadb),
            "redis": {"hosts": [{"host": "127.0.0.1", "port": redis.port}]},
            "server": {"tool_timeout": 1.5},
        }
        with McpServer.start(directory, config) as server:
            server.wait_until_ready()
            yield server


def send(
    server: McpServer, tool: str, arguments: dict[str, Any], *, version: str = "2026-07-28", **meta: str
) -> dict[str, Any]:
    """Call a tool and return the log's line of the call."""
    before = len(requests(server))
    body, headers = tool_request(tool, arguments, version)
    message = json.loads(body)
    if meta:
        message["params"].setdefault("_meta", {}).update(meta)
    headers["traceparent"] = f"00-{TRACE}-00f067aa0ba902b7-01"
    server.request("POST", "/mcp", body=json.dumps(message).encode(), headers=headers)
    until(lambda: len(requests(server)) > before)
    return requests(server)[-1]


def requests(server: McpServer) -> list[dict[str, Any]]:
    return [line for line in server.log() if line["message"] == "request"]


@pytest.mark.parametrize("version", BOTH)
def test_a_call_is_one_line_with_the_agreed_fields(running: McpServer, version: str) -> None:
    line = send(running, "creature_get", {"id": 448}, version=version)
    assert set(line) == FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
    assert (line["trace_id"], line["request_id"]) == (TRACE, 1)
    assert (line["method"], line["tool"], line["protocol"]) == ("tools/call", "creature_get", version)
    assert (line["outcome"], line["principal"], line["level"]) == ("ok", "tests", "INFO")
    assert line["duration_ms"] > 0


@pytest.mark.parametrize("version", BOTH)
def test_the_messages_own_trace_comes_before_the_headers(running: McpServer, version: str) -> None:
    line = send(running, "item_get", {"id": 25}, version=version, traceparent=f"00-{TRACE[::-1]}-00f067aa0ba902b7-01")
    assert line["trace_id"] == TRACE[::-1]
    fresh = send(running, "item_get", {"id": 25}, version=version, traceparent="garbage")
    assert re.fullmatch(r"[0-9a-f]{32}", fresh["trace_id"])
    assert fresh["trace_id"] != TRACE


@pytest.mark.parametrize("version", BOTH)
def test_outcomes_are_the_same_bounded_words_on_both_ways(running: McpServer, mariadb: MariaDb, version: str) -> None:
    absent = send(running, "creature_get", {"id": 999999}, version=version)
    assert (absent["outcome"], absent["level"]) == ("tool_error", "INFO")
    bad = send(running, "creature_get", {"id": "Hogger"}, version=version)
    assert (bad["outcome"], bad["level"]) == ("invalid_arguments", "INFO")
    unknown = send(running, "no_such_tool", {}, version=version)
    assert (unknown["outcome"], unknown["tool"], unknown["level"]) == ("-32602", "unknown", "INFO")
    with held(mariadb):
        slow = send(running, "creature_get", {"id": 197 if version == BOTH[0] else 823}, version=version)
    assert (slow["outcome"], slow["level"]) == ("timeout", "WARNING")


def test_no_secret_and_no_row_is_in_the_log(running: McpServer) -> None:
    send(running, "creature_get", {"id": 448})
    wrong = {"authorization": "Bearer a-wrong-key", "content-type": "application/json"}
    assert running.request("POST", "/mcp", body=b'{"secret-body":1}', headers=wrong).status == 401
    until(lambda: any(line.get("status") == 401 for line in running.log()))
    text = (running.directory / "log").read_text()
    password = (running.directory / "db_password").read_text().strip()
    for secret in (KEY, "a-wrong-key", "Hogger", "secret-body", f'"{password}"'):
        assert secret not in text


def test_metrics_have_the_agreed_names_and_bounded_labels(running: McpServer, mariadb: MariaDb) -> None:
    send(running, "creature_get", {"id": 448})
    send(running, "creature_get", {"id": 448})
    send(running, "creature_get", {"id": 999999})
    send(running, "no_such_tool_" + "x" * 50, {})
    body, headers = tool_request("creature_get", {})
    message = {**json.loads(body), "method": "a/method/of-the-caller"}
    headers |= {"mcp-method": "a/method/of-the-caller"}
    running.request("POST", "/mcp", body=json.dumps(message).encode(), headers=headers)
    running.request("POST", "/mcp", body=b"{}")
    metrics = running.metrics()
    count = "mcp_server_operation_duration_seconds_count"
    pool = f'pool="127.0.0.1:{mariadb.port}"'
    assert metrics[f'{count}{{error_type="",method="tools/call",tool="creature_get"}}'] >= 2
    assert metrics[f'{count}{{error_type="tool_error",method="tools/call",tool="creature_get"}}'] >= 1
    assert metrics[f'{count}{{error_type="-32602",method="tools/call",tool="unknown"}}'] >= 1
    assert metrics[f'{count}{{error_type="-32601",method="other",tool=""}}'] == 1
    assert metrics["mcp_server_requests_in_flight"] == 0
    assert metrics['mcp_auth_total{method="none",result="missing"}'] >= 1
    assert metrics['mcp_auth_total{method="api_key",result="ok"}'] >= 1
    assert metrics['mcp_rate_limit_total{result="allowed",scope="key"}'] >= 1
    assert [series for series in metrics if series.startswith('mcp_cache_total{kind="creature_get",layer="local"')]
    assert metrics[f'mcp_db_query_duration_seconds_count{{kind="creature_get",{pool}}}'] >= 1
    assert metrics[f'mcp_db_pool_connections{{{pool},state="idle"}}'] >= 1
    until(lambda: running.metrics()["mcp_leader"] == 1)
    [build] = [series for series in metrics if series.startswith("mcp_build_info{")]
    assert f'version="{__version__}"' in build
    text = "\n".join(metrics)
    for given in ("no_such_tool", "of-the-caller", KEY, TRACE, "448", "999999"):
        assert given not in text


def test_a_log_that_nobody_reads_is_written_in_whole_lines(running: McpServer, tmp_path: Path) -> None:
    """Each line is an object of its own, also where the two writers of lines meet."""
    raw = (running.directory / "log").read_bytes()
    assert raw.endswith(b"\n")
    for line in raw.splitlines():
        assert isinstance(json.loads(line), dict)
