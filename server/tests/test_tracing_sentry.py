"""Defects reported to Sentry: what a real receiver on loopback gets, and that it tells nothing of the request."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.tests.otlp_receiver import Receiver, receiver
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import KEY, McpServer, database_section, tool_request
from trinitycore_mcp import __version__
from trinitycore_mcp.config_load import ConfigError, load
from trinitycore_mcp.observe import export

VALUE = "an-argument-nobody-else-may-read"
COMMAND = (sys.executable, "-m", "server.tests.failing_server")


@pytest.fixture(scope="module")
def sentry() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def failing(mariadb: MariaDb, sentry: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    directory = tmp_path_factory.mktemp("failing")
    (directory / "dsn").write_text(sentry.url.replace("://", "://a-public-key@") + "/7\n")
    config = {"database": database_section(mariadb), "sentry": {"dsn_file": "dsn", "environment": "lab"}}
    with McpServer.start(directory, config, command=COMMAND) as server:
        server.wait_until_ready()
        yield server


def fail(server: McpServer, trace: str, version: str, *, token: bool = False) -> str:
    """Call the failing tool and return what the client is told."""
    body, headers = tool_request("fail", {"text": VALUE}, version)
    message = json.loads(body)
    if token:
        message["params"].setdefault("_meta", {})["progressToken"] = 1
    headers["traceparent"] = f"00-{trace}-00f067aa0ba902b7-01"
    return server.request("POST", "/mcp", body=json.dumps(message).encode(), headers=headers).body


def test_a_defect_is_reported_and_nothing_of_the_request(failing: McpServer, sentry: Receiver) -> None:
    traces = [f"4bf92f3577b34da6a3ce929d0e0e{number:04x}" for number in range(3)]
    told = [
        fail(failing, traces[0], "2026-07-28"),
        fail(failing, traces[1], "2025-11-25", token=True),
        fail(failing, traces[2], "2024-11-05"),
    ]
    events = sentry.events(count=3)
    assert len(events) == 3  # each defect once
    for (event, whole), trace in zip(events, traces, strict=True):
        for secret in (VALUE, KEY, "Hogger", "app_ro", "authorization", "creature_template WHERE entry = 448"):
            assert secret not in whole
        kinds = [exception["type"] for exception in event["exception"]["values"]]
        assert kinds == ["ValueError", "RuntimeError"]
        frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
        assert frames[-1]["function"] == "fail"
        assert 'raise RuntimeError(f"{text} of {rows}")' in frames[-1]["context_line"]
        assert not any("vars" in frame for frame in frames)
        assert (event["environment"], event["release"]) == ("lab", f"trinitycore-mcp@{__version__}")
        assert (event["server_name"], event["level"]) == ("test", "error")
        assert (event["tags"]["tool"], event["tags"]["trace_id"]) == ("fail", trace)
        assert "request" not in event
        assert "breadcrumbs" not in event
    for text in told:
        assert VALUE not in text
        assert "the server failed at this call; its log says why" in text
    # The log has the request's line as an error, whichever way the call took.
    lines: list[dict[str, Any]] = []
    deadline = time.monotonic() + 5
    while len(lines) < len(traces) and time.monotonic() < deadline:  # they gather for a moment before they go out
        lines = [line for line in failing.log() if line["message"] == "request"]
    assert [(line["level"], line["outcome"], line["trace_id"]) for line in lines] == [
        ("ERROR", "internal", trace) for trace in traces
    ]


def test_an_error_of_the_caller_is_not_reported(failing: McpServer, sentry: Receiver) -> None:
    before = len(sentry.posts)
    assert failing.call("fail", {"text": ""})["isError"]
    assert failing.call("fail", {"words": VALUE})["isError"]
    body, headers = tool_request("no_such_tool", {})
    assert failing.request("POST", "/mcp", body=body, headers=headers).status in (200, 400, 404)
    assert failing.request("POST", "/mcp", body=b"{", headers=headers).status == 400
    failing.terminate()
    assert failing.process.wait(10) == 0  # whatever waits to be sent is sent before
    assert len(sentry.posts) == before


def test_a_dsn_that_is_none_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("auth: {enabled: false}\nsentry: {dsn_file: dsn}\n")
    (tmp_path / "dsn").write_text("a-secret-that-is-no-dsn\n")
    loaded = load(tmp_path / "config.yml", {})
    with pytest.raises(ConfigError, match=r"^sentry\.dsn_file: not a Sentry DSN, which looks like") as raised:
        export.error_reports(loaded, "test")
    assert "a-secret" not in str(raised.value)
