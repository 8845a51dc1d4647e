"""Types that many tools share, and short ways to describe fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from trinitycore_mcp.toolkit import enums

_MOST_NAMES = 40


def doc(text: str) -> Meta:
    """Describe a field of a result: ``Annotated[int, doc("in copper")]``."""
    return Meta(description=text)


def one_of(enum: str, description: str) -> Meta:
    """Describe an argument that takes one of an enum's names; turn it into its number by `enums.number`.

    A long list of names is left to its resource, since every client pays for it with each listing of the tools.
    """
    names = list(dict.fromkeys(enums.values(enum).values()))
    if len(names) <= _MOST_NAMES:
        return Meta(description=description, extra_json_schema={"enum": names})
    some = ", ".join(names[1:4])
    return Meta(description=f"{description}: one of {len(names)} names such as {some} (trinity://docs/flags/{enum})")


Id = Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
Text = Annotated[str, Meta(min_length=1, max_length=100)]
Limit = Annotated[int, Meta(ge=1, le=200, description="rows at most")]
Cursor = Annotated[
    Annotated[str, Meta(max_length=400)] | None,
    Meta(description="next_cursor of the page before; keep all other arguments as they were"),
]
Locale = Annotated[
    Literal["enUS", "koKR", "frFR", "deDE", "zhCN", "zhTW", "esES", "esMX", "ruRU"] | None,
    Meta(
        description="language of names and texts; default: English",
    ),
]


class Reference(Struct, frozen=True):
    """Another row, by id and name."""

    id: int
    name: Annotated[str | None, doc("null: no such row in this database")]


class Range(Struct, frozen=True):
    """From the least to the most."""

    min: int
    max: int


class Money(Struct, frozen=True):
    """An amount of money."""

    copper: Annotated[int, doc("the whole amount in copper")]
    text: Annotated[str, doc("the same as gold, silver and copper, e.g. 1g 20s 5c")]


class Position(Struct, frozen=True):
    """A place in the world."""

    map: int
    x: float
    y: float
    z: float


class Related(Struct, frozen=True):
    """A call that leads on from here."""

    tool: str
    arguments: dict[str, Any]
    why: str


def money(copper: int | None) -> Money:
    """Return an amount with its text."""
    amount = int(copper or 0)
    gold, rest = divmod(abs(amount), 10_000)
    parts = [f"{count}{unit}" for count, unit in ((gold, "g"), (rest // 100, "s"), (rest % 100, "c")) if count]
    return Money(copper=amount, text=("-" if amount < 0 else "") + (" ".join(parts) or "0c"))


def real(value: float | None) -> float:
    """Return a FLOAT column's value as it was written: it has six significant digits, not a double's seventeen."""
    return float(f"{value or 0:.6g}")


def text_or_none(value: str | None) -> str | None:
    """Return the text, or None for an empty one."""
    return value or None
