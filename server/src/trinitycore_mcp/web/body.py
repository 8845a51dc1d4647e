"""Request bodies: read whole within a limit, and handed on to those who want to read them again."""

from __future__ import annotations

from starlette.types import Message, Receive

from trinitycore_mcp.flights import ClientLeft, Flights, TimeUp
from trinitycore_mcp.on_the_spot import OnTheSpot
from trinitycore_mcp.web.admission import Headers

TIMEOUT = 30.0
"""Seconds that a body may take to come."""


class TooLarge(Exception):
    """The body has more bytes than allowed."""


class TooSlow(Exception):
    """The body did not come in time."""


async def read_body(headers: Headers, receive: Receive, most: int, flights: Flights) -> bytes:
    """Return a request's body.

    :param most: bytes that it may have.
    :param flights: keep the time.
    :raises TooLarge: it has more.
    :raises TooSlow: it is not complete after TIMEOUT.
    :raises ClientLeft: the connection ended before it was complete.
    """
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > most:
        raise TooLarge
    reading = OnTheSpot(_read(receive, most))
    if reading.done:
        return reading.result
    try:
        with flights.begin(TIMEOUT):
            return await reading
    except TimeUp:
        raise TooSlow from None


async def _read(receive: Receive, most: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":  # what came of it is no request, even if it looks like one
                raise ClientLeft
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise TooLarge
        body = b"".join(parts)
    if len(body) > most:
        raise TooLarge
    return body


class Replay:
    """An ASGI channel whose body was read already."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the body as one message, then whatever comes after it."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()
