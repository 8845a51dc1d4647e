"""Find the one credential of a request. It comes by header only: addresses with their query end up in logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from trinitycore_mcp.access.refused import malformed, missing

_PRINTABLE = re.compile(rb"[!-~]+")
MAX_SIZE = 8192
"""Bytes of a credential; tokens with many claims have 2 to 4 KiB."""


class Credential(NamedTuple):
    """The raw value, and whether it came by X-API-Key, so that it can't be a token."""

    raw: bytes
    key_only: bool


def credential(headers: Iterable[tuple[bytes, bytes]]) -> Credential:
    """Return what the caller proves itself with: ``Authorization: Bearer`` (RFC 6750) or ``X-API-Key``.

    A request with two is refused, even when they are the same: what reads only the first of them and what reads
    only the last would see different callers.

    :param headers: names in lower case, as ASGI has them.
    :raises Refused: there is none (401), or more than one, or it is not well-formed (400).
    """
    found: Credential | None = None
    for name, value in headers:
        if name == b"authorization":
            scheme, _, raw = value.strip().partition(b" ")
            if scheme.lower() != b"bearer":
                raw = b""
            elif not raw.strip():
                raise malformed("Authorization: Bearer has nothing after it")
            key_only = False
        elif name == b"x-api-key":
            raw, key_only = value, True
            if not raw.strip():
                raise malformed("X-API-Key is empty")
        else:
            continue
        if found is not None:
            raise malformed("more than one credential: send Authorization or X-API-Key, once")
        found = Credential(raw.strip(), key_only)
    if found is None or not found.raw:
        raise missing()
    if len(found.raw) > MAX_SIZE:
        raise malformed(f"the credential has {len(found.raw)} bytes, allowed are {MAX_SIZE}")
    if not _PRINTABLE.fullmatch(found.raw):
        raise malformed("the credential has blanks or characters other than printable ASCII")
    return found
