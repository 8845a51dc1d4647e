"""A connection: plain calls are answered right here, and request heads are bounded in size and time.

uvicorn bounds heads neither way with this parser. What it does for an ASGI application (a scope, messages, a response
checked header by header) takes longer than a whole plain call does, so those are answered without; everything else is
uvicorn's.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from starlette.types import Message, Receive
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trinitycore_mcp.flights import ClientLeft
from trinitycore_mcp.web.http import Header, Reply
from trinitycore_mcp.web.plain_calls import PlainCall

_log = logging.getLogger(__name__)
MAX_HEAD = 64 * 1024
"""Bytes that a request's head (its line and headers) may have; what one read brings is not cut, so up to a read more
may pass."""
HEAD_TIMEOUT = 75.0
"""Seconds that a client has to send a whole head: from connecting, and from a head's first byte on."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
)
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_CLOSE = b"connection: close\r\n"


class CallServer(Protocol):
    """What answers plain calls: web.endpoint.McpEndpoint."""

    def plain_call(self, raw: list[Header], body: bytes, client: tuple[str, int] | None) -> PlainCall | None:
        """Return the call that a POST of /mcp makes; None: it is the application's."""
        ...

    async def answer(self, call: PlainCall, receive: Receive) -> Reply:
        """Answer it; raises ClientLeft."""
        ...


class _Cycle:
    """A plain call being answered, with what uvicorn wants to know of the last request of a connection."""

    __slots__ = ("_gone", "disconnected", "keep_alive", "response_complete")

    def __init__(self) -> None:
        self.response_complete = False
        self.keep_alive = True
        self.disconnected = False
        self._gone: asyncio.Future[None] | None = None

    @property
    def message_event(self) -> _Cycle:
        """Where uvicorn says that the client left."""
        return self

    def set(self) -> None:
        """Say so."""
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    async def receive(self) -> Message:
        """Return when the client has left; there is no other message, as the body was read."""
        if not self.disconnected:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone
        return {"type": "http.disconnect"}


class Connection(HttpToolsProtocol):
    """One connection. Between a head's beginning and its end it counts what comes."""

    _in_head = False
    _head = 0
    _head_ends = 0.0
    _held: bytes | None = None
    """The body so far of what may be a plain call: uvicorn was not told of that request yet."""
    _idle_since = 0.0
    _idle_timer: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, calls: CallServer | None = None, **kwargs: Any) -> None:
        """:param calls: None: every request is the application's."""
        super().__init__(*args, **kwargs)
        self._calls = calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin; a client that sends nothing at all does not stay."""
        super().connection_made(transport)
        self._hang_up_in(HEAD_TIMEOUT)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and look at what is not whole yet."""
        super().data_received(data)
        if self._held is not None and not self.transport.is_closing():
            self._hand_over()
        if self._in_head and not self.transport.is_closing():
            self._unfinished(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def on_message_begin(self) -> None:
        """Take note that a head begins."""
        self._in_head, self._head, self._head_ends = True, 0, 0.0
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Take note that a head is whole; wait for the body if it may be a plain call."""
        self._in_head = False
        if self._calls is not None and self._may_be_plain():
            self._held = b""
        else:
            self._hand_over_head()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held += body

    def on_message_complete(self) -> None:
        """Answer a plain call; what turns out not to be one is the application's."""
        if self._held is None or self._calls is None:
            super().on_message_complete()
            return
        try:
            call = self._calls.plain_call(self.headers, self._held, self.client)
        except Exception:  # the parser would make it the client's fault; the application meets it again, and says so
            call = None
        if call is None:
            self._hand_over()
            super().on_message_complete()
        else:
            self._held = None
            self._begin(self._calls, call)

    def _may_be_plain(self) -> bool:
        """Return whether the request is one for us, going by its head and by what the connection is doing."""
        parser, cycle = self.parser, self.cycle
        return (
            self.url == b"/mcp"
            and parser.get_method() == b"POST"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (cycle is None or cycle.response_complete)
            and parser.get_http_version() == "1.1"
        )

    def _hand_over(self) -> None:
        """Let the application have the request that was held back, as far as it has come."""
        body, self._held = self._held, None
        self._hand_over_head()
        if body:
            super().on_body(body)

    def _hand_over_head(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the scope has this list
        super().on_headers_complete()

    def _begin(self, calls: CallServer, call: PlainCall) -> None:
        cycle = _Cycle()
        self.cycle = cycle  # type: ignore[assignment]  # has all that uvicorn asks of it
        task = self.loop.create_task(self._answer(calls, call, cycle))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, calls: CallServer, call: PlainCall, cycle: _Cycle) -> None:
        try:
            head, body, closing = await calls.answer(call, cycle.receive)
        except ClientLeft:
            return
        except asyncio.CancelledError:  # the server has waited long enough
            self._fail()
            raise
        except Exception:
            _log.exception("a call could not be answered")
            self._fail()
            return
        if cycle.disconnected:
            return
        closing = closing or not cycle.keep_alive
        ours = b"".join([b"%b: %b\r\n" % header for header in self.server_state.default_headers])  # the date
        self.transport.write(b"HTTP/1.1 200 OK\r\n%b%b%b\r\n%b" % (ours, head, _CLOSE if closing else b"", body))
        cycle.response_complete = True
        if closing:
            self.transport.close()
        if self.pipeline or closing:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._be_idle()

    def _fail(self) -> None:
        self.transport.write(_FAILED)
        self.transport.close()

    def _be_idle(self) -> None:
        """Close the connection when nothing comes for a while; one timer for all calls, as setting one costs time."""
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look_whether_idle)

    def _look_whether_idle(self) -> None:
        self._idle_timer = None
        if self.timeout_keep_alive_task is not None or not self.cycle.response_complete:
            return  # something came that has its own end
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._look_whether_idle)
        else:
            self.timeout_keep_alive_handler()

    def _unfinished(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD:
            body = b'{"error":"the head of a request has at most %d bytes"}' % MAX_HEAD
            self.transport.write(_TOO_LARGE % (len(body), body))
            self.transport.close()
            return
        now = self.loop.time()
        self._head_ends = self._head_ends or now + HEAD_TIMEOUT
        self._hang_up_in(self._head_ends - now)

    def _hang_up_in(self, seconds: float) -> None:
        """Close the connection then, unless more comes; the timer is the one that uvicorn stops when it does."""
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)
