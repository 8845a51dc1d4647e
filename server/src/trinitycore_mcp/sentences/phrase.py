"""A phrase: what a row's numbers mean, said in words.

A data file keeps for each number of an enum its ``name``, its ``params`` (what the row's values are, in order: ``name``
or ``name=kind``) and a ``text``, in which stand

- ``{name}``: a value, shown as its kind asks; ``{min..max}``: two values, as one when they are equal;
  ``{a|b|c}``: those of them that are not 0, or none; ``{word}``: a word that the caller brings;
- ``<name?text>``, ``<name!text>``, ``<name=3?text>``: text only when the value is not 0, is 0, is 3
  (``<name=3!text>``: is not 3);
- ``[yes|no]``: the first for a plain, the second for a negated statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from trinitycore_mcp.sentences import values
from trinitycore_mcp.sentences.names import Names, Reference

_WHEN = re.compile(r"<(\w+)(?:=(\d+))?([?!])([^<>]*)>")
_EITHER = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")
_PLACE = re.compile(r"\{([\w.|]+)\}")


@dataclass(frozen=True)
class Phrase:
    """What one number of an enum says."""

    number: int
    name: str
    params: tuple[tuple[str, str], ...]
    """Name and kind of each value, in order."""
    text: str
    data: Mapping[str, Any]
    """What else the file says about it."""

    def named_values(self, numbers: Sequence[int]) -> dict[str, int]:
        """Return the values by name; those without one are called param1 and so on, and left out when they are 0."""
        named = {name: int(number or 0) for (name, _), number in zip(self.params, numbers, strict=False)}
        for place, number in enumerate(numbers[len(self.params) :], len(self.params) + 1):
            if number:
                named[f"param{place}"] = int(number)
        return named

    def references(self, numbers: Sequence[int]) -> Iterable[Reference]:
        """Return what the values refer to."""
        for (_, kind), number in zip(self.params, numbers, strict=False):
            if number and values.is_reference(kind):
                yield kind, int(number)

    def say(
        self,
        numbers: Sequence[int],
        names: Names,
        *,
        words: Mapping[str, str] | None = None,
        negative: bool = False,
    ) -> str:
        """Return the phrase in words.

        :param numbers: the row's values, in order.
        :param names: of what `references` returned.
        :param words: what stands for places that are no value, such as {who}.
        """
        by_name = self.named_values(numbers)
        kinds = dict(self.params)

        def when(match: re.Match[str]) -> str:
            name, number, sign, text = match.groups()
            value = by_name.get(name, 0)
            holds = value == int(number) if number is not None else value != 0
            return text if holds == (sign == "?") else ""

        def place(match: re.Match[str]) -> str:
            inside = match[1]
            if words is not None and inside in words:
                return words[inside]
            if ".." in inside:
                low, high = inside.split("..")
                return values.between(kinds[low], by_name[low], by_name[high])
            several = [(each, by_name[each]) for each in inside.split("|")]
            shown = [values.show(kinds[name], value, names) for name, value in several if value or len(several) == 1]
            return " or ".join(dict.fromkeys(shown)) or "none"

        text, nested = self.text, 1
        while nested:  # from the innermost outwards
            text, nested = _WHEN.subn(when, text)
        text = _EITHER.sub(lambda match: match[2 if negative else 1], text)
        return _PLACE.sub(place, text)


def _phrase(number: int, entry: Mapping[str, Any]) -> Phrase:
    params = (str(each).partition("=") for each in entry.get("params", ()))
    rest = {key: value for key, value in entry.items() if key not in ("name", "params", "text")}
    pairs = tuple((name, kind or "number") for name, _, kind in params)
    return Phrase(number, str(entry["name"]), pairs, str(entry.get("text", "")), rest)


@cache
def _document(path: str) -> dict[str, Any]:
    text = files("trinitycore_mcp").joinpath(f"data/{path}.yml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


@cache
def phrases(path: str, other: str | None = None, section: str = "") -> dict[int, Phrase]:
    """Return the phrases of a data file by number.

    :param path: the file in data/, without .yml.
    :param other: another file, whose section takes the place of entries in the first.
    """
    entries = dict(_document(path)["values"])
    if other is not None:
        entries |= _document(other).get(section, {})
    return {int(number): _phrase(int(number), entry) for number, entry in entries.items()}
