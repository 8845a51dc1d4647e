"""Parts that the results of several tools share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

Id = Annotated[int, Field(ge=1, le=0xFFFFFFFF)]
Limit = Annotated[int, Field(ge=1, le=100, description="how many rows at most")]
Text = Annotated[
    str | None,
    Field(max_length=100, description="the name or a part of it, any case; best matches come first"),
]
Cursor = Annotated[
    str | None, Field(max_length=200, description="next_cursor of the page before, with the same filters")
]
NextCursor = Annotated[
    str | None, Field(description="pass it as cursor for the next page; null: this was the last page")
]


class Reference(BaseModel):
    """Another row, by id and name."""

    id: int
    name: str | None = Field(description="null: no such row in this database")


class Range(BaseModel):
    """From the least to the most."""

    min: int
    max: int


class Money(BaseModel):
    """An amount of money."""

    copper: int = Field(description="the whole amount in copper")
    text: str = Field(description="the same as gold, silver and copper, e.g. 1g 20s 5c")


class Related(BaseModel):
    """A call that leads on from here."""

    tool: str
    arguments: dict[str, Any]
    why: str


def money(copper: int | None) -> Money:
    """Return an amount with its text."""
    amount = copper or 0
    gold, rest = divmod(abs(amount), 10_000)
    parts = [f"{count}{unit}" for count, unit in ((gold, "g"), (rest // 100, "s"), (rest % 100, "c")) if count]
    return Money(copper=amount, text=("-" if amount < 0 else "") + (" ".join(parts) or "0c"))


def real(value: float | None) -> float:
    """Return a FLOAT column's value as it was written: it has six significant digits, not a double's seventeen."""
    return float(f"{value or 0:.6g}")


def text_or_none(value: str | None) -> str | None:
    """Return the text, or None for an empty one."""
    return value or None


def present(numbers: Iterable[int | None]) -> list[int]:
    """Return the numbers that are not 0, once each, in order: 0 means "none" in these tables."""
    return list(dict.fromkeys(number for number in numbers if number))
