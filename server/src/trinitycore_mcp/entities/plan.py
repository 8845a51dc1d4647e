"""How an entity is read from one schema in one language: the statement, and the function that makes results of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities.entity import KEY, Entity
from trinitycore_mcp.entities.fields import Field, Read
from trinitycore_mcp.entities.per_schema import once
from trinitycore_mcp.entities.sources import Referring, Sources
from trinitycore_mcp.schema import Schema


@dataclass(frozen=True)
class Plan:
    """The reading of one entity."""

    sql: str
    """Selects the row whose key is the one parameter."""
    reads: tuple[Read, ...]
    """One for each field."""
    references: tuple[Referring, ...]
    """What the row refers to, whose names the fields show."""
    missing_tables: list[str]

    def values(self, row: Row) -> list[Any]:
        """Return the fields' values, in order."""
        return [read(row) for read in self.reads]


def plan_of(schema: Schema, entity: Entity, locale: str | None, *, outer: bool = False) -> Plan:
    """Return the plan of an entity's get.

    :param outer: of an entity whose own row is not there.
    :raises MissingTable: its table is not there.
    """
    return once(schema, ("plan", entity.name, locale, outer), _plan, schema, entity, locale, outer)


def _plan(schema: Schema, entity: Entity, locale: str | None, outer: bool) -> Plan:
    sources = Sources(schema, entity, locale, outer=outer)
    reads = tuple(field.compile(sources) for field in entity.fields)
    for part in entity.parts:
        sources.expression(KEY, sources.key)
        sources.values(part.columns)
    return Plan(
        sql=sources.select() if outer else f"{sources.select()} WHERE {sources.key} = %s LIMIT 1",
        reads=reads,
        references=tuple(sources.references.values()),
        missing_tables=[table for table in entity.optional_tables if not schema.has(table)],
    )


def reader(sources: Sources, fields: list[Field], make: Callable[..., Any]) -> Callable[[Row], Any]:
    """Return the function that makes one result of a row.

    :param make: takes the fields' values in order.
    """
    reads = tuple(field.compile(sources) for field in fields)
    return lambda row: make(*[read(row) for read in reads])
