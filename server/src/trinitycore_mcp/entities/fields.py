"""The kinds of field an entity is made of: each has a name and a type, and reads its value from a row.

A field is compiled once for a schema and a language: it asks `Sources` for the columns it needs and returns a function
of the row. What the database lacks reads as null (or 0, where a field has no null).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Annotated, Any, TypeVar

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities.sources import Sources
from trinitycore_mcp.toolkit import Flags, Money, Named, Range, Reference, doc, enums, money, real

T = TypeVar("T")
Read = Callable[[Row], Any]
# Values repeat from row to row, and results are frozen: most are made once.
_money = lru_cache(4096)(money)
_real = lru_cache(4096)(real)
_LARGEST = (1 << 63) - 1
_ABSENT = "null: this database does not have it"


@dataclass(frozen=True)
class Field:
    """One field of a result."""

    name: str
    type: Any
    compile: Callable[[Sources], Read]


def always(value: Any) -> Read:
    """Return a reader that knows its value."""
    return lambda _: value


def _described(kind: Any, about: str) -> Any:
    return Annotated[kind, doc(about)] if about else kind


def _field(
    name: str, kind: Any, column: str, make: Callable[[str], Read], about: str, *, missing: Any, optional: bool
) -> Field:
    """Return a field of one column.

    :param make: the reader of a row's key.
    :param missing: the value when the database lacks the column.
    :param optional: it is null then instead.
    """

    def compile(sources: Sources) -> Read:
        key = sources.value(column)
        return make(key) if key is not None else always(None if optional else missing)

    if optional:
        about = f"{about}; {_ABSENT}" if about else _ABSENT
    return Field(name, _described(kind | None if optional else kind, about), compile)


def key(about: str = "") -> Field:
    """Return the field of the id."""
    return Field("id", _described(int, about), lambda sources: itemgetter(sources.expression("id@", sources.key)))


def number(name: str, column: str, about: str = "", *, optional: bool = False) -> Field:
    """Return a number.

    :param optional: a family lacks the column: null there.
    """

    def make(key: str) -> Read:
        return itemgetter(key) if optional else lambda row: row[key] or 0

    return _field(name, int, column, make, about, missing=0, optional=optional)


def number_or_none(name: str, column: str, about: str = "", *, none: tuple[int, ...] = (0,)) -> Field:
    """Return a number, null when it stands for nothing.

    :param none: the values that do.
    """

    def make(key: str) -> Read:
        return (lambda row: row[key] or None) if none == (0,) else lambda row: None if row[key] in none else row[key]

    return _field(name, int | None, column, make, about, missing=None, optional=False)


def decimal(name: str, column: str, about: str = "", *, optional: bool = False) -> Field:
    """Return a FLOAT column's value as it was written."""

    def make(key: str) -> Read:
        if optional:
            return lambda row: _real(value) if (value := row[key]) is not None else None
        return lambda row: _real(row[key])

    return _field(name, float, column, make, about, missing=0.0, optional=optional)


def yes(name: str, column: str, about: str = "") -> Field:
    """Return whether a column is not 0."""
    return _field(name, bool, column, lambda key: lambda row: bool(row[key]), about, missing=False, optional=False)


def moment(name: str, column: str, about: str = "") -> Field:
    """Return a point in time as the database writes it, without a time zone."""
    return _field(
        name, str | None, column, lambda key: lambda row: str(value) if (value := row[key]) else None, about,
        missing=None, optional=False,
    )  # fmt: skip


def label(column: str, about: str = "") -> Field:
    """Return the field of the name: translated when asked for, empty when there is none."""
    read = text("name", column).compile

    def compile(sources: Sources) -> Read:
        inner = read(sources)
        return lambda row: inner(row) or ""

    return Field("name", _described(str, about), compile)


def text(name: str, column: str, about: str = "") -> Field:
    """Return a text, translated when asked for; null when it is empty."""

    def compile(sources: Sources) -> Read:
        key = sources.value(column)
        if key is None:
            return always(None)
        if (local := sources.translated(column)) is not None:
            return lambda row: row[local] or row[key] or None
        return lambda row: row[key] or None

    return Field(name, _described(str | None, about), compile)


def named_reader(enum: str) -> Callable[[int | None], Named]:
    """Return the function that names an enum's numbers."""
    known = {value: Named(value=value, name=name) for value, name in enums.values(enum).items()}
    nothing = known.get(0, Named(value=0, name=None))

    def read(value: int | None) -> Named:
        if not value:
            return nothing
        return known.get(value) or Named(value=int(value), name=None)

    return read


def flags_reader(enum: str, everything: int | None = None) -> Callable[[int | None], Flags]:
    """Return the function that names a flag set's bits."""

    @lru_cache(1024)
    def read(value: int | None) -> Flags:
        if value is not None and value > _LARGEST:
            value -= 1 << 64  # all bits of an unsigned column
        return enums.flags(enum, value, everything=everything)

    return read


def enum(name: str, column: str, enum: str, about: str = "", *, optional: bool = False) -> Field:
    """Return a number with its name."""
    read = named_reader(enum)
    return _field(
        name, Named, column, lambda key: lambda row: read(row[key]), about, missing=read(0), optional=optional
    )


def flag_set(
    name: str, column: str, enum: str, about: str = "", *, everything: int | None = None, optional: bool = False
) -> Field:
    """Return a set of flags with their names.

    :param everything: a value that means no restriction.
    """
    read = flags_reader(enum, everything)
    return _field(
        name, Flags, column, lambda key: lambda row: read(row[key]), about, missing=read(0), optional=optional
    )


def coins(name: str, column: str, about: str = "") -> Field:
    """Return an amount of money."""
    return _field(
        name, Money, column, lambda key: lambda row: _money(row[key]), about, missing=money(0), optional=False
    )


def span(name: str, low: str, high: str, about: str = "", *, optional: bool = False) -> Field:
    """Return the range between two columns.

    :param optional: a family may lack them: null there, and where they are NULL.
    """

    def compile(sources: Sources) -> Read:
        least, most = sources.value(low), sources.value(high)
        if least is None or most is None:
            return always(None if optional else Range(min=0, max=0))
        if optional:
            return lambda row: Range(row[least], row[most]) if row[least] is not None else None
        return lambda row: Range(row[least] or 0, row[most] or 0)

    return Field(name, _described(Range | None if optional else Range, about), compile)


def numbers(name: str, *columns: str, about: str = "", distinct: bool = True) -> Field:
    """Return the values of several columns that are not 0, in order, each once (unless `distinct` is off)."""

    def compile(sources: Sources) -> Read:
        keys = [key for key in sources.values(columns) if key is not None]
        if distinct:
            return lambda row: list(dict.fromkeys(value for key in keys if (value := row[key])))
        return lambda row: [value for key in keys if (value := row[key])]

    return Field(name, _described(list[int], about), compile)


def refers(
    name: str,
    column: str,
    entity: str,
    about: str = "",
    *,
    none: tuple[int, ...] = (0,),
    absolute: bool = False,
    when: tuple[str, int] | None = None,
) -> Field:
    """Return an id with the name of the row it points to; null for no id.

    :param entity: the name of the entity whose row it is.
    :param none: values that are no id.
    :param absolute: the sign means something else.
    :param when: a column and the value that it must have for this to be such an id.
    """

    def compile(sources: Sources) -> Read:
        sql = sources.sql(column)
        if sql is None:
            return always(None)
        if absolute:
            sql = f"ABS({sql})"
        key, name_key = sources.reference(column, sql, entity)

        def read(row: Row) -> Reference | None:
            value = row[key]
            return Reference(value, row.get(name_key)) if value is not None and value not in none else None

        if when is None:
            return read
        condition, wanted = sources.value(when[0]), when[1]
        return lambda row: read(row) if condition is not None and row[condition] == wanted else None

    return Field(name, _described(Reference | None, about), compile)


def count(name: str, table: str, column: str, about: str = "") -> Field:
    """Return how many rows of another table point to this one; null when that table is missing."""

    def compile(sources: Sources) -> Read:
        there = sources.schema.column(table, column, "c")
        if there is None:
            return always(None)
        sql = f"(SELECT COUNT(*) FROM {sources.schema.table(table)} c WHERE {there} = {sources.key})"
        return itemgetter(sources.expression(f"{table}@count", sql))

    return Field(name, _described(int | None, f"{about}; {_ABSENT}" if about else _ABSENT), compile)


def each(
    name: str, kind: type[Struct], numbers: range, when: str, members: Callable[[int], tuple[Field, ...]],
    about: str = "",
) -> Field:  # fmt: skip
    """Return a list made of numbered columns, one element for each number.

    :param kind: the Struct of an element; its fields are the members in order.
    :param when: the column that is above 0 (or, for signed ones, not 0) when there is an element; holds {n}.
    """

    def compile(sources: Sources) -> Read:
        compiled = []
        for n in numbers:
            present = sources.value(when.format(n=n))
            if present is not None:
                compiled.append((present, [member.compile(sources) for member in members(n)]))
        return lambda row: [kind(*[read(row) for read in reads]) for present, reads in compiled if row[present]]

    assert kind.__struct_fields__ == tuple(member.name for member in members(numbers.start)), kind
    return Field(name, _described(list[kind], about), compile)  # type: ignore[valid-type]  # made while it runs


def computed(name: str, kind: Any, columns: tuple[str, ...], function: Callable[..., Any], about: str = "") -> Field:
    """Return a field that a function makes of several columns' values, None for each that is missing."""

    def compile(sources: Sources) -> Read:
        keys = sources.values(columns)
        if None not in keys:
            get = itemgetter(*keys)
            if len(keys) == 1:
                return lambda row: function(get(row))
            return lambda row: function(*get(row))
        return lambda row: function(*[row[key] if key is not None else None for key in keys])

    return Field(name, _described(kind, about), compile)
