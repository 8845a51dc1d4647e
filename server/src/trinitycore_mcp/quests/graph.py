"""Quests before and after one another, as a graph.

Source: TrinityCore's documentation of quest_template_addon and quest_template.

- PrevQuestID above 0: that quest must have been handed in; below 0: that quest (the number without sign) must be in
  the log.
- NextQuestID: the quest after this one can be taken once this one was handed in. When several quests name the same
  next one, any of them will do; of quests in one negative exclusive group all must have been handed in.
- ExclusiveGroup above 0: one quest of the group shuts out the others; below 0: see NextQuestID.
- BreadcrumbForQuestId: it only leads to that quest; once that one is taken, it can't be taken any more.
- RewardNextQuest: who takes this quest back offers that one at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush


@dataclass(frozen=True, order=True)
class Edge:
    """Two quests of which one comes before the other."""

    before: int
    after: int
    kind: str
    """done, active, next, offered or breadcrumb."""


def order(quests: Iterable[int], edges: Iterable[Edge]) -> tuple[dict[int, int], list[int]]:
    """Return each quest's step (0 for those that nothing comes before), first steps first, and quests in a circle.

    A quest stands one step after the last of those before it. Quests that wait for each other, or for such quests,
    have no step of their own: they come last, on one step.
    """
    waiting: dict[int, set[int]] = {quest: set() for quest in quests}
    after: dict[int, set[int]] = {quest: set() for quest in waiting}
    for edge in edges:
        if edge.before in waiting and edge.after in waiting and edge.before != edge.after:
            waiting[edge.after].add(edge.before)
            after[edge.before].add(edge.after)
    steps: dict[int, int] = {}
    ready = [(0, quest) for quest, before in waiting.items() if not before]
    heapify(ready)
    while ready:
        step, quest = heappop(ready)
        steps[quest] = step
        for later in after[quest]:
            waiting[later].discard(quest)
            if not waiting[later]:
                # What came before was taken in order of steps, so this one is the last.
                heappush(ready, (step + 1, later))
    stuck = {quest for quest in waiting if quest not in steps}
    last = max(steps.values(), default=-1) + 1
    circle = _on_circles(stuck, after)
    steps |= dict.fromkeys(sorted(stuck), last)
    return steps, sorted(circle | {edge.before for edge in edges if edge.before == edge.after})


def _on_circles(stuck: set[int], after: dict[int, set[int]]) -> set[int]:
    """Return the quests that lead back to themselves, among those that wait."""
    found = set()
    for quest in stuck:
        passed: set[int] = set()
        to_do = [quest]
        while to_do:
            for later in after[to_do.pop()] & stuck:
                if later not in passed:
                    passed.add(later)
                    to_do.append(later)
        if quest in passed:
            found.add(quest)
    return found
