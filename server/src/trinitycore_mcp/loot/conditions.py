"""The conditions on loot rows, as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from trinitycore_mcp.loot.expand import Line
from trinitycore_mcp.toolkit import Call
from trinitycore_mcp.tools.conditions import sentences_for


async def line_conditions(call: Call, lines: Sequence[Line], locale: str | None) -> list[list[str]]:
    """Return for each line the conditions of its rows, those of references that lead to it first."""
    keys: dict[int, set[tuple[int, int]]] = {}
    for line in lines:
        for step in line.steps:
            if step.table.source_type is not None:
                keys.setdefault(step.table.source_type, set()).add(step.condition_key)
    types = list(keys)
    found = await asyncio.gather(*(sentences_for(call, each, sorted(keys[each]), locale) for each in types))
    known = dict(zip(types, found, strict=True))
    return [
        [
            text
            for step in line.steps
            if step.table.source_type is not None
            for text in known[step.table.source_type].get(step.condition_key, ())
        ]
        for line in lines
    ]
