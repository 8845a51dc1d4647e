"""A connection whose request heads are bounded in size and time: uvicorn bounds neither with this parser."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
"""Bytes that a request's head (its line and headers) may have; what one read brings is not cut, so up to a read more
may pass."""
HEAD_TIMEOUT = 75.0
"""Seconds that a client has to send a whole head: from connecting, and from a head's first byte on."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
)


class Connection(HttpToolsProtocol):
    """One connection. Between a head's beginning and its end it counts what comes."""

    _in_head = False
    _head = 0
    _head_ends = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin; a client that sends nothing at all does not stay."""
        super().connection_made(transport)
        self._hang_up_in(HEAD_TIMEOUT)

    def on_message_begin(self) -> None:
        """Take note that a head begins."""
        self._in_head, self._head, self._head_ends = True, 0, 0.0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take note that a head is whole."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse what came, and look at a head that is not whole yet."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._unfinished(len(data))

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
