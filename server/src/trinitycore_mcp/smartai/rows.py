"""Reads rows of the table `smart_scripts`."""

from __future__ import annotations

from collections.abc import Iterable

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.toolkit import Call

EVENT_PARAMS = tuple(f"event_param{place}" for place in range(1, 7))
ACTION_PARAMS = tuple(f"action_param{place}" for place in range(1, 8))
TARGET_PARAMS = tuple(f"target_param{place}" for place in range(1, 5))
_COLUMNS = (
    *("entryorguid", "source_type", "id", "link", "event_type", "event_phase_mask", "event_chance", "event_flags"),
    *EVENT_PARAMS,
    *("event_param_string", "action_type"),
    *ACTION_PARAMS,
    *("action_param_string", "target_type"),
    *TARGET_PARAMS,
    *("target_param_string", "target_x", "target_y", "target_z", "target_o", "Difficulties", "comment"),
)
MOST_ROWS = 400


async def rows_of(call: Call, source_type: int, scripts: Iterable[int]) -> dict[int, list[Row]]:
    """Return the rows of scripts by entry (or -guid), in order; at most MOST_ROWS together.

    :raises MissingTable: there is no such table.
    """
    wanted = list(scripts)
    if not wanted:
        return {}
    schema = await call.schema()
    marks, parameters = in_list(wanted)
    rows = await call.rows(
        f"SELECT {schema.columns('smart_scripts', *_COLUMNS, alias='s')} FROM {schema.table('smart_scripts')} s "
        f"WHERE s.`source_type` = %s AND s.`entryorguid` IN {marks} "
        "ORDER BY s.`entryorguid`, s.`id`, s.`link` LIMIT %s",
        (source_type, *parameters, MOST_ROWS),
    )
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["entryorguid"], []).append(row)
    return found
