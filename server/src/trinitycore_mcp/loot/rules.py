"""The chance that a loot holds an item, computed by the rules that the cores roll by.

Source: the documentation of the loot tables (TrinityCore's and AzerothCore's wiki, page loot_template), and how the
cores' loot manager behaves where the page is silent. In short:

- A row of group 0 rolls by itself, by its Chance in percent.
- Of a group at most one row is taken. One number from 0 to 100 is rolled; rows with a Chance take their stretch of
  it, in order. What no such row took is shared equally by the group's rows with Chance 0; without any, it is nothing.
- A row that refers to a template rolls by its Chance, and then that template is rolled MaxCount times.
  TrinityCore: such a row is never part of a group; a GroupId says that only this group of the template is rolled.
  AzerothCore: it is part of its group like any other row, and the whole template is rolled.
- Rows of another loot mode are left out before anything is rolled.
- A group does not give an item again that the loot already holds as often as is allowed: once in TrinityCore 3.3.5
  (three times in raids of 25, which is not taken into account), in AzerothCore once for what can be worn and three
  times for the rest, without bound in TrinityCore master. Items for a quest are not counted.

Taken as given: drop rates of the server's configuration are 1, all conditions hold, the quest is in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb, inf

# Beyond these a group that is rolled again and again is taken as if it could give an item any number of times.
_MAX_ROLLS = 60
_MAX_STEPS = 20_000

Wanted = Callable[["Entry"], bool]


@dataclass(frozen=True, eq=False)
class Entry:
    """A row of a loot template."""

    item: int
    reference: int = 0
    """The template it refers to; 0: the row is an item."""
    chance: float = 100.0
    """In percent; 0 in a group: an equal part of what the others leave."""
    group: int = 0
    mode: int = 1
    min_count: int = 1
    max_count: int = 1
    quest: bool = False
    limit: int | None = None
    """How often groups may give it to one loot; None: without bound."""
    exists: bool = True
    """Whether there is such an item."""
    template: Template | None = None
    """What the reference stands for; None: no such template, or not expanded."""


@dataclass(frozen=True, eq=False)
class Template:
    """The rows that share a loot id, in the database's order."""

    entries: Sequence[Entry]
    grouped_references: bool = False
    """References are members of groups: AzerothCore."""

    @cached_property
    def single(self) -> list[Entry]:
        """Rows that roll by themselves."""
        return [each for each in self.entries if fault(each) is None and not self._grouped(each)]

    @cached_property
    def groups(self) -> dict[int, list[Entry]]:
        """The groups by number, in order."""
        found: dict[int, list[Entry]] = {}
        for each in self.entries:
            if fault(each) is None and self._grouped(each):
                found.setdefault(each.group, []).append(each)
        return dict(sorted(found.items()))

    def _grouped(self, entry: Entry) -> bool:
        return entry.group > 0 and (not entry.reference or self.grouped_references)

    def part_of(self, entry: Entry) -> int:
        """Return which group of the template that the row refers to is rolled; 0: all of it."""
        return 0 if self.grouped_references else entry.group


def fault(entry: Entry) -> str | None:
    """Return why the cores leave the row out when they load it, None when they take it."""
    if entry.min_count <= 0:
        return "MinCount is 0"
    if not entry.mode:
        return "LootMode is 0: there is no such mode"
    if entry.reference:
        return None if entry.chance else "a reference needs a Chance above 0"
    if not entry.exists:
        return f"there is no item {entry.item}"
    if not entry.chance and not entry.group:
        return "Chance is 0 without a group"
    if entry.chance < 0 or 0 < entry.chance < 0.000001:
        return "Chance is too low"
    if entry.max_count < entry.min_count:
        return "MaxCount is less than MinCount"
    return None


def shares(members: Sequence[Entry], mode: int = 1) -> tuple[list[float], float]:
    """Return the part (0 to 1) that each row of a group takes of one roll, and the part that gives nothing.

    :param mode: bits of the loot mode that is on; other rows take no part.
    """
    return _shares(members, [None if each.mode & mode else 0 for each in members])


def _shares(members: Sequence[Entry], left: Sequence[int | None]) -> tuple[list[float], float]:
    """Return the same as `shares`, for rows that may still be given so many times; None: without bound."""
    parts = [0.0] * len(members)
    rest = 1.0
    equal = []
    for place, (each, allowed) in enumerate(zip(members, left, strict=True)):
        if allowed == 0:
            continue
        if each.chance:
            parts[place] = min(each.chance / 100 if each.chance < 100 else inf, rest)
            rest -= parts[place]
        else:
            equal.append(place)
    for place in equal:
        parts[place] = rest / len(equal)
    return parts, 0.0 if equal else rest


class Odds:
    """Chances in one expanded template."""

    def __init__(self, root: Template, mode: int = 1, group: int = 0) -> None:
        """:param mode: bits of the loot mode that is on.
        :param group: only this group is rolled; 0: all of the template.
        """
        self._root = root
        self._mode = mode
        self._group = group

    def chance(self, wanted: Wanted) -> float:
        """Return the chance (0 to 1) that the loot holds at least one of the wanted rows' items."""
        miss = _Miss(wanted, self._mode).template(self._root, 1, self._group)
        return min(1.0, max(0.0, 1.0 - miss))


class _Miss:
    """The chance that none of the wanted rows comes up."""

    def __init__(self, wanted: Wanted, mode: int) -> None:
        self._wanted = wanted
        self._mode = mode
        self._known: dict[int, bool] = {}

    def template(self, template: Template, runs: int, group: int) -> float:
        """Return it for a template that is rolled so many times."""
        if not self._holds(template) or not runs:
            return 1.0
        if group:
            members = template.groups.get(group)
            return self._rolls(members, runs) if members else 1.0
        miss = 1.0
        for each in template.single:
            if each.mode & self._mode:
                miss *= self._alone(template, each, runs)
        for members in template.groups.values():
            miss *= self._rolls(members, runs)
        return miss

    def _holds(self, template: Template) -> bool:
        """Return whether a wanted row is anywhere below."""
        found = self._known.get(id(template))
        if found is None:
            found = any(
                self._holds(each.template) if each.reference and each.template else self._wanted(each)
                for each in template.entries
            )
            self._known[id(template)] = found
        return found

    def _alone(self, template: Template, entry: Entry, runs: int) -> float:
        chance = min(entry.chance / 100, 1.0)
        if not entry.reference:
            return float((1 - chance) ** runs) if self._wanted(entry) else 1.0
        if entry.template is None or not self._holds(entry.template):
            return 1.0
        part = template.part_of(entry)
        # The reference comes up in some of the runs; how often decides how often its template is rolled.
        return sum(
            comb(runs, hits)
            * chance**hits
            * (1 - chance) ** (runs - hits)
            * self.template(entry.template, hits * entry.max_count, part)
            for hits in range(runs + 1)
        )

    def _kept(self, entry: Entry) -> float:
        """Return the chance that a row of a group that was taken brings nothing wanted."""
        if not entry.reference:
            return 0.0 if self._wanted(entry) else 1.0
        return self.template(entry.template, entry.max_count, 0) if entry.template else 1.0

    def _rolls(self, members: Sequence[Entry], runs: int) -> float:
        kept = [self._kept(each) for each in members]
        if all(each == 1.0 for each in kept):
            return 1.0
        left = [each.limit if each.mode & self._mode else 0 for each in members]
        if runs <= _MAX_ROLLS and any(each is not None and 0 < each < runs for each in left):
            try:
                return _Repeated(members, kept).miss(runs, tuple(left))
            except _TooMany:
                pass
        parts, nothing = _shares(members, left)
        return float((nothing + sum(part * each for part, each in zip(parts, kept, strict=True))) ** runs)


class _TooMany(Exception):
    """The group has more states than we care to walk through."""


class _Repeated:
    """A group that is rolled several times, in which a row that was given often enough stands out of later rolls."""

    def __init__(self, members: Sequence[Entry], kept: Sequence[float]) -> None:
        self._members = members
        self._kept = kept
        self._known: dict[tuple[int, tuple[int | None, ...]], float] = {}
        self._steps = 0
        # Rows that are alike change places without consequence, so the states they lead to are one.
        alike: dict[tuple[float, int | None, float], list[int]] = {}
        for place, each in enumerate(members):
            if not each.chance:
                alike.setdefault((each.chance, each.limit, kept[place]), []).append(place)
        self._alike = [places for places in alike.values() if len(places) > 1]

    def miss(self, runs: int, left: tuple[int | None, ...]) -> float:
        """Return the chance that so many rolls bring nothing wanted.

        :param left: how often each row may still be given.
        :raises _TooMany: there are too many states.
        """
        key = (runs, self._canonical(left))
        known = self._known.get(key)
        if known is not None:
            return known
        self._steps += len(left)
        if self._steps > _MAX_STEPS:
            raise _TooMany
        parts, nothing = _shares(self._members, left)
        if runs == 1:
            return nothing + sum(part * kept for part, kept in zip(parts, self._kept, strict=True))
        miss = nothing * self.miss(runs - 1, left) if nothing else 0.0
        for place, (part, kept) in enumerate(zip(parts, self._kept, strict=True)):
            if part and kept:
                allowed = left[place]
                after = left if allowed is None else (*left[:place], allowed - 1, *left[place + 1 :])
                miss += part * kept * self.miss(runs - 1, after)
        self._known[key] = miss
        return miss

    def _canonical(self, left: tuple[int | None, ...]) -> tuple[int | None, ...]:
        values = list(left)
        for places in self._alike:
            ordered = sorted((values[place] for place in places), key=lambda each: -1 if each is None else each)
            for place, value in zip(places, ordered, strict=True):
                values[place] = value
        return tuple(values)
