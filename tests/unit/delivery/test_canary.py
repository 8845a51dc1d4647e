"""When a new release counts as worse: by the metrics of instances that serve them on loopback, as the server does."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.canary import (
    CanaryError,
    Thresholds,
    between,
    errors_complaint,
    latency_complaint,
    percentile,
    read,
)
from ansible_collections.trinitycore.mcp.plugins.module_utils.canary_watch import Instance, Watch
from prometheus_client import CollectorRegistry, generate_latest
from trinitycore_mcp.observe.durations import Durations

from tests.support.certificates import Authority

BOUNDS = (0.001, 0.01, 0.1, 1.0)
LIMITS = Thresholds(calls=100, errors=0.01, factor=1.5, slack=0.001)


@dataclass
class Served:
    """An instance: answers each call in the time and with the outcome that it is told, and counts as the server does.

    :ivar error: kind of failure of every call; ``gone`` answers none at all.
    """

    seconds: float = 0.004
    error: str = ""
    calls: int = 0
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Count from 0."""
        self.registry = CollectorRegistry()
        self.durations = Durations(
            "mcp_server_operation_duration_seconds", "x", ("method", "tool", "error_type"), BOUNDS, self.registry
        )

    def call(self, times: int = 1, tool: str = "creature_get") -> None:
        """Take calls."""
        self.calls += times
        for _ in range(times):
            self.durations.labels("tools/call", tool, self.error).observe(self.seconds)

    @property
    def text(self) -> str:
        """Its metrics."""
        return generate_latest(self.registry).decode()


def calls_of(**settings: Any) -> Any:
    """Return what is read from an instance with these settings that took 200 calls."""
    served = Served(**settings)
    served.call(200)
    return read(served.text)


def test_only_tool_calls_count_and_failures_apart() -> None:
    served = Served()
    served.call(3)
    served.durations.labels("subscriptions/listen", "", "").observe(600)
    served.error = "internal"
    served.call(2)
    read_calls = read(served.text)
    assert (read_calls.answered, read_calls.failed) == (3, 2)
    assert read_calls.count("creature_get") == 3
    with pytest.raises(CanaryError, match="no metric"):
        read("up 1\n")


def test_between_two_looks() -> None:
    served = Served()
    served.call(5)
    before = read(served.text)
    served.call(7)
    assert between(before, read(served.text)).answered == 7
    served.start()
    served.call(1)
    with pytest.raises(CanaryError, match="started anew"):
        between(before, read(served.text))


def test_percentile_lies_between_the_bounds_in_proportion() -> None:
    assert percentile({0.001: 0.0, 0.01: 100.0, float("inf"): 100.0}, 0.95) == pytest.approx(0.001 + 0.009 * 0.95)
    assert percentile({0.001: 50.0, 0.01: 50.0, float("inf"): 100.0}, 0.95) == 0.01
    assert percentile({}, 0.95) == 0.0


def test_errors_are_compared_with_those_of_the_rest() -> None:
    bad, good = calls_of(error="internal"), calls_of()
    complaint = errors_complaint(bad, good, LIMITS)
    assert complaint is not None
    assert "100.0% of its 200 tool calls failed, 0.0% of the rest's 200; allowed are 1.0% more" in complaint
    assert errors_complaint(bad, bad, LIMITS) is None
    assert errors_complaint(bad, good, Thresholds(201, 0.01, 1.5, 0.001)) is None


def test_durations_are_compared_tool_by_tool() -> None:
    slow, good = calls_of(seconds=0.05), calls_of()
    complaint = latency_complaint(slow, good, LIMITS)
    assert complaint is not None
    assert "50% of its 200 calls of creature_get took up to 55.00 ms, of the rest's 200 up to 5.50 ms" in complaint
    assert "allowed are 9.25 ms" in complaint
    some = Served()
    some.call(180)
    some.seconds = 0.05
    some.call(20)
    complaint = latency_complaint(read(some.text), good, LIMITS)
    assert complaint is not None
    assert "95% of its 200 calls of creature_get took up to 55.00 ms, of the rest's 200 up to 9.55 ms" in complaint
    assert latency_complaint(good, slow, LIMITS) is None
    other = Served(seconds=0.05)
    other.call(200, "sql_select")
    other.seconds = 0.004
    other.call(200)
    assert latency_complaint(read(other.text), good, LIMITS) is None, "the rest had no such calls"


@contextmanager
def serving(served: Served, tls: ssl.SSLContext) -> Iterator[int]:
    """Serve an instance's calls and metrics; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer(served.text.encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            served.call()
            failed = "true" if served.error else "false"
            self.answer(
                b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"%b"}],"isError":%b}}'
                % (served.error.encode(), failed.encode())
            )

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass
class Fleet:
    """A canary, two others, and who watches them; time passes only while the watcher sleeps."""

    canary: Served
    rest: list[Served]
    watch: Watch
    traffic: int = 0
    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        """Let time pass, in which clients call."""
        self.now += seconds
        for served in (self.canary, *self.rest):
            served.call(self.traffic)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    authority = Authority(tmp_path)
    pair = authority.issue("app1")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.ca))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(pair.certificate, pair.key)
    all_served = [Served(), Served(), Served()]
    with ExitStack() as stack:
        instances = []
        for number, served in enumerate(all_served, 1):
            url = f"https://127.0.0.1:{stack.enter_context(serving(served, tls))}"
            files = str(authority.ca), str(pair.certificate), str(pair.key)
            instances.append(Instance(f"app1-{number}", f"{url}/mcp", f"{url}/metrics", *files))
        call = {"tool": "creature_get", "arguments": {"id": 1}, "api_key": "k"}
        watch = Watch(
            instances[0],
            instances[1:],
            LIMITS,
            call,
            sleep=lambda seconds: made.sleep(seconds),  # noqa: PLW0108  # a test replaces it
            clock=lambda: made.now,
        )
        made = Fleet(all_served[0], all_served[1:], watch)
        yield made


def test_a_good_release_under_load_is_left_alone(fleet: Fleet) -> None:
    fleet.traffic = 20
    fleet.watch.run(5, 30)
    assert fleet.now >= 35
    assert fleet.watch.own_calls == 0 or fleet.watch.own_calls < 100
    assert fleet.watch.measured["canary"]["failed"] == 0


def test_calls_are_made_where_clients_make_none(fleet: Fleet) -> None:
    fleet.watch.run(0, 0)
    assert fleet.canary.calls >= LIMITS.calls
    assert fleet.rest[0].calls > 0
    assert fleet.rest[1].calls > 0


def test_calls_of_many_tools_are_not_taken_for_many_of_one(fleet: Fleet) -> None:
    """A hundred calls of each of ten tools, ten a tool, say nothing of durations."""
    fleet.canary.seconds = 0.05

    def pass_time(seconds: float) -> None:
        fleet.now += seconds
        for served in (fleet.canary, *fleet.rest):
            for number in range(10):
                served.call(2, f"tool_{number}")

    fleet.sleep = pass_time  # type: ignore[method-assign]
    with pytest.raises(CanaryError, match="calls of creature_get took up to"):
        fleet.watch.run(0, 5)


def test_a_failing_release_is_stopped_at_once(fleet: Fleet) -> None:
    fleet.traffic, fleet.canary.error = 200, "internal"
    with pytest.raises(CanaryError, match="tool calls failed"):
        fleet.watch.run(10, 600)
    assert fleet.now < 60


def test_a_failing_release_is_stopped_without_clients(fleet: Fleet) -> None:
    fleet.canary.error = "internal"
    with pytest.raises(CanaryError, match=r"calls of creature_get failed \(internal\), none of app1-"):
        fleet.watch.run(0, 0)


def test_a_slow_release_is_stopped_at_the_end(fleet: Fleet) -> None:
    fleet.traffic, fleet.canary.seconds = 20, 0.05
    with pytest.raises(CanaryError, match="took up to"):
        fleet.watch.run(5, 20)
    assert fleet.now >= 45, "it is looked at twice"


def test_a_canary_that_is_started_anew_is_noticed(fleet: Fleet) -> None:
    fleet.traffic = 20
    before = fleet.watch.look()
    assert before[0].answered == 0
    sleep = fleet.sleep

    def crash(seconds: float) -> None:
        sleep(seconds)
        if fleet.now > 10:
            fleet.canary.start()

    fleet.sleep = crash  # type: ignore[method-assign]
    with pytest.raises(CanaryError, match="started anew"):
        fleet.watch.run(0, 60)


def test_one_of_the_rest_may_be_away(fleet: Fleet) -> None:
    lost = Instance("app9-1", "https://127.0.0.1:9/mcp", "https://127.0.0.1:9/metrics", *_files(fleet.watch))
    fleet.watch._rest.append(lost)
    fleet.traffic = 20
    fleet.watch.run(1, 10)
    assert lost not in fleet.watch._rest
    fleet.watch._rest[:] = [lost]
    with pytest.raises(CanaryError, match="nobody to compare it with: no metrics at"):
        fleet.watch.run(1, 10)


def _files(watch: Watch) -> tuple[str, str, str]:
    return watch._canary.ca_file, watch._canary.cert_file, watch._canary.key_file
