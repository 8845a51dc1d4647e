"""What the numbers of the table `smart_scripts` mean in each family of databases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from trinitycore_mcp.schema import Family
from trinitycore_mcp.sentences import Phrase, phrases

_OTHERS = {Family.AZEROTHCORE: "smartai/azerothcore", Family.TRINITYCORE_MASTER: "smartai/trinitycore_master"}

LINK = 61
"""The event of a row that only other rows start."""
NOBODY = 0
"""The target of a row that acts on nobody."""


@dataclass(frozen=True)
class Vocabulary:
    """Events, actions and targets by number."""

    events: Mapping[int, Phrase]
    actions: Mapping[int, Phrase]
    targets: Mapping[int, Phrase]


@cache
def vocabulary(family: Family) -> Vocabulary:
    """Return what the numbers mean in a family."""
    other = _OTHERS.get(family)
    return Vocabulary(
        phrases("smartai/events", other, "events"),
        phrases("smartai/actions", other, "actions"),
        phrases("smartai/targets", other, "targets"),
    )
