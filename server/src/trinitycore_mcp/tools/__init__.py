"""The tools, one module for each kind of thing they are about. Every module's TOOLS is part of the catalogue."""

from __future__ import annotations

import pkgutil
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module

from trinitycore_mcp.config import Config
from trinitycore_mcp.toolkit.definition import Tool


@cache
def every_tool() -> tuple[Tool, ...]:
    """Return all tools there are, in the order of their names.

    :raises ValueError: two have the same name.
    """
    found: dict[str, Tool] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for tool in getattr(import_module(module.name), "TOOLS", ()):
            if tool.name in found:
                raise ValueError(f"two tools are called {tool.name}")
            found[tool.name] = tool
    return tuple(tool for _, tool in sorted(found.items()))


def catalogue(config: Config) -> tuple[Tool, ...]:
    """Return the tools that this configuration has."""

    def wanted(name: str) -> bool:
        included = any(fnmatchcase(name, pattern) for pattern in config.tools.include)
        return included and not any(fnmatchcase(name, pattern) for pattern in config.tools.exclude)

    return tuple(
        tool for tool in every_tool() if wanted(tool.name) and (tool.scope != "players" or config.players.enabled)
    )
