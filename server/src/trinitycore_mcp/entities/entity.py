"""What an entity is: a kind of thing in the game's databases that can be looked up by id and found by name.

An entity is data. From it come its tools (get, search), its resource template, the completion of its names and ids
and its part in the search over all entities.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities.fields import Field
from trinitycore_mcp.entities.filters import Filter
from trinitycore_mcp.entities.translations import Translations
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call

KEY = "key@"
"""What every row that a part gets calls the entity's key."""
ReadPart = Callable[[Call, Schema, Row, str | None], Awaitable[tuple[Any, ...]]]


@dataclass(frozen=True)
class Part:
    """Fields of an entity that take a statement of their own."""

    fields: tuple[tuple[str, Any], ...]
    """Name and type of each."""
    read: ReadPart
    """Returns the fields' values; gets the call, the schema, the entity's row and the language."""
    columns: tuple[str, ...] = ()
    """What it needs of the row besides the key."""
    tables: tuple[str, ...] = ()
    """What it reads; those that are missing are named in the result."""


@dataclass(frozen=True)
class Link:
    """A call that leads on from an entity: for each id in a field (a number, a reference, or a list of those)."""

    tool: str
    of: str
    """The field; with a dot, a field inside of it."""
    why: str
    """May hold {name}: the name of what the field refers to, else its id."""
    argument: str = "id"
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments."""
    when: Callable[[Mapping[str, Any]], bool] | None = None
    """Gets the values of all fields and tells whether this leads on."""


def given(field: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether a field has a value, for `Link.when`."""
    return lambda values: bool(values[field])


def named(field: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether the reference in a field has a name, for `Link.when`: only then its row is there."""
    return lambda values: values[field] is not None and values[field].name is not None


def flagged(field: str, flag: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether a flag of that name is set in a field, for `Link.when`."""
    return lambda values: flag in values[field].names


def equal(field: str, value: Any) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether a field has this value, for `Link.when`."""
    return lambda values: bool(values[field] == value)


@dataclass(frozen=True, kw_only=True, eq=False)
class Entity:
    """A kind of thing. Tables and columns go by their names in TrinityCore 3.3.5; see `schema`."""

    name: str
    """Tools are called after it: creature_get."""
    plural: str
    title: str = ""
    """For people, as in "Get a creature": article and name."""
    about: str = ""
    """For the model: what get tells and when to use it."""
    table: str
    key: str
    database: str = "world"
    label: str | None = None
    """The column of its name, when it has one."""
    joins: Mapping[str, str] = field(default_factory=dict)
    """Tables with at most one row of the same key, and that key's column; their columns are written table.column."""
    translations: tuple[Translations, ...] = ()
    fields: tuple[Field, ...] = ()
    """What get shows; the first is called id and reads the key."""
    parts: tuple[Part, ...] = ()
    summary: tuple[str, ...] = ()
    """The fields that a search shows of each; empty: there is no search."""
    searched: str = "name"
    """What a search looks into, in words."""
    elsewhere: tuple[str, ...] = ()
    """Fields from other tables: an entity with a value in one of them is shown even if its own row is not there."""
    absence: str = ""
    """Why an id may be missing that the game knows."""
    starts_at_zero: bool = False
    """Whether 0 is an id."""
    also_matches: tuple[str, ...] = ()
    """Columns besides the name that a search looks into."""
    filters: tuple[Filter, ...] = ()
    links: tuple[Link, ...] = ()
    tables: tuple[str, ...] = ()
    """Tables that fields count rows of; those that are missing are named in the result."""

    @property
    def noun(self) -> str:
        """What one of them is called in a sentence."""
        return self.title.partition(" ")[2]

    @property
    def type_name(self) -> str:
        """What its result type is called."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @cached_property
    def has_tools(self) -> bool:
        """Whether it can be looked up, or only lends its names."""
        return bool(self.fields)

    @cached_property
    def optional_tables(self) -> tuple[str, ...]:
        """Tables without which it can still be shown, in part."""
        parts = (table for part in self.parts for table in part.tables)
        return tuple(dict.fromkeys((*self.joins, *self.tables, *parts)))
