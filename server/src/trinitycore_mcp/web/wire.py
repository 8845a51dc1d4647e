"""Messages as they come over the wire, read as far as the way they take depends on it."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
from mcp.types import ClientCapabilities, Implementation
from msgspec import UNSET, Raw, Struct, UnsetType, field
from pydantic import ValidationError

_PREFIX = "io.modelcontextprotocol/"
MODERN = b"2026-07-28"
# Of the initialize era, those whose tools/call looks as ours does (structured content); older ones go to the SDK.
LEGACY = frozenset({b"2025-11-25", b"2025-06-18"})


class Meta(Struct, frozen=True):
    """``_meta`` of a request."""

    version: str | None = field(default=None, name=f"{_PREFIX}protocolVersion")
    capabilities: Raw | UnsetType = field(default=UNSET, name=f"{_PREFIX}clientCapabilities")
    client: Raw | UnsetType = field(default=UNSET, name=f"{_PREFIX}clientInfo")
    token: Raw | UnsetType = field(default=UNSET, name="progressToken")
    traceparent: str | None = None
    tracestate: str | None = None


class Params(Struct, frozen=True):
    """Parameters of a request."""

    name: str | None = None
    arguments: Raw | UnsetType = UNSET
    meta: Meta | None = field(default=None, name="_meta")
    state: Raw | UnsetType = field(default=UNSET, name="requestState")
    responses: Raw | UnsetType = field(default=UNSET, name="inputResponses")


class Message(Struct, frozen=True):
    """A JSON-RPC request or notification."""

    jsonrpc: Literal["2.0"]
    method: str
    id: int | str | None = None
    params: Params | None = None


_decode = msgspec.json.Decoder(Message).decode


def read(body: bytes) -> Message | None:
    """Return a body's message; None: it has none, or one that the SDK has to answer."""
    try:
        if not body.isascii():
            body.decode()  # the decoder passes over what it need not look into
        return _decode(body)
    except (ValueError, RecursionError):
        return None


def fault(body: bytes) -> tuple[int, str, int | str | None] | None:
    """Return what is wrong with a body, as JSON-RPC 2.0 section 5.1 counts it: code, text, the request's id.

    None: it is a message, or something that a later look finds fault with.
    """
    try:
        data = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return -32700, "the body is not JSON in UTF-8, or has a number out of range", None
    if not isinstance(data, dict):
        return -32600, "the body must be one JSON-RPC message, an object", None
    given = data.get("id")
    ident = given if isinstance(given, str | int) and not isinstance(given, bool) else None
    if data.get("jsonrpc") != "2.0":
        return -32600, 'jsonrpc must be "2.0"', ident
    if "method" not in data:
        return None if _is_response(data, ident) else (-32600, "method is missing", ident)
    if not isinstance(data["method"], str):
        return -32600, "method must be a string", ident
    if "id" in data and ident is None:
        return -32600, "id must be a string or an integer", None
    if not isinstance(data.get("params", {}), dict):
        return -32600, "params must be an object", ident
    return None


def _is_response(data: dict[str, Any], ident: int | str | None) -> bool:
    """Return whether it answers a request of ours; we send none, but a client may say so."""
    if "result" in data:
        return ident is not None and isinstance(data["result"], dict) and "error" not in data
    match data.get("error"):
        case {"code": int(), "message": str()}:
            return ident is not None
    return False


# Strings are passed over whole, possessively: an unclosed one must not be tried again from each of its characters.
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


def nested_deeper(body: bytes, levels: int) -> bool:
    """Return whether the JSON has more levels of objects and lists inside one another."""
    if body.count(b"[") + body.count(b"{") <= levels:
        return False
    depth = 0
    for match in _BRACKETS.finditer(body):
        first = match[0][0]
        if first in b"[{":
            depth += 1
            if depth > levels:
                return True
        elif first in b"]}":
            depth -= 1
    return False


class Envelopes:
    """Checks what each 2026-07-28 request says of its client, once for each thing said.

    The SDK's own types decide; a client sends the same with every request.
    """

    def __init__(self, most: int = 512) -> None:
        self._good: dict[tuple[bytes, bytes], bool] = {}
        self._most = most

    def well_formed(self, meta: Meta) -> bool:
        """Return whether capabilities and client are as the protocol wants them."""
        if meta.capabilities is UNSET:
            return False
        key = (bytes(meta.capabilities), b"" if meta.client is UNSET else bytes(meta.client))
        known = self._good.get(key)
        if known is not None:
            return known
        try:
            ClientCapabilities.model_validate_json(key[0])
            if key[1]:
                Implementation.model_validate_json(key[1])
            good = True
        except ValidationError:
            good = False
        if len(self._good) < self._most and len(key[0]) + len(key[1]) < 4096:
            self._good[key] = good
        return good
