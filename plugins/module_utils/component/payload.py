"""Contents of files on their way from the controller to the host: one opaque, compressed string."""

from __future__ import annotations

import base64
import json
import zlib


def pack(contents: dict[str, bytes]) -> str:
    """Pack `contents` (destination path -> content) into one ASCII string."""
    entries: dict[str, list[str]] = {}
    for path, content in contents.items():
        try:
            entries[path] = ["text", content.decode("utf-8")]
        except UnicodeDecodeError:
            entries[path] = ["base64", base64.b64encode(content).decode("ascii")]
    return base64.b64encode(zlib.compress(json.dumps(entries).encode("utf-8"), 6)).decode("ascii")


def unpack(packed: str | None) -> dict[str, bytes]:
    """Inverse of `pack`; nothing packed gives no contents."""
    if not packed:
        return {}
    entries: dict[str, list[str]] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return {
        path: content.encode("utf-8") if kind == "text" else base64.b64decode(content)
        for path, (kind, content) in entries.items()
    }
