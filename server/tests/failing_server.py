"""The server with a tool that has a defect. Start: `python -m server.tests.failing_server CONFIG`."""

from __future__ import annotations

import sys
from pathlib import Path

from msgspec import Struct

from trinitycore_mcp import config_load, lifecycle, logs, tools
from trinitycore_mcp.config import Config
from trinitycore_mcp.toolkit import NONE, Call, Text, Tool, tool


class Never(Struct, frozen=True):
    """What the tool would return."""

    value: int


@tool(title="Fail", cache=NONE)
async def fail(call: Call, text: Text) -> Never:
    """Fail, as no tool should, with an argument and a row in the exception's words and causes."""
    rows = await call.rows("SELECT name FROM `world`.creature_template WHERE entry = %s", [448])
    try:
        return Never(int(text))
    except ValueError as error:
        error.add_note(f"a note on {text}")
        raise RuntimeError(f"{text} of {rows}") from error


def _catalogue(config: Config) -> tuple[Tool, ...]:
    del config
    return (fail,)


def main() -> None:
    """Serve until a signal ends it."""
    tools.catalogue = _catalogue
    loaded = config_load.load(Path(sys.argv[1]))
    logs.configure(loaded.config.logging.level)
    lifecycle.serve(loaded)


if __name__ == "__main__":
    main()
