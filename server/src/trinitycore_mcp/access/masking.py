"""Arguments as they may be written down: without secrets, and not without end."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

MASK = "***"
_MAX_TEXT = 512
_MAX_ITEMS = 50
_MAX_DEPTH = 6
_MAX_SIZE = 4096
_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|(^|[_-])pass$|secret|token|api_?key|private|credential|authorization|cookie|verifier|salt|session|signature"
    r"|^(key|pin|otp|dsn)$",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"tcmcp_[A-Za-z0-9_-]{16,}"  # our API keys
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # tokens
    r"|\b(?:bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}"
    r"|-----BEGIN [A-Z ]+-----.*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # account in a URL
    r"|(?<=identified by )\s*'[^']*'?"
    r"|(?<=\bpassword=)\S+",
    re.IGNORECASE | re.DOTALL,
)


def masked(value: Any, depth: int = 0) -> Any:
    """Return a JSON value with whatever is named or looks like a secret replaced by MASK, long parts cut."""
    if isinstance(value, str):
        text = _SECRET_TEXT.sub(MASK, value)
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}... ({len(value)} characters)"
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # JSON has no infinity, and 1e400 is read as one
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _MAX_DEPTH:
        return "..."
    if isinstance(value, Mapping):
        shown = {str(name)[:64]: _member(str(name), item, depth) for name, item in list(value.items())[:_MAX_ITEMS]}
        return shown | ({"...": f"{len(value)} in all"} if len(value) > _MAX_ITEMS else {})
    if isinstance(value, list | tuple | set | frozenset):
        items = [masked(item, depth + 1) for item in list(value)[:_MAX_ITEMS]]
        return items + ([f"... ({len(value)} in all)"] if len(value) > _MAX_ITEMS else [])
    return type(value).__name__


def _member(name: str, value: Any, depth: int) -> Any:
    if value is not None and _SECRET_NAME.search(name):
        return MASK
    return masked(value, depth + 1)


def recorded(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments for an audit record: {"sha256": digest, "values": masked arguments}.

    The digest is that of the masked values as JSON with sorted keys: of the real ones, a short secret could be
    guessed from it. When the values are too large altogether, only the digest and their names stay.
    """
    values = masked(arguments)
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if len(text) > _MAX_SIZE:
        values = {name: "..." for name in values}
    return {"sha256": digest, "values": values}
