"""What refers to what: by the databases' own foreign keys, by what is known of the game's tables, by columns' names.

The game's databases have next to no foreign keys. What they mean by their columns is told by data/relations.yml and by
the entities' definitions; where neither says anything, a column called after an entity (CreatureID, quest, item_entry)
is taken for its key and marked as a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, NamedTuple

import yaml

from trinitycore_mcp.entities import ENTITIES
from trinitycore_mcp.entities.per_schema import once
from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.schema.catalogue import MissingTable
from trinitycore_mcp.structure.places import DATABASES, ColumnPlace, Place, database_called, find_column
from trinitycore_mcp.toolkit import Call, doc

Basis = Literal["foreign key", "known", "column name"]
WhichBasis = Annotated[
    Basis,
    doc("foreign key: the database enforces it; known: from the game's table definitions; column name: a guess by it"),
]
_SUFFIX = re.compile(r"(?:id|entry)?\d*$")
# What columns call an entity besides its own name.
_ALIASES = {
    "npc": "creature",
    "go": "gameobject",
    "event": "game_event",
    "area": "zone",
    "menu": "gossip_menu",
    "gossipmenu": "gossip_menu",
}


class Relation(NamedTuple):
    """A column that holds a key of another table."""

    source: ColumnPlace
    target: ColumnPlace
    basis: Basis
    when: str | None


async def relations(call: Call) -> list[Relation]:
    """Return every relation between the tables that our account may see.

    :raises ToolError: the database can't be read.
    """
    schema = await call.schema()
    enforced = await _foreign_keys(call, schema)
    taken = {(relation.source, relation.target) for relation in enforced}
    logical: list[Relation] = once(schema, ("structure", "relations"), _logical, schema)
    return [*enforced, *(each for each in logical if (each.source, each.target) not in taken)]


async def _foreign_keys(call: Call, schema: Schema) -> list[Relation]:
    names = {actual: name for name, actual in schema.databases.items()}
    rows = await call.rows(
        "SELECT TABLE_SCHEMA AS d, TABLE_NAME AS t, COLUMN_NAME AS c, REFERENCED_TABLE_SCHEMA AS rd, "
        "REFERENCED_TABLE_NAME AS rt, REFERENCED_COLUMN_NAME AS rc FROM information_schema.KEY_COLUMN_USAGE "
        f"WHERE TABLE_SCHEMA IN ({', '.join(['%s'] * len(names))}) AND REFERENCED_TABLE_NAME IS NOT NULL "
        "ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
        tuple(names),
    )
    return [
        Relation(
            ColumnPlace(Place(names[row["d"]], row["d"], row["t"]), row["c"]),
            ColumnPlace(Place(database_called(schema.databases, row["rd"]), row["rd"], row["rt"]), row["rc"]),
            "foreign key",
            None,
        )
        for row in rows
        if row["d"] in names  # the comparison above overlooks case
    ]


def _logical(schema: Schema) -> list[Relation]:
    known: dict[tuple[ColumnPlace, ColumnPlace], Relation] = {}
    for relation in (*_written_down(schema), *_defined(schema)):
        known.setdefault((relation.source, relation.target), relation)
    explained = {source for source, _ in known}
    guessed = [each for each in _named(schema) if each.source not in explained]
    return [*known.values(), *guessed]


@cache
def written_down() -> Mapping[str, Mapping[str, str]]:
    """Return data/relations.yml: by database, column to target."""
    text = files("trinitycore_mcp").joinpath("data/relations.yml").read_text(encoding="utf-8")
    data: dict[str, dict[str, str]] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


def _written_down(schema: Schema) -> Iterator[Relation]:
    for database, columns in written_down().items():
        for column, meaning in columns.items():
            table, _, name = column.partition(".")
            target, _, when = meaning.partition(", ")
            *elsewhere, other_table, other_name = target.split(".")
            source = find_column(schema, database, table, name)
            found = find_column(schema, elsewhere[0] if elsewhere else database, other_table, other_name)
            if source is not None and found is not None:
                yield Relation(source, found, "known", when or None)


def _defined(schema: Schema) -> Iterator[Relation]:
    """Yield what the entities' fields refer to."""
    for entity in ENTITIES.values():
        try:
            sources = Sources(schema, entity, None)
        except MissingTable:
            continue
        for field in entity.fields:
            field.compile(sources)
        for referring in sources.references.values():
            column = referring.id.rpartition("#")[0]
            table, _, name = column.rpartition(".")
            database = "world" if table else entity.database
            source = find_column(schema, database, table or entity.table, name)
            target = _key_of(schema, referring.entity)
            if source is not None and target is not None:
                yield Relation(source, target, "known", None)


def _key_of(schema: Schema, entity: str) -> ColumnPlace | None:
    found = ENTITIES[entity]
    return find_column(schema, found.database, found.table, found.key)


def _named(schema: Schema) -> Iterator[Relation]:
    """Yield columns that are called after an entity."""
    words = {name.replace("_", ""): name for name in ENTITIES} | _ALIASES
    targets = {name: _key_of(schema, name) for name in ENTITIES}
    for database in DATABASES:
        for table, columns in schema.tables.get(database, {}).items():
            place = Place(database, schema.databases[database], table)
            for column in sorted(columns):
                target = targets.get(words.get(_stem(column), ""))
                if target is not None and target.table != place:
                    yield Relation(ColumnPlace(place, column), target, "column name", None)


def _stem(column: str) -> str:
    """Return what a column is called after: CreatureID, creature_entry and creature2 after creature."""
    return _SUFFIX.sub("", column.replace("_", "").casefold())
