"""Plain HTTP answers for raw ASGI applications."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Send

Header = tuple[bytes, bytes]


class Reply(NamedTuple):
    """A response of status 200."""

    head: bytes
    """Header lines, each with its end."""
    body: bytes
    closing: bool
    """Whether the connection is closed afterwards."""


def pairs(head: bytes) -> list[Header]:
    """Return header lines as ASGI wants them."""
    split = (line.partition(b": ") for line in head.split(b"\r\n")[:-1])
    return [(name, value) for name, _, value in split]


async def answer(send: Send, status: int, body: bytes, content_type: str, headers: Iterable[Header] = ()) -> None:
    """Send a whole response."""
    all_headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, data: object, headers: Iterable[Header] = ()) -> None:
    """Send `data` as JSON."""
    await answer(send, status, json.dumps(data, separators=(",", ":")).encode(), "application/json", headers)


async def answer_empty(send: Send, headers: Iterable[Header]) -> None:
    """Send a response of status 204, which has no body."""
    await send({"type": "http.response.start", "status": HTTPStatus.NO_CONTENT, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b""})
