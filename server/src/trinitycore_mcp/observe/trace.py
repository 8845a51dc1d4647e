"""Trace ids, as W3C Trace Context hands them on."""

from __future__ import annotations

import re
import secrets
from itertools import count

# https://www.w3.org/TR/trace-context/#traceparent-header; all zeroes is no id.
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace id (32 hex digits) that a ``traceparent`` carries, None when it carries none."""
    if not traceparent:
        return None
    match = _TRACEPARENT.match(traceparent)
    return match[1] if match else None


_PROCESS = secrets.token_hex(8)
_numbers = count(secrets.randbits(62))


def new_trace_id() -> str:
    """Return a new trace id; it need be unique, not secret: this process' random half, and a number counted up."""
    return f"{_PROCESS}{next(_numbers) & 0xFFFFFFFFFFFFFFFF:016x}"
