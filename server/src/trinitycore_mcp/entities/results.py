"""The result types of an entity's tools, made of its fields."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.toolkit import NextCursor, Notice, Related, doc

_MISSING_TABLES = Annotated[list[str], doc("tables this database lacks, so what they hold is not shown")]
_RELATED = Annotated[list[Related], doc("calls that lead on from here")]


@cache
def whole(entity: Entity) -> type[Struct]:
    """Return the type of what get shows: fields, parts, tables that are missing, and where to go on."""
    fields: list[Any] = [(field.name, field.type) for field in entity.fields]
    fields += [member for part in entity.parts for member in part.fields]
    if entity.optional_tables:
        fields.append(("missing_tables", _MISSING_TABLES))
    fields.append(("related", _RELATED))
    return _struct(entity.type_name, fields, f"{entity.title[:1].upper()}{entity.title[1:]}.")


@cache
def summary(entity: Entity) -> type[Struct]:
    """Return the type of one row that search finds."""
    by_name = {field.name: field for field in entity.fields}
    fields = [(name, by_name[name].type) for name in entity.summary]
    return _struct(f"{entity.type_name}Summary", fields, f"{entity.title[:1].upper()}{entity.title[1:]} in a list.")


@cache
def page(entity: Entity) -> type[Struct]:
    """Return the type of what search shows."""
    fields = [
        (entity.plural, list[summary(entity)]),  # type: ignore[misc]  # a type made while the program runs
        ("next_cursor", NextCursor),
        ("notice", Notice),
        ("related", _RELATED),
    ]
    return _struct(f"{entity.type_name}Page", fields, "One page of a search.")


def _struct(name: str, fields: list[Any], about: str) -> type[Struct]:
    return msgspec.defstruct(name, fields, frozen=True, module=__name__, namespace={"__doc__": about})
