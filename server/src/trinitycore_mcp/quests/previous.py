"""What must hold of other quests before one can be taken, as sentences.

Source: TrinityCore's documentation of quest_template_addon. Where several conditions meet, the cores differ:
TrinityCore asks for PrevQuestID and for one of the quests that name this one as their next; in AzerothCore one of all
of these is enough. A quest of a negative exclusive group opens the next one only when the whole group was handed in.
"""

from __future__ import annotations

from collections.abc import Iterable

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.schema import Family
from trinitycore_mcp.sentences.names import Names


def previous_sentences(quest: int, rows: Iterable[Row], names: Names, family: Family) -> list[str]:
    """Return sentences that must all hold.

    :param rows: of quest_template_addon: the quest's own, those of quests that name it, and of their groups.
    :param names: titles by ("quest", id).
    """
    by_id = {row["ID"]: row for row in rows}
    own = by_id.get(quest)
    members: dict[int, list[int]] = {}
    for number, row in by_id.items():
        members.setdefault(row["ExclusiveGroup"] or 0, []).append(number)

    def called(number: int) -> str:
        title = names.get(("quest", number))
        return f"{title} ({number})" if title else f"quest {number}"

    def listed(numbers: Iterable[int], word: str) -> str:
        each = [called(number) for number in numbers]
        return f" {word} ".join(each) if len(each) < 3 else f"{', '.join(each[:-1])} {word} {each[-1]}"

    previous = (own["PrevQuestID"] or 0) if own else 0
    first = []
    if previous:
        state = "was handed in" if previous > 0 else "is in the log"
        first = [f"{called(abs(previous))} {state}"]
    opened = _openers(quest, by_id, members)
    following = [f"{listed(some, 'and')} {'was' if len(some) == 1 else 'were all'} handed in" for some in opened]
    if family is Family.AZEROTHCORE:
        every = list(dict.fromkeys(first + following))
        sentences = [" or ".join(every)] if every else []
    else:
        sentences = list(dict.fromkeys([*first, *([" or ".join(following)] if following else [])]))
    group = (own["ExclusiveGroup"] or 0) if own else 0
    others = [number for number in members.get(group, ()) if number != quest]
    if group > 0 and others:
        sentences.append(f"{listed(others, 'or')} is neither in the log nor was it handed in")
    goal = abs(own["BreadcrumbForQuestId"] or 0) if own else 0
    if goal:
        sentences.append(f"{called(goal)}, where it leads to, was not taken yet")
    crumbs = [number for number, row in by_id.items() if abs(row["BreadcrumbForQuestId"] or 0) == quest]
    if crumbs:
        sentences.append(f"{listed(sorted(crumbs), 'or')}, which only leads here, is not in the log")
    return sentences


def _openers(quest: int, by_id: dict[int, Row], members: dict[int, list[int]]) -> list[list[int]]:
    """Return the quests of which one, or all of one group, must have been handed in because they name this one."""
    found: list[list[int]] = []
    for number, row in sorted(by_id.items()):
        if abs(row["NextQuestID"] or 0) != quest:
            continue
        group = row["ExclusiveGroup"] or 0
        some = sorted(members[group]) if group < 0 else [number]
        if some not in found:
            found.append(some)
    return found
