"""The SELECT over auctions that auction_search and auction_prices share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import ToolError, enums

House = Literal["Alliance", "Horde", "Neutral"]


@dataclass
class Auctions:
    """FROM and WHERE over auctions a, their item n and its template t, and the SQL of what they hold."""

    schema: Schema
    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def column(self, name: str) -> str:
        """Return the SQL of a column of the auction, NULL when this family lacks it."""
        return self.schema.column("auctionhouse", name, "a", database="characters") or "NULL"

    @property
    def item(self) -> str:
        """The item's id."""
        return "n.`itemEntry`"

    @property
    def count(self) -> str:
        """How many units are in the auction; later families have auctions of several stacks."""
        own = self.schema.column("auctionhouse", "count", "a", database="characters")
        return f"COALESCE({own}, 1)" if own else "GREATEST(n.`count`, 1)"

    @property
    def unit_price(self) -> str:
        """The buyout of one unit in copper, rounded down; 0 without a buyout."""
        return f"({self.column('buyoutprice')} DIV {self.count})"

    def where(self, condition: str, *values: object) -> None:
        """Narrow the auctions down.

        :param condition: SQL with a %s for each value.
        """
        self.conditions.append(condition)
        self.values.extend(values)

    def narrow(self, text: str | None, item: int | None, quality: str | None, house: House | None) -> None:
        """Add the filters that callers give.

        :raises ToolError: the item templates, needed for text and quality, are not there.
        """
        if item is not None:
            self.where(f"{self.item} = %s", item)
        if text is not None:
            pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            self.where(f"{self._template('name')} LIKE %s", f"%{pattern}%")
        if quality is not None:
            self.where(f"{self._template('Quality')} = %s", enums.number("item_quality", quality, "quality"))
        if house is not None:
            numbers = [number for number, name in enums.values("auction_house").items() if name == house]
            self.where(f"{self.column('houseid')} IN ({', '.join(map(str, numbers))})")

    def _template(self, column: str) -> str:
        self.schema.table("item_template")
        found = self.schema.column("item_template", column, "t")
        if found is None:
            raise ToolError(f"this database's item templates have no {column}", kind="missing_table")
        return found

    @property
    def source(self) -> str:
        """FROM and WHERE.

        :raises MissingTable: a table of auctions is not there.
        """
        schema = self.schema
        template = ""
        if schema.has("item_template", "entry"):
            key = schema.column("item_template", "entry", "t")
            template = f" LEFT JOIN {schema.table('item_template')} t ON {key} = {self.item}"
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        return (
            f"FROM {schema.table('auctionhouse', 'characters')} a "
            f"JOIN {schema.table('item_instance', 'characters')} n ON n.`guid` = {self.column('itemguid')}"
            f"{template}{where}"
        )
