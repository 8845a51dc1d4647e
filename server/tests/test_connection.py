"""A connection on which some requests are answered right away and others are uvicorn's: nobody sees a difference."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from starlette.types import Receive, Scope, Send

from server.tests.database_support import until
from tests.support.binaries import free_port
from trinitycore_mcp import config
from trinitycore_mcp.lifecycle import listeners
from trinitycore_mcp.tasks import end
from trinitycore_mcp.web.http import Header, Reply
from trinitycore_mcp.web.plain_calls import PlainCall

pytestmark = pytest.mark.anyio


class Calls:
    """Calls whose body says what becomes of them; one that does not begin with "plain" is the application's."""

    def __init__(self) -> None:
        self.taken = 0
        self.left = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    def plain_call(self, raw: list[Header], body: bytes, client: tuple[str, int] | None) -> PlainCall | None:
        assert dict(raw)[b"host"] == b"here"
        assert client is not None
        if not body.startswith(b"plain"):
            return None
        self.taken += 1
        return cast(PlainCall, body)

    async def answer(self, call: PlainCall, receive: Receive) -> Reply:
        body = cast(bytes, call)
        self.begun.set()
        if b"wait" in body:
            await self.go_on.wait()
        if b"leave" in body:
            assert (await receive())["type"] == "http.disconnect"
            self.left += 1
        if b"fail" in body:
            raise RuntimeError("a defect")
        return Reply(b"content-length: %d\r\nx-way: short\r\n" % len(body), body, b"last" in body)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Echo the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-length", b"%d" % len(body)), (b"x-way", scope["path"].encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(calls: Calls) -> AsyncIterator[tuple[listeners.Listener, int]]:
    options = config.Server(port=free_port())
    running = listeners.listener(application, None, 5, calls)
    bound = listeners.bind(options)
    task: asyncio.Task[Any] = asyncio.create_task(running.serve(sockets=[bound]))
    await running.accepting.wait()
    try:
        yield running, options.port
    finally:
        calls.go_on.set()
        running.should_exit = True
        await asyncio.wait({task}, timeout=5)
        await end(task)


def post(body: bytes, *headers: bytes, line: bytes = b"POST /mcp HTTP/1.1") -> bytes:
    lines = [line, b"Host: here", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def response(reader: asyncio.StreamReader) -> tuple[int, dict[bytes, bytes], bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head[:-4].split(b"\r\n")
    headers = dict(line.lower().split(b": ", 1) for line in lines)
    body = await reader.readexactly(int(headers.get(b"content-length", 0)))
    return int(status.split()[1]), headers, body


Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def calls() -> Calls:
    return Calls()


@pytest.fixture
async def listener(calls: Calls) -> AsyncIterator[tuple[listeners.Listener, int]]:
    async with serving(calls) as running:
        yield running


@pytest.fixture
async def connected(listener: tuple[listeners.Listener, int]) -> AsyncIterator[Connected]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener[1])
    yield reader, writer
    writer.close()


async def test_requests_of_both_kinds_at_once_are_answered_in_order(calls: Calls, connected: Connected) -> None:
    reader, writer = connected
    bodies = [b"plain 1", b"other 2", b"plain 3 wait", b"plain 4", b"other 5", b"plain 6", b"other 7"]
    writer.write(b"".join(post(body) for body in bodies))
    assert [(await response(reader))[2] for _ in range(2)] == bodies[:2]
    calls.go_on.set()
    assert [(await response(reader))[2] for _ in range(5)] == bodies[2:]
    writer.write(post(b"plain again"))
    status, headers, body = await response(reader)
    assert (status, body, headers[b"x-way"]) == (200, b"plain again", b"short")
    assert headers[b"date"].endswith(b"gmt")
    assert b"connection" not in headers


@pytest.mark.parametrize(
    "cut", [1, 30, len(post(b"plain")) - 6, len(post(b"plain")) - 4, len(post(b"plain")) - 1], ids=str
)
async def test_a_request_may_come_in_pieces(cut: int, calls: Calls, connected: Connected) -> None:
    reader, writer = connected
    for _ in range(2):
        data = post(b"plain")
        writer.write(data[:cut])
        await asyncio.sleep(0.05)
        writer.write(data[cut:])
        assert (await response(reader))[2] == b"plain"
    # What waits for the rest of its body is uvicorn's, which knows how to.
    assert calls.taken == (0 if cut > len(data) - 6 else 2)


CHUNKED = b"POST /mcp HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nplain\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "way"),
    [
        (post(b"plain", line=b"POST /health HTTP/1.1"), b"/health"),
        (post(b"plain", line=b"POST /mcp?x HTTP/1.1"), b"/mcp"),
        (post(b"plain", line=b"PUT /mcp HTTP/1.1"), b"/mcp"),
        (post(b"plain", line=b"POST /mcp HTTP/1.0"), b"/mcp"),
        (post(b"plain", b"Connection: close"), b"/mcp"),
        (post(b"plain", b"Expect: 100-continue"), b"/mcp"),
        (post(b"plain"), b"short"),
        (post(b""), b"/mcp"),
        (CHUNKED, b"short"),
    ],
)
async def test_what_is_not_quite_usual_is_uvicorns(data: bytes, way: bytes, connected: Connected) -> None:
    reader, writer = connected
    for _ in range(1 if b"close" in data or b"1.0" in data else 2):
        writer.write(data)
        status, headers, body = await response(reader)
        if status == 100:
            status, headers, body = await response(reader)
        assert (status, body) == (200, b"plain" if b"plain" in data else b"")
        assert headers[b"x-way"] == way


async def test_a_client_that_leaves_is_noticed(calls: Calls, connected: Connected) -> None:
    _, writer = connected
    writer.write(post(b"plain leave"))
    await calls.begun.wait()
    writer.close()
    await until(lambda: calls.left == 1, 2)


async def test_a_defect_is_an_error_of_the_server_and_ends_the_connection(
    connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = connected
    with caplog.at_level(logging.ERROR):
        writer.write(post(b"plain fail"))
        status, headers, _ = await response(reader)
    assert (status, headers[b"connection"]) == (500, b"close")
    assert await reader.read() == b""
    assert "a call could not be answered" in caplog.messages


async def test_a_call_that_is_to_be_the_last_closes_the_connection(connected: Connected) -> None:
    reader, writer = connected
    writer.write(post(b"plain last"))
    assert (await response(reader))[1][b"connection"] == b"close"
    assert await reader.read() == b""


async def test_a_call_under_way_is_finished_when_the_server_ends(
    calls: Calls, listener: tuple[listeners.Listener, int], connected: Connected
) -> None:
    reader, writer = connected
    writer.write(post(b"plain wait"))
    await calls.begun.wait()
    listener[0].should_exit = True
    await asyncio.sleep(0.3)
    calls.go_on.set()
    status, headers, body = await response(reader)
    assert (status, body, headers[b"connection"]) == (200, b"plain wait", b"close")


@pytest.mark.parametrize("before", [b"plain", b"other"])
async def test_an_idle_connection_is_closed_and_a_busy_one_is_not(
    before: bytes, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "_KEEP_ALIVE", 0.3)
    now: Callable[[], float] = asyncio.get_running_loop().time
    async with serving(calls) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in (before, b"plain", before, b"plain", before):
            writer.write(post(body))
            await response(reader)
            await asyncio.sleep(0.2)
        writer.write(post(b"plain wait"))
        await asyncio.sleep(0.5)
        calls.go_on.set()
        await response(reader)
        began = now()
        assert await reader.read() == b""
        assert 0.2 < now() - began < 1
        writer.close()
