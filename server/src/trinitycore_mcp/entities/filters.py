"""Ways to narrow a search: each is an argument of the tool and a condition on columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.toolkit import ToolError, doc, enums, one_of

Condition = tuple[str, list[object]]


@dataclass(frozen=True)
class Filter:
    """An argument of a search tool."""

    argument: str
    type: Any
    columns: tuple[str, ...]
    condition: Callable[[Any, list[str]], Condition]
    """Returns SQL and its values for the argument's value and the columns' SQL."""

    def apply(self, sources: Sources, value: Any) -> Condition:
        """Return the condition that the argument's value stands for.

        :raises ToolError: the value is none of those allowed, or this database lacks a column.
        """
        found = []
        for column in self.columns:
            sql = sources.sql(column)
            if sql is None:
                family = sources.schema.family
                raise ToolError(f"{self.argument}: this database (family: {family}) does not have {column}")
            found.append(sql)
        return self.condition(value, found)


def by_name(argument: str, column: str, enum: str, about: str) -> Filter:
    """Take one of an enum's names."""

    def condition(value: str, columns: list[str]) -> Condition:
        allowed = _numbers(enum, value, argument)
        return f"{columns[0]} IN ({', '.join(['%s'] * len(allowed))})", [*allowed]

    return Filter(argument, _name_of(enum, about), (column,), condition)


def with_flag(argument: str, column: str, enum: str, about: str) -> Filter:
    """Take the name of a flag that must be set."""

    def condition(value: str, columns: list[str]) -> Condition:
        return f"{columns[0]} & %s <> 0", [enums.number(enum, value, argument)]

    return Filter(argument, _name_of(enum, about), (column,), condition)


def equal(argument: str, column: str, about: str, *, least: int = 0) -> Filter:
    """Take a number that a column must have."""
    return Filter(argument, _number(about, least, 0xFFFFFFFF), (column,), lambda v, c: (f"{c[0]} = %s", [v]))


def at_least(argument: str, column: str, about: str, *, most: int = 0xFFFFFFFF) -> Filter:
    """Take the least that a column may have."""
    return Filter(argument, _number(about, 0, most), (column,), lambda v, c: (f"{c[0]} >= %s", [v]))


def at_most(argument: str, column: str, about: str, *, most: int = 0xFFFFFFFF) -> Filter:
    """Take the most that a column may have."""
    return Filter(argument, _number(about, 0, most), (column,), lambda v, c: (f"{c[0]} <= %s", [v]))


def any_of(argument: str, columns: tuple[str, ...], enum: str, about: str) -> Filter:
    """Take one of an enum's names, which any of several columns may hold."""

    def condition(value: str, found: list[str]) -> Condition:
        allowed = _numbers(enum, value, argument)
        marks = ", ".join(["%s"] * len(allowed))
        return f"({' OR '.join(f'{column} IN ({marks})' for column in found)})", [*allowed] * len(found)

    return Filter(argument, _name_of(enum, about), columns, condition)


def by_names_of(
    argument: str, columns: tuple[str, ...], enum: str, about: str, split: Callable[[int], tuple[int, ...]]
) -> Filter:
    """Take one of an enum's names whose numbers stand for several columns at once.

    :param split: returns the columns' values for a number.
    """

    def condition(value: str, found: list[str]) -> Condition:
        tuples = [split(number) for number in _numbers(enum, value, argument)]
        one = f"({' AND '.join(f'{column} = %s' for column in found)})"
        return f"({' OR '.join([one] * len(tuples))})", [part for each in tuples for part in each]

    return Filter(argument, _name_of(enum, about), columns, condition)


def _numbers(enum: str, name: str, argument: str) -> list[int]:
    """Return all numbers of a name: some names stand more than once in an enum."""
    first = enums.number(enum, name, argument)
    known = enums.values(enum)
    return [value for value, each in known.items() if each == known[first]]


def _name_of(enum: str, about: str) -> Any:
    return Annotated[Annotated[str, one_of(enum, about)] | None, doc(about)]


def _number(about: str, least: int, most: int) -> Any:
    return Annotated[Annotated[int, Meta(ge=least, le=most)] | None, doc(about)]
