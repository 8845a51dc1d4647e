"""Traces: what a real collector on loopback receives of a real server, and what it costs when it is gone."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from server.tests.otlp_receiver import Receiver, attributes, receiver
from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer, database_section, tool_request
from trinitycore_mcp import __version__
from trinitycore_mcp.config_load import ConfigError
from trinitycore_mcp.observe import export
from trinitycore_mcp.observe.tracing import Tracing

pytestmark = pytest.mark.anyio
PARENT = "00f067aa0ba902b7"
_numbers = iter(range(1, 1000))


def trace_id() -> str:
    return f"4bf92f3577b34da6a3ce929d0e0e{next(_numbers):04x}"


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def traced(mariadb: MariaDb, collector: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    directory = tmp_path_factory.mktemp("traced")
    (directory / "otlp_headers").write_text("authorization: Bearer of-the-collector\n\nX-Tenant: realm-1\n")
    tracing = {"otlp_endpoint": f"{collector.url}/v1/traces", "headers_file": "otlp_headers"}
    with McpServer.start(directory, {"database": database_section(mariadb), "tracing": tracing}) as server:
        server.wait_until_ready()
        yield server


def send(
    server: McpServer,
    trace: str | None,
    message: dict[str, Any] | None = None,
    *,
    tool: str = "creature_get",
    arguments: dict[str, Any] | None = None,
    version: str = "2026-07-28",
    in_meta: bool = False,
    flags: str = "01",
    token: bool = False,
) -> Any:
    """Send a tool's call, or another message, as part of a trace; return the answer."""
    body, headers = tool_request(tool, arguments if arguments is not None else {"id": 448}, version)
    whole = json.loads(body)
    if message is not None:
        meta = whole["params"].get("_meta")
        whole |= message
        whole.setdefault("params", {})
        if meta:
            whole["params"]["_meta"] = meta
        headers |= {"mcp-method": whole["method"]}
        headers.pop("mcp-name", None)
    parent = f"00-{trace}-{PARENT}-{flags}"
    if in_meta:
        whole["params"].setdefault("_meta", {})["traceparent"] = parent
        headers["traceparent"] = f"00-{'f' * 32}-{PARENT}-01"  # the message's own word counts
    elif trace is not None:
        headers["traceparent"] = parent
    if token:
        whole["params"].setdefault("_meta", {})["progressToken"] = 7
    return server.request("POST", "/mcp", body=json.dumps(whole).encode(), headers=headers)


def request_span(spans: list[Span]) -> Span:
    """Return the one span of a request among a trace's spans."""
    [span] = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    return span


def test_a_call_is_one_span_below_its_callers_with_the_databases_below_it(
    traced: McpServer, collector: Receiver
) -> None:
    trace = trace_id()
    assert not send(traced, trace).json()["result"]["isError"]
    spans = collector.trace(trace, 2)
    span = request_span(spans)
    assert (span.name, span.parent_span_id.hex()) == ("tools/call creature_get", PARENT)
    assert attributes(span) == {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "creature_get",
        "mcp.protocol.version": "2026-07-28",
        "jsonrpc.request.id": "1",
        "network.transport": "tcp",
    }
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert span.end_time_unix_nano > span.start_time_unix_nano
    reads = [each for each in spans if each is not span]
    assert reads
    for read in reads:
        assert (read.name, read.kind, read.parent_span_id) == ("SELECT", Span.SPAN_KIND_CLIENT, span.span_id)
        assert attributes(read) == {
            "db.system.name": "mariadb",
            "db.operation.name": "SELECT",
            "db.query.summary": "creature_get",
        }


def test_resource_and_headers_are_as_configured(traced: McpServer, collector: Receiver) -> None:
    trace = trace_id()
    send(traced, trace)
    collector.trace(trace)
    post, export = collector.posts[-1], collector.exports()[-1]
    assert post.path == "/v1/traces"
    assert (post.headers["authorization"], post.headers["x-tenant"]) == ("Bearer of-the-collector", "realm-1")
    resource = attributes(export.resource_spans[0].resource)
    assert resource["service.name"] == "trinitycore-mcp"
    assert (resource["service.version"], resource["service.instance.id"]) == (__version__, "test")


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25", "2024-11-05"])
@pytest.mark.parametrize("in_meta", [False, True])
@pytest.mark.parametrize("token", [False, True])
def test_both_ways_of_a_call_make_the_same_one_span(
    traced: McpServer, collector: Receiver, version: str, in_meta: bool, token: bool
) -> None:
    trace = trace_id()
    send(traced, trace, version=version, in_meta=in_meta, token=token)
    span = request_span(collector.trace(trace))
    assert (span.name, span.parent_span_id.hex()) == ("tools/call creature_get", PARENT)
    assert attributes(span)["mcp.protocol.version"] == version
    # The log knows the request by the span's trace.
    [line] = [line for line in traced.log() if line.get("trace_id") == trace and line["message"] == "request"]
    assert line["tool"] == "creature_get"


def test_other_methods_have_their_span(traced: McpServer, collector: Receiver) -> None:
    trace = trace_id()
    send(traced, trace, {"id": "a-string", "method": "tools/list", "params": {}})
    span = request_span(collector.trace(trace))
    assert (span.name, attributes(span)["jsonrpc.request.id"]) == ("tools/list", "a-string")
    assert "gen_ai.tool.name" not in attributes(span)


@pytest.mark.parametrize("version", ["2026-07-28", "2024-11-05"])
def test_what_went_wrong_is_in_the_span_without_its_words(traced: McpServer, collector: Receiver, version: str) -> None:
    absent, bad, unknown = trace_id(), trace_id(), trace_id()
    send(traced, absent, arguments={"id": 999999}, version=version)
    send(traced, bad, arguments={"id": "a-word-of-the-caller"}, version=version)
    send(traced, unknown, tool="a_tool_of_the_caller", version=version)
    outcomes = {}
    for trace in (absent, bad, unknown):
        span = request_span(collector.trace(trace))
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert "of-the-caller" not in str(span)
        assert "of_the_caller" not in str(span)
        outcomes[span.name, attributes(span)["error.type"]] = attributes(span).get("rpc.response.status_code")
    assert outcomes == {
        ("tools/call creature_get", "tool_error"): None,
        ("tools/call creature_get", "invalid_arguments"): None,
        ("tools/call", "-32602"): "-32602",
    }


def test_a_request_without_a_trace_begins_one_that_its_log_line_names(traced: McpServer, collector: Receiver) -> None:
    seen = {span.trace_id for span in collector.spans()}
    send(traced, None, tool="item_get", arguments={"id": 25})
    deadline = time.monotonic() + 10
    while not (new := [span for span in collector.spans() if span.name == "tools/call item_get"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (new[0].parent_span_id, new[0].trace_id in seen) == (b"", False)
    assert traced.log()[-1]["trace_id"] == new[0].trace_id.hex()


def test_a_trace_that_its_beginner_does_not_record_is_not_recorded_here(traced: McpServer, collector: Receiver) -> None:
    unrecorded, recorded = trace_id(), trace_id()
    send(traced, unrecorded, flags="00")
    send(traced, recorded)
    collector.trace(recorded)
    assert unrecorded not in {span.trace_id.hex() for span in collector.spans()}
    assert unrecorded in {line.get("trace_id") for line in traced.log()}


def test_the_last_spans_leave_before_the_process_ends(mariadb: MariaDb, collector: Receiver, tmp_path: Path) -> None:
    # The usual path is added to an endpoint that has none.
    config = {"database": database_section(mariadb), "tracing": {"otlp_endpoint": collector.url}}
    config["server"] = {"drain_delay": 0}
    with McpServer.start(tmp_path, config) as server:
        server.wait_until_ready()
        trace = trace_id()
        send(server, trace)
        server.terminate()
        assert server.process.wait(10) == 0
        assert request_span(collector.trace(trace, timeout=0))


def test_a_collector_that_never_answers_costs_no_request_anything(mariadb: MariaDb, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        config = {"database": database_section(mariadb), "tracing": {"otlp_endpoint": endpoint}}
        config["server"] = {"drain_delay": 0}
        with McpServer.start(tmp_path, config) as server:
            server.wait_until_ready()
            server.call("creature_get", {"id": 448})
            silent.settimeout(10)
            stuck, _ = silent.accept()  # an export is under way and will not end
            with stuck:
                for _ in range(20):
                    assert not server.call("creature_get", {"id": 448})["isError"]
                server.terminate()
                assert server.process.wait(10) == 0


async def test_the_sampled_share_counts_where_a_trace_begins(collector: Receiver) -> None:
    tracing = Tracing(collector.url, instance="none-of-ours", tools=["t"], sample_ratio=0.0)
    begun, theirs = trace_id(), trace_id()
    async with tracing.running():
        ours = tracing.start("tools/call", "t", traceparent=None)
        ours.end("")
        tracing.start("tools/call", "t", traceparent=f"00-{begun}-{PARENT}-00").end("")
        tracing.start("tools/call", "t", traceparent=f"00-{theirs}-{PARENT}-01", tracestate="vendor=1").end("")
    [span] = collector.trace(theirs, timeout=0)
    assert span.trace_state == "vendor=1"
    found = {each.trace_id.hex() for each in collector.spans()}
    assert not found & {ours.trace_id, begun}


@pytest.mark.parametrize("traceparent", ["", "garbage", f"00-{'0' * 32}-{PARENT}-01", f"ff-{'a' * 32}-{PARENT}-01"])
async def test_a_malformed_parent_is_none(collector: Receiver, traceparent: str) -> None:
    tracing = Tracing(collector.url, instance="none-of-ours", tools=[])
    async with tracing.running():
        span = tracing.start("ping", "", traceparent=traceparent)
        span.end("")
    [found] = collector.trace(span.trace_id, timeout=0)
    assert found.parent_span_id == b""


def test_nothing_is_loaded_while_it_is_off(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("auth: {enabled: false}\n")
    code = f"""
import sys
from pathlib import Path
from trinitycore_mcp import config_load
from trinitycore_mcp.lifecycle import instance, parts
made = parts.assemble(config_load.load(Path({str(tmp_path / "config.yml")!r}), {{}}))
endpoint, _ = instance._endpoint(made)
print(made.tracing, endpoint._plain._tracing, made.error_reports, type(made.services.database).__name__)
print([type(each).__name__ for each in made.protocol.middleware])
off = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "sentry_sdk")
print([name for name in sys.modules if name.startswith(off)])
"""  # the Redis client loads the SDK's part for metrics wherever it is installed
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "None None None Database",
        "['Observer', 'RequestStateBoundary']",
        "[]",
    ]


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^tracing\.otlp_endpoint: .* pip install 'trinitycore-mcp\[otlp\]'$"):
        export._need("no_such_package.at.all", "tracing.otlp_endpoint", "otlp")
