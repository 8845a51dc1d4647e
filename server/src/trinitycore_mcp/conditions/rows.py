"""Reads rows of the table `conditions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.toolkit import Call

Key = tuple[int, int, int]
"""SourceGroup, SourceEntry, SourceId."""

_COLUMNS = (
    *("SourceTypeOrReferenceId", "SourceGroup", "SourceEntry", "SourceId", "ElseGroup", "ConditionTypeOrReference"),
    *("ConditionTarget", "ConditionValue1", "ConditionValue2", "ConditionValue3", "ConditionStringValue1"),
    *("NegativeCondition", "ErrorType", "ErrorTextId", "ScriptName"),
)
_ORDER = "c.`SourceGroup`, c.`SourceEntry`, c.`SourceId`, c.`ElseGroup`, c.`ConditionTypeOrReference`"
# References may refer to references; the servers refuse that, so this is for broken rows only.
_DEEPEST = 4
# Keys are asked for in batches of this many.
_BATCH = 500


def select(schema: Schema, where: str) -> str:
    """Return the SELECT of rows under a condition on the alias c.

    :raises MissingTable: there is no such table.
    """
    return (
        f"SELECT {schema.columns('conditions', *_COLUMNS, alias='c')} FROM {schema.table('conditions')} c "
        f"WHERE {where} ORDER BY {_ORDER}, c.`ConditionValue1`"
    )


async def rows_of(
    call: Call, source_type: int, keys: Sequence[tuple[int, int]], source_id: int | None = None
) -> list[Row]:
    """Return the rows of one type of source.

    :param keys: source group and source entry.
    :raises MissingTable: there is no such table.
    """
    schema = await call.schema()
    wanted = sorted(set(keys))
    rows: list[Row] = []
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        groups, group_parameters = in_list({group for group, _ in part})
        entries, entry_parameters = in_list({entry for _, entry in part})
        found = await call.rows(
            select(
                schema,
                f"c.`SourceTypeOrReferenceId` = %s AND c.`SourceGroup` IN {groups} AND c.`SourceEntry` IN {entries}",
            ),
            (source_type, *group_parameters, *entry_parameters),
        )
        asked = set(part)
        rows += [row for row in found if (row["SourceGroup"], row["SourceEntry"]) in asked]
    return [row for row in rows if source_id is None or row["SourceId"] == source_id]


async def references_of(call: Call, rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Return the rows of all reference templates that the rows refer to, by the template's number (above 0)."""
    schema = await call.schema()
    found: dict[int, list[Row]] = {}
    wanted = _referred(rows)
    for _ in range(_DEEPEST):
        wanted -= found.keys()
        if not wanted:
            break
        found |= {number: [] for number in wanted}
        marks, parameters = in_list(-number for number in wanted)
        more = await call.rows(select(schema, f"c.`SourceTypeOrReferenceId` IN {marks}"), parameters)
        for row in more:
            found[-row["SourceTypeOrReferenceId"]].append(row)
        wanted = _referred(more)
    return found


def _referred(rows: Iterable[Row]) -> set[int]:
    return {-row["ConditionTypeOrReference"] for row in rows if row["ConditionTypeOrReference"] < 0}


def by_key(rows: Iterable[Row]) -> Mapping[Key, list[Row]]:
    """Return the rows of each source, in order."""
    found: dict[Key, list[Row]] = {}
    for row in rows:
        found.setdefault((row["SourceGroup"], row["SourceEntry"], row["SourceId"]), []).append(row)
    return found
