"""What a script's talking rows say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.spoken import lines
from trinitycore_mcp.toolkit import Call

Quotes = Mapping[tuple[int, int], str]
"""Creature entry and text group to what it says."""

_TALK = 1
_SIMPLE_TALK = 84
_TEXT_OVER = 52
# Targets that name a creature, and the parameter that has its entry.
_CREATURES = {9: "target_param1", 10: "target_param2", 11: "target_param1", 19: "target_param1"}
_LONGEST = 90
_MOST = 500


def speaker(row: Row, owner: int | None) -> int | None:
    """Return the entry of the creature that says the text group of a row's action."""
    creature = row[_CREATURES[row["target_type"]]] if row["target_type"] in _CREATURES else None
    if row["action_type"] == _TALK and row["action_param3"]:
        return owner
    return creature or owner


def _talks(row: Row, owner: int | None) -> list[tuple[int, int]]:
    found: list[tuple[int | None, int]] = []
    if row["action_type"] in (_TALK, _SIMPLE_TALK):
        found.append((speaker(row, owner), row["action_param1"]))
    if row["event_type"] == _TEXT_OVER:
        found.append((row["event_param2"] or owner, row["event_param1"]))
    return [(entry, group) for entry, group in found if entry]


async def quotes_for(
    call: Call, rows: Iterable[tuple[Row, int | None]], locale: str | None = None
) -> dict[tuple[int, int], str]:
    """Return what the rows' creatures say, shortened; nothing when the database has no creature texts.

    :param rows: rows with the entry of the creature whose script they are.
    """
    wanted = {talk for row, owner in rows for talk in _talks(row, owner)}
    schema = await call.schema()
    if not wanted or not schema.has("creature_text"):
        return {}
    marks, parameters = in_list({entry for entry, _ in wanted})
    said: dict[tuple[int, int], list[str]] = {}
    for row in await lines(call, f"t.`CreatureID` IN {marks}", parameters, _MOST, locale):
        key = (row["CreatureID"], row["GroupID"])
        if row["text"] and key in wanted:
            said.setdefault(key, []).append(row["text"])
    return {key: _quote(each) for key, each in said.items()}


def _quote(said: list[str]) -> str:
    first = said[0] if len(said[0]) <= _LONGEST else f"{said[0][:_LONGEST].rstrip()}..."
    return f'"{first}"' + (f" or {len(said) - 1} more" if len(said) > 1 else "")
