"""Our server with one more tool, the trivial one that the others have too: `ours.py CONFIG [alone]`.

`alone` serves that tool only, to show whether the number of tools matters.
"""

from __future__ import annotations

import sys
from pathlib import Path

from msgspec import Struct
from trinitycore_mcp import config_load, lifecycle, logs, tools
from trinitycore_mcp.toolkit import NONE, Call, tool


class Sum(Struct, frozen=True):
    """A sum."""

    sum: int


@tool(title="Add", cache=NONE)
async def add(call: Call, a: int, b: int) -> Sum:
    """Add two numbers."""
    return Sum(a + b)


if __name__ == "__main__":
    ours = () if "alone" in sys.argv else tools.every_tool()
    tools.every_tool = lambda: (*ours, add)  # type: ignore[assignment]  # a tool that only this benchmark has
    loaded = config_load.load(Path(sys.argv[1]))
    logs.configure(loaded.config.logging.level)
    lifecycle.serve(loaded)
