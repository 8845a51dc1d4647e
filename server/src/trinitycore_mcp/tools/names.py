"""Names for the numbers of the game: enums and flag sets, from data/enums, one file each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Named(BaseModel):
    """A number of an enum, with its name when it has one."""

    value: int
    name: str | None = Field(description="null: the number has no known name")


class Flags(BaseModel):
    """A set of flags."""

    value: int = Field(description="the bits as one number")
    names: list[str] = Field(description="a bit without a known name is written as 0x...")


@cache
def values(enum: str) -> dict[int, str]:
    """Return number to name of one enum or flag set.

    :param enum: the name of a file in data/enums, without .yml.
    """
    data = yaml.safe_load(files("trinitycore_mcp").joinpath(f"data/enums/{enum}.yml").read_text(encoding="utf-8"))
    return {int(number): str(name) for number, name in data["values"].items()}


def load_all() -> None:
    """Read every enum now, so that no call waits for it."""
    for file in files("trinitycore_mcp").joinpath("data/enums").iterdir():
        values(file.name.removesuffix(".yml"))


def named(enum: str, value: int | None) -> Named:
    """Return the number with its name."""
    number = value or 0
    return Named(value=number, name=values(enum).get(number))


def flags(enum: str, value: int | None, *, everything: int | None = None) -> Flags:
    """Return the set bits with their names.

    :param everything: a value that means "no restriction" (such as -1), answered without names.
    """
    number = value or 0
    if number == everything:
        return Flags(value=number, names=[])
    bits = number & 0xFFFFFFFF
    known = values(enum)
    names = [known.get(1 << bit, f"{1 << bit:#x}") for bit in range(32) if bits >> bit & 1]
    return Flags(value=number, names=names)


@dataclass(frozen=True)
class OneOf:
    """Marks a tool's parameter: it takes one of the enum's names and arrives as its number."""

    enum: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the name on the way in."""
        return core_schema.no_info_before_validator_function(self._number, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Show the names in the tool's input schema."""
        names = list(dict.fromkeys(values(self.enum).values()))
        return {"anyOf": [{"type": "string", "enum": names}, {"type": "null"}]}

    def _number(self, given: object) -> object:
        if given is None:
            return None
        known = values(self.enum)
        for number, name in known.items():
            if given == number or (isinstance(given, str) and given.casefold() == name.casefold()):
                return number
        raise ValueError(f"allowed are {', '.join(dict.fromkeys(known.values()))}")
