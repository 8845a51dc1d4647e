"""Vendors' lists with the lists that they refer to.

A row of npc_vendor whose item is negative stands for all rows of another entry: the same number, positive. The lists
found that way may lead on; one that was passed already is not read again (TrinityCore's documentation of npc_vendor).
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.toolkit import Call

MAX_DEPTH = 8
MAX_ROWS = 2_000
_COLUMNS = ("entry", "slot", "item", "maxcount", "incrtime", "ExtendedCost", "type")
# TrinityCore master sells currencies too: type 2.
ITEM = 1


async def rows_of(call: Call, vendor: int) -> tuple[list[Row], list[int]]:
    """Return the rows of a vendor, those of its own first, and the lists it refers to that have no rows.

    A row's `position` tells which list it is from: 0 the vendor's own, then in the order they are referred to.

    :raises ToolError: npc_vendor is missing, or the database can't be read.
    """
    found: list[Row] = []
    passed: set[int] = set()
    filled: set[int] = set()
    waiting = [vendor]
    position = 0
    for _ in range(MAX_DEPTH):
        rows = await _read(call, "entry", waiting)
        passed.update(waiting)
        filled.update(row["entry"] for row in rows)
        for row in rows:
            row["position"] = position + waiting.index(row["entry"])
        position += len(waiting)
        rows.sort(key=itemgetter("position", "slot", "item", "ExtendedCost"))
        found += [row for row in rows if row["item"] > 0 and row["type"] in (None, ITEM)]
        waiting = list(dict.fromkeys(-row["item"] for row in rows if row["item"] < 0 and -row["item"] not in passed))
        if not waiting or len(found) > MAX_ROWS:
            break
    return found, sorted(passed - filled - {vendor})


async def vendors_with(call: Call, item: int) -> list[tuple[int, Row]]:
    """Return the entries that sell an item, each with the row that does, which may be another list's.

    :raises ToolError: npc_vendor is missing, or the database can't be read.
    """
    rows = [row for row in await _read(call, "item", [item]) if row["type"] in (None, ITEM)]
    found = {(row["entry"], row["ExtendedCost"]): (row["entry"], row) for row in rows}
    lists: dict[int, list[Row]] = {}
    for row in rows:
        lists.setdefault(row["entry"], []).append(row)
    for _ in range(MAX_DEPTH):
        if not lists:
            break
        above: dict[int, list[Row]] = {}
        for row in await _read(call, "item", [-number for number in lists]):
            for sold in lists[-row["item"]]:
                key = (row["entry"], sold["ExtendedCost"])
                if key not in found:
                    found[key] = (row["entry"], sold)
                    above.setdefault(row["entry"], []).append(sold)
        lists = above
    return [found[key] for key in sorted(found)]


async def _read(call: Call, column: str, values: Iterable[int]) -> list[Row]:
    schema = await call.schema()
    wanted = sorted(set(values))
    marks = ", ".join(["%s"] * len(wanted))
    return await call.rows(
        f"SELECT {schema.columns('npc_vendor', *_COLUMNS, alias='t')} FROM {schema.table('npc_vendor')} t "
        f"WHERE {schema.column('npc_vendor', column, 't')} IN ({marks}) LIMIT {MAX_ROWS}",
        wanted,
    )


async def event_rows(call: Call, column: str, value: int) -> list[Row] | None:
    """Return what game events add to vendors: rows with the event and the creature of the spawn.

    :param column: creature (template id) or item.
    :returns: None when the tables that tell it are missing.
    """
    schema = await call.schema()
    if not schema.has("game_event_npc_vendor") or not schema.has("creature", "guid", "id"):
        return None
    creature = schema.column("creature", "id", "c")
    where = creature if column == "creature" else "t.`item`"
    names = ("eventEntry", "guid", "slot", "item", "maxcount", "incrtime", "ExtendedCost")
    return await call.rows(
        f"SELECT {schema.columns('game_event_npc_vendor', *names, alias='t')}, {creature} AS `entry` "
        f"FROM {schema.table('game_event_npc_vendor')} t JOIN {schema.table('creature')} c ON c.`guid` = t.`guid` "
        f"WHERE {where} = %s ORDER BY t.`eventEntry`, t.`guid`, t.`slot`, t.`item` LIMIT {MAX_ROWS}",
        (value,),
    )
