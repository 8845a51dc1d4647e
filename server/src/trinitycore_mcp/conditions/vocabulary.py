"""What the numbers of the table `conditions` mean in each family of databases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from trinitycore_mcp.schema import Family
from trinitycore_mcp.sentences import Phrase, phrases

_OTHERS = {Family.AZEROTHCORE: "conditions/azerothcore", Family.TRINITYCORE_MASTER: "conditions/trinitycore_master"}


@dataclass(frozen=True)
class Vocabulary:
    """Condition types and sources by number."""

    types: Mapping[int, Phrase]
    sources: Mapping[int, Phrase]

    def who(self, source_type: int, target: int) -> str:
        """Return whom a condition is about.

        :param target: ConditionTarget of the row.
        """
        source = self.sources.get(source_type)
        targets = list(source.data.get("targets", ())) if source else []
        if target < len(targets):
            return str(targets[target])
        return "the player" if target == 0 else f"condition target {target}"

    def source_number(self, name: str) -> int | None:
        """Return the number of a source; case does not matter."""
        folded = name.casefold()
        return next((number for number, each in self.sources.items() if each.name.casefold() == folded), None)


@cache
def vocabulary(family: Family) -> Vocabulary:
    """Return what the numbers mean in a family."""
    other = _OTHERS.get(family)
    return Vocabulary(
        phrases("conditions/types", other, "types"),
        phrases("conditions/sources", other, "sources"),
    )


@cache
def source_names() -> list[str]:
    """Return the names of all sources in any family, in the order of their numbers."""
    found: dict[str, int] = {}
    for family in (Family.TRINITYCORE, Family.AZEROTHCORE, Family.TRINITYCORE_MASTER):
        for number, source in vocabulary(family).sources.items():
            if number:
                found.setdefault(source.name, number)
    return sorted(found, key=lambda name: found[name])
