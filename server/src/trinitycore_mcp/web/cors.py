"""What lets scripts of other origins read our answers (CORS, the Fetch standard).

Credentials are headers that a script sets itself, never cookies, so Access-Control-Allow-Credentials is not said.
"""

from __future__ import annotations

import re

from starlette.types import Message, Send

from trinitycore_mcp.web.admission import Headers
from trinitycore_mcp.web.http import Header

PUBLIC: Header = (b"access-control-allow-origin", b"*")
"""For what anybody may read."""
# Of a response's headers, those that scripts may read beside the few that they always may.
_EXPOSED = b"www-authenticate, retry-after, ratelimit, ratelimit-policy, x-mcp-instance"
_REQUEST_HEADERS = frozenset({"authorization", "x-api-key", "content-type", "accept", "traceparent", "tracestate"})
# Headers that the protocol has, and those that arguments are in (Mcp-Param-...): names that no list can know.
_PROTOCOL_HEADER = re.compile(r"mcp-[a-z0-9!#$%&'*+.^_`|~-]{1,100}")
# Chromium's bound; asking again costs a round trip.
_MAX_AGE = b"7200"


def is_preflight(method: str, headers: Headers) -> bool:
    """Return whether a browser asks what a script of another origin may send."""
    return method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def preflight_answer(method: bytes, headers: Headers) -> list[Header]:
    """Return the headers of the answer to a preflight, without the one that names the origin.

    :param method: that is served at that path.
    :param headers: the preflight's; of the names that it asks for, those that we know are allowed.
    """
    asked = headers.get(b"access-control-request-headers", b"").decode("latin-1").lower().split(",")
    names = [name for each in asked if _is_ours(name := each.strip(" \t"))]
    allowed = [(b"access-control-allow-headers", ", ".join(names).encode("ascii"))] if names else []
    return [(b"access-control-allow-methods", method), *allowed, (b"access-control-max-age", _MAX_AGE)]


def readable_by(origin: bytes, send: Send) -> Send:
    """Return `send` with the headers that let scripts of an origin read the answer.

    :param origin: as the browser wrote it, which is what it compares with.
    """
    headers = [
        (b"access-control-allow-origin", origin),
        (b"vary", b"Origin"),
        (b"access-control-expose-headers", _EXPOSED),
    ]

    async def readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return readable


def _is_ours(name: str) -> bool:
    return name in _REQUEST_HEADERS or _PROTOCOL_HEADER.fullmatch(name) is not None
