"""What a script's talking rows say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import in_list
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
    local = "NULL"
    joins = ""
    text = "t.`Text`"
    if locale not in (None, "enUS") and schema.has("creature_text_locale"):
        joins = (
            f" LEFT JOIN {schema.table('creature_text_locale')} l ON l.`CreatureID` = t.`CreatureID` "
            "AND l.`GroupID` = t.`GroupID` AND l.`ID` = t.`ID` AND l.`Locale` = %s"
        )
        local = "l.`Text`"
    if schema.has("broadcast_text", "Text"):
        joins += f" LEFT JOIN {schema.table('broadcast_text')} b ON b.`ID` = t.`BroadcastTextId`"
        text = "COALESCE(NULLIF(t.`Text`, ''), b.`Text`)"
    found = await call.rows(
        f"SELECT t.`CreatureID` AS entry, t.`GroupID` AS `group`, {text} AS text, {local} AS local "
        f"FROM {schema.table('creature_text')} t{joins} WHERE t.`CreatureID` IN {marks} "
        f"ORDER BY t.`CreatureID`, t.`GroupID`, t.`ID` LIMIT {_MOST}",
        (*((locale,) if local != "NULL" else ()), *parameters),
    )
    lines: dict[tuple[int, int], list[str]] = {}
    for row in found:
        line = row["local"] or row["text"]
        if line and (row["entry"], row["group"]) in wanted:
            lines.setdefault((row["entry"], row["group"]), []).append(line)
    return {key: _quote(each) for key, each in lines.items()}


def _quote(lines: list[str]) -> str:
    first = lines[0] if len(lines[0]) <= _LONGEST else f"{lines[0][:_LONGEST].rstrip()}..."
    return f'"{first}"' + (f" or {len(lines) - 1} more" if len(lines) > 1 else "")
