"""Names for the numbers of the game: enums and flag sets, from data/enums, one file each.

A file holds ``kind`` (enum or flags), ``holds_for`` (the game's version) and ``values`` (number to name).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from msgspec import Meta, Struct

from trinitycore_mcp.errors import ToolError, did_you_mean


class Named(Struct, frozen=True):
    """A number of an enum, with its name when it has one."""

    value: int
    name: Annotated[str | None, Meta(description="null: the number has no known name")]


class Flags(Struct, frozen=True):
    """A set of flags."""

    value: Annotated[int, Meta(description="the bits as one number")]
    names: Annotated[list[str], Meta(description="a bit without a known name is written as 0x...")]


def names() -> list[str]:
    """Return the names of all enums and flag sets, in order."""
    folder = files("trinitycore_mcp").joinpath("data/enums")
    return sorted(file.name.removesuffix(".yml") for file in folder.iterdir() if file.name.endswith(".yml"))


@cache
def document(enum: str) -> dict[str, Any]:
    """Return one file's content: kind, holds_for, values.

    :param enum: the name of a file in data/enums, without .yml.
    """
    text = files("trinitycore_mcp").joinpath(f"data/enums/{enum}.yml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


@cache
def values(enum: str) -> dict[int, str]:
    """Return number to name of one enum or flag set."""
    return {int(number): str(name) for number, name in document(enum)["values"].items()}


def named(enum: str, value: int | None) -> Named:
    """Return the number with its name."""
    number = int(value or 0)
    return Named(value=number, name=values(enum).get(number))


def flags(enum: str, value: int | None, *, everything: int | None = None) -> Flags:
    """Return the set bits with their names.

    :param everything: a value that means "no restriction" (such as -1), answered without names.
    """
    number = int(value or 0)
    if number == everything:
        return Flags(value=number, names=[])
    bits = number & 0xFFFFFFFF
    known = values(enum)
    return Flags(value=number, names=[known.get(1 << bit, f"{1 << bit:#x}") for bit in range(32) if bits >> bit & 1])


def number(enum: str, name: str, argument: str) -> int:
    """Return the number that a name given by a caller stands for; case does not matter.

    :raises ToolError: there is no such name; the message holds those that there are.
    """
    known = values(enum)
    folded = name.casefold()
    for value, each in known.items():
        if each.casefold() == folded:
            return value
    every = list(dict.fromkeys(known.values()))
    given = name[:64]
    hint = did_you_mean(given, every) or f"; trinity://docs/flags/{enum} lists the {len(every)} names"
    raise ToolError(f"{argument}: there is no {given!r}{hint}", kind="invalid_arguments")
