"""What loot has to know of the items in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.toolkit import Call


@dataclass(frozen=True)
class ItemFacts:
    """Items by id."""

    rows: Mapping[int, Row] | None
    """None: the table is missing, so nothing is known."""

    def exists(self, item: int) -> bool:
        """Return whether there is such an item, as far as is known."""
        return self.rows is None or item in self.rows

    def worn(self, item: int) -> bool:
        """Return whether it is known that the item can be worn."""
        return bool(self.rows and item in self.rows and self.rows[item]["InventoryType"])

    def quality(self, item: int) -> int | None:
        """Return the item's quality, None when it is not known."""
        if not self.rows or item not in self.rows or self.rows[item]["Quality"] is None:
            return None
        return int(self.rows[item]["Quality"])


async def item_facts(call: Call, ids: Iterable[int]) -> ItemFacts:
    """Return quality and where it is worn of items."""
    schema = await call.schema()
    wanted = sorted(set(ids))
    if not schema.has("item_template", "entry"):
        return ItemFacts(None)
    if not wanted:
        return ItemFacts({})
    rows = await call.rows(
        f"SELECT {schema.columns('item_template', 'entry', 'Quality', 'InventoryType', alias='t')} "
        f"FROM {schema.table('item_template')} t "
        f"WHERE {schema.column('item_template', 'entry', 't')} IN ({', '.join(['%s'] * len(wanted))})",
        wanted,
    )
    return ItemFacts({row["entry"]: row for row in rows})


def items_in(templates: Iterable[Iterable[Row]]) -> list[int]:
    """Return the items that rows of loot templates give."""
    return [row["Item"] for rows in templates for row in rows if not row["Reference"] and not row["ItemType"]]
