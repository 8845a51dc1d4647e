"""Loot templates read from the database, with the templates that they refer to put in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.loot.items import ItemFacts
from trinitycore_mcp.loot.rules import Entry, Template, fault
from trinitycore_mcp.loot.tables import LOOT_TABLES, LootTable
from trinitycore_mcp.schema import Family, Schema
from trinitycore_mcp.toolkit import Call

MAX_DEPTH = 8
"""So many references lead from one to the next at most."""
MAX_LINES = 4_000
"""So many rows an expanded template has at most."""
_COLUMNS = (
    *("Entry", "Item", "Reference", "ItemType", "Chance", "QuestRequired", "LootMode", "GroupId"),
    *("MinCount", "MaxCount", "Comment"),
)
# What ItemType means in TrinityCore master.
KINDS = {0: "item", 1: "reference", 2: "currency", 3: "tracking quest"}


@dataclass(frozen=True)
class Step:
    """A row on the way to what drops."""

    table: LootTable
    loot_id: int
    entry: Entry
    kind: str
    """item, currency, tracking quest or reference."""
    comment: str | None

    @property
    def condition_key(self) -> tuple[int, int]:
        """SourceGroup and SourceEntry of its conditions."""
        return self.loot_id, self.entry.item


@dataclass(frozen=True)
class Line:
    """What may drop, or a reference that leads nowhere, and the rows that lead to it."""

    steps: tuple[Step, ...]
    place: tuple[int, ...]
    """Where it stands in the expanded template; later lines are larger."""
    problem: str | None
    """Why it never drops."""

    @property
    def last(self) -> Step:
        """The row itself."""
        return self.steps[-1]


@dataclass
class Expanded:
    """A template with its references expanded."""

    template: Template
    lines: list[Line] = field(default_factory=list)
    cut: bool = False
    """It has more lines than are shown."""


Rows = Mapping[tuple[str, int], list[Row]]
"""Rows by table's kind and loot id."""


def expand(family: Family, kind: str, number: int, rows: Rows, items: ItemFacts) -> Expanded:
    """Return one template among the rows that `read_rows` gave, expanded."""
    return _Expansion(rows, family, items).whole(kind, number)


async def read_rows(call: Call, kind: str, ids: Iterable[int]) -> dict[tuple[str, int], list[Row]]:
    """Return rows by table's kind and loot id: those asked for, and all reference templates they lead to."""
    schema = await call.schema()
    found = await rows_of(call, schema, kind, set(ids))
    known: dict[tuple[str, int], list[Row]] = dict(found)
    waiting = _references(found.values())
    for _ in range(MAX_DEPTH):
        waiting -= {number for table, number in known if table == "reference"}
        if not waiting or not schema.has(LOOT_TABLES["reference"].table):
            break
        found = await rows_of(call, schema, "reference", waiting)
        known.update(found)
        waiting = _references(found.values())
        if sum(map(len, known.values())) > MAX_LINES:
            break
    return known


def _references(templates: Iterable[list[Row]]) -> set[int]:
    return {abs(row["Reference"]) for rows in templates for row in rows if row["Reference"]}


async def rows_of(call: Call, schema: Schema, kind: str, ids: set[int]) -> dict[tuple[str, int], list[Row]]:
    """Return the rows of some templates of one table, by table's kind and loot id."""
    if not ids:
        return {}
    table = LOOT_TABLES[kind].table
    marks = ", ".join(["%s"] * len(ids))
    # By their key: the order that the cores read them in.
    rows = await call.rows(
        f"SELECT {schema.columns(table, *_COLUMNS, alias='t')} FROM {schema.table(table)} t "
        f"WHERE t.`Entry` IN ({marks}) ORDER BY t.`Entry`, t.`Item`, `Reference`, t.`GroupId` LIMIT {MAX_LINES + 1}",
        sorted(ids),
    )
    found: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        found.setdefault((kind, int(row["Entry"])), []).append(row)
    return found


class _Expansion:
    """Puts one template together."""

    def __init__(self, rows: Rows, family: Family, items: ItemFacts) -> None:
        self._rows = rows
        self._family = family
        self._items = items
        self._lines: list[Line] = []
        self._cut = False

    def whole(self, kind: str, number: int) -> Expanded:
        template = self._template(kind, number, (), ())
        return Expanded(template, self._lines, self._cut)

    def _template(
        self, kind: str, number: int, way: tuple[Step, ...], place: tuple[int, ...], part: int = 0
    ) -> Template:
        """Return a template; of a part (a group) only the rows that belong to it."""
        entries = []
        for row in self._rows.get((kind, number), ()):
            if part and (row["GroupId"] != part or row["Reference"]):
                continue
            if len(self._lines) >= MAX_LINES:
                self._cut = True
                break
            entries.append(
                self._entry(
                    LOOT_TABLES[kind], number, row, way, (*place, row["Item"], row["Reference"], row["GroupId"])
                )
            )
        return Template(entries, grouped_references=self._family is Family.AZEROTHCORE)

    def _entry(self, table: LootTable, number: int, row: Row, way: tuple[Step, ...], place: tuple[int, ...]) -> Entry:
        entry = self._read(row)
        what = "reference" if entry.reference else KINDS.get(int(row["ItemType"] or 0), "item")
        step = Step(table, number, entry, what, row["Comment"] or None)
        problem = fault(entry)
        if entry.reference and problem is None:
            problem = self._dead_end(entry, way, table, number)
            if problem is None:
                template = self._template("reference", entry.reference, (*way, step), place, self._part(entry))
                # The steps in the lines below hold the row without its template: only the chance needs that.
                return self._read(row, template)
        self._lines.append(Line((*way, step), place, problem))
        return entry

    def _part(self, entry: Entry) -> int:
        """Return which group of its template a reference rolls, 0: all of it."""
        return 0 if self._family is Family.AZEROTHCORE else entry.group

    def _dead_end(self, entry: Entry, way: tuple[Step, ...], table: LootTable, number: int) -> str | None:
        """Return why a reference is not followed."""
        reference, part = entry.reference, self._part(entry)
        rows = self._rows.get(("reference", reference))
        passed = {step.entry.reference for step in way} | ({number} if table.kind == "reference" else set())
        if reference in passed:
            return f"reference {reference} leads back to itself"
        if rows is None:
            return f"{LOOT_TABLES['reference'].table} has no rows of Entry {reference}"
        if part and not any(row["GroupId"] == part and not row["Reference"] for row in rows):
            return f"reference {reference} has no group {part}"
        if len(way) >= MAX_DEPTH:
            return f"more than {MAX_DEPTH} references lead from one to the next"
        return None

    def _read(self, row: Row, template: Template | None = None) -> Entry:
        item, quest = int(row["Item"]), bool(row["QuestRequired"])
        return Entry(
            item=item,
            reference=abs(int(row["Reference"] or 0)),
            chance=float(f"{row['Chance']:.7g}"),
            group=int(row["GroupId"]),
            # AzerothCore takes mode 0 for the usual one; elsewhere such a row never drops.
            mode=int(row["LootMode"]) or (1 if self._family is Family.AZEROTHCORE else 0),
            min_count=int(row["MinCount"]),
            max_count=int(row["MaxCount"]),
            quest=quest,
            limit=self._limit(item, quest),
            exists=KINDS.get(int(row["ItemType"] or 0)) != "item" or self._items.exists(item),
            template=template,
        )

    def _limit(self, item: int, quest: bool) -> int | None:
        """Return how often groups may give the item to one loot; see `rules`."""
        if quest or self._family is Family.TRINITYCORE_MASTER:
            return None
        if self._family is Family.AZEROTHCORE:
            return 1 if self._items.worn(item) else 3
        return 1
