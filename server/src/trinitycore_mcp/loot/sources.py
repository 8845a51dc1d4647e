"""The way up: which loots hold an item, by references too, and whose loots these are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.loot.expand import MAX_DEPTH, Expanded, Rows, expand, rows_of
from trinitycore_mcp.loot.items import item_facts, items_in
from trinitycore_mcp.loot.tables import LOOT_TABLES
from trinitycore_mcp.schema import Family, Schema
from trinitycore_mcp.toolkit import Call

MAX_LOOTS = 20_000
"""So many loots of one table are found at most."""
SEARCHED = tuple(kind for kind in LOOT_TABLES if kind != "reference")
_CREATURE_COLUMNS = {"creature": "lootid", "skinning": "skinloot", "pickpocketing": "pickpocketloot"}


@dataclass(frozen=True)
class Owner:
    """Whose loot it is."""

    kind: str
    """An entity's name, or level, team."""
    id: int


async def references_with(call: Call, item: int) -> set[int]:
    """Return the reference templates that hold an item, themselves or by further references."""
    schema = await call.schema()
    if not schema.has(LOOT_TABLES["reference"].table):
        return set()
    found: set[int] = set()
    above = await _entries(call, schema, "reference", item, ())
    for _ in range(MAX_DEPTH):
        fresh = set(above) - found
        if not fresh:
            break
        found |= fresh
        above = await _entries(call, schema, "reference", None, fresh)
    return found


async def loots_with(call: Call, item: int, references: Iterable[int]) -> dict[str, list[int]]:
    """Return the loot ids that may give an item by table's kind, in order; a table that is missing is left out."""
    schema = await call.schema()
    kinds = [kind for kind in SEARCHED if schema.has(LOOT_TABLES[kind].table)]
    references = sorted(references)
    found = await asyncio.gather(*(_entries(call, schema, kind, item, references) for kind in kinds))
    return dict(zip(kinds, found, strict=True))


async def _entries(call: Call, schema: Schema, kind: str, item: int | None, references: Iterable[int]) -> list[int]:
    table = LOOT_TABLES[kind].table
    reference, what = schema.column(table, "Reference", "t"), schema.column(table, "ItemType", "t")
    conditions: list[str] = []
    values: list[object] = []
    if item is not None:
        conditions.append(f"(t.`Item` = %s AND {reference} = 0" + (f" AND {what} = 0)" if what else ")"))
        values.append(item)
    asked = sorted(references)
    if asked:
        # Some old rows of AzerothCore's kind write references negative.
        conditions.append(f"ABS(CAST({reference} AS SIGNED)) IN ({', '.join(['%s'] * len(asked))})")
        values += asked
    if not conditions:
        return []
    rows = await call.rows(
        f"SELECT DISTINCT t.`Entry` AS entry FROM {schema.table(table)} t WHERE {' OR '.join(conditions)} "
        f"ORDER BY t.`Entry` LIMIT {MAX_LOOTS}",
        values,
    )
    return [row["entry"] for row in rows]


async def expanded(
    call: Call, item: int, loots: Mapping[str, list[int]], references: set[int]
) -> dict[tuple[str, int], Expanded]:
    """Return loots by table's kind and id, expanded only where they lead to the item."""
    schema = await call.schema()
    kinds = [kind for kind in loots if loots[kind]]
    read = await asyncio.gather(
        *(rows_of(call, schema, kind, set(loots[kind])) for kind in kinds),
        rows_of(call, schema, "reference", references),
    )
    rows: Rows = {
        key: _leading(each, item, references) for key, each in chain.from_iterable(part.items() for part in read)
    }
    facts = await item_facts(call, items_in(rows.values()))
    return {
        (kind, number): expand(schema.family, kind, number, rows, facts) for kind in kinds for number in loots[kind]
    }


def _leading(rows: list[Row], item: int, references: set[int]) -> list[Row]:
    """Return the rows that lead to the item, and those of their groups, which share the chance with them."""
    leading = [
        row for row in rows if (abs(row["Reference"]) in references if row["Reference"] else row["Item"] == item)
    ]
    groups = {row["GroupId"] for row in leading if row["GroupId"]}
    kept = {id(row) for row in leading}
    return [row for row in rows if id(row) in kept or row["GroupId"] in groups]


async def owners(call: Call, kind: str, ids: list[int]) -> dict[int, list[Owner]]:
    """Return whose loots these are, by loot id, in order.

    :param kind: a key of LOOT_TABLES.
    """
    if not ids:
        return {}
    own = {"item": "item", "milling": "item", "prospecting": "item", "fishing": "zone", "spell": "spell"}
    own["player"] = "team"
    if kind in own:
        return {number: [Owner(own[kind], number)] for number in ids}
    schema = await call.schema()
    found: dict[int, list[Owner]] = {number: [] for number in ids}
    for what, table, key, column, condition in _owner_tables(schema, kind):
        loot = schema.column(table, column, "t")
        if loot is None:
            continue
        rows = await call.rows(
            f"SELECT {schema.column(table, key, 't')} AS id, {loot} AS loot FROM {schema.table(table)} t "
            f"WHERE {loot} IN ({', '.join(['%s'] * len(ids))}){condition} ORDER BY 1 LIMIT {MAX_LOOTS}",
            ids,
        )
        for row in rows:
            found[row["loot"]].append(Owner(what, row["id"]))
    return found


def _owner_tables(schema: Schema, kind: str) -> list[tuple[str, str, str, str, str]]:
    """Return for a loot table: kind of owner, its table, key, the column with the loot id, and a condition."""
    if kind in _CREATURE_COLUMNS:
        return [("creature", "creature_template", "entry", _CREATURE_COLUMNS[kind], "")]
    if kind == "gameobject":
        types = "3, 25, 50" if schema.family is Family.TRINITYCORE_MASTER else "3, 25"
        return [("gameobject", "gameobject_template", "entry", "Data1", f" AND t.`type` IN ({types})")]
    if kind == "disenchant":
        return [("item", "item_template", "entry", "DisenchantID", "")]
    return [
        ("quest", "quest_template_addon", "ID", "RewardMailTemplateID", ""),
        ("achievement", "achievement_reward", "ID", "MailTemplateID", ""),
        ("level", "mail_level_reward", "level", "mailTemplateId", ""),
    ]
