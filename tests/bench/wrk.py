"""What the benchmarks that use wrk share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.mcp_server import KEY, tool_request

MODERN, LEGACY = "2026-07-28", "2025-11-25"


def script(folder: Path, name: str, tool: str, arguments: Mapping[str, Any], version: str, *, key: str = KEY) -> Path:
    """Return wrk's script for one call, over and over.

    It ends with a line ``FIGURES``: calls a second; p50, p95 and p99 in milliseconds; errors; calls.
    """
    body, headers = tool_request(tool, arguments, version, key=key)
    lines = ['wrk.method = "POST"', f"wrk.body = [==[{body.decode()}]==]"]
    lines += [f'wrk.headers["{header}"] = "{value}"' for header, value in headers.items()]
    lines += [
        "done = function(summary, latency)",
        "  local e = summary.errors",
        '  print(string.format("FIGURES %.1f %.3f %.3f %.3f %d %d", summary.requests / summary.duration * 1e6,',
        "    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,",
        "    e.connect + e.read + e.write + e.status + e.timeout, summary.requests))",
        "end",
    ]
    path = folder / f"{name}.lua"
    path.write_text("\n".join(lines) + "\n")
    return path
