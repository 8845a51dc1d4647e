"""Dice that roll loot as the cores do, row by row: written apart from the computation that they check."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from functools import partial
from operator import is_

from trinitycore_mcp.loot.rules import Entry, Odds, Template

ROLLS = 20_000


class Dice:
    """Rolls one loot after another."""

    def __init__(self, seed: int, *, azerothcore: bool = False, mode: int = 1) -> None:
        self.random = random.Random(seed)
        self.azerothcore = azerothcore
        self.mode = mode

    def loot(self, rows: Sequence[Entry]) -> list[Entry]:
        held: list[Entry] = []
        self._template(rows, held, 0)
        return held

    def _template(self, rows: Sequence[Entry], held: list[Entry], only: int) -> None:
        numbers = sorted({row.group for row in rows if row.group and (self.azerothcore or not row.reference)})
        if not only:
            for row in rows:
                alone = row.group == 0 or (row.reference and not self.azerothcore)
                if alone and row.mode & self.mode and self.random.uniform(0, 100) < row.chance:
                    self._take(row, held)
        for number in numbers:
            if only in (0, number):
                self._group([r for r in rows if r.group == number and (self.azerothcore or not r.reference)], held)

    def _group(self, rows: Sequence[Entry], held: list[Entry]) -> None:
        left = [row for row in rows if row.mode & self.mode and not self._full(row, held)]
        number = self.random.uniform(0, 100)
        for row in left:
            if row.chance:
                number -= row.chance
                if row.chance >= 100 or number < 0:
                    return self._take(row, held)
        equal = [row for row in left if not row.chance]
        if equal:
            self._take(self.random.choice(equal), held)
        return None

    def _full(self, row: Entry, held: list[Entry]) -> bool:
        if row.reference or row.limit is None:
            return False
        return sum(1 for each in held if each.item == row.item) >= row.limit

    def _take(self, row: Entry, held: list[Entry]) -> None:
        if not row.reference:
            held.append(row)
        elif row.template is not None:
            for _ in range(row.max_count):
                self._template(row.template.entries, held, 0 if self.azerothcore else row.group)


def gives(item: int, row: Entry) -> bool:
    return row.item == item and not row.reference


def rows_below(template: Template) -> Iterator[Entry]:
    for each in template.entries:
        if each.template is not None:
            yield from rows_below(each.template)
        elif not each.reference:
            yield each


def check(
    rows: Sequence[Entry], *, azerothcore: bool = False, mode: int = 1, seed: int = 7, rolls: int = ROLLS
) -> None:
    """Compare each row's and each item's chance with how often the dice gave it, within five standard deviations."""
    root = Template(rows, grouped_references=azerothcore)
    dice = Dice(seed, azerothcore=azerothcore, mode=mode)
    loots = [dice.loot(rows) for _ in range(rolls)]
    odds = Odds(root, mode)
    for row in rows_below(root):
        seen = sum(1 for loot in loots if any(each is row for each in loot)) / rolls
        chance = odds.chance(partial(is_, row))
        assert abs(seen - chance) <= 5 * math.sqrt(max(chance * (1 - chance), 1e-5) / rolls), (row.item, seen, chance)
    for item in {row.item for row in rows_below(root)}:
        seen = sum(1 for loot in loots if any(each.item == item for each in loot)) / rolls
        chance = odds.chance(partial(gives, item))
        assert abs(seen - chance) <= 5 * math.sqrt(max(chance * (1 - chance), 1e-5) / rolls), (item, seen, chance)
