"""How quests hang together, read from the database step by step from one quest outwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.quests.graph import Edge
from trinitycore_mcp.toolkit import Call

ADDON = ("ID", "PrevQuestID", "NextQuestID", "ExclusiveGroup", "BreadcrumbForQuestId")
_MAX_ROUNDS = 60
_MAX_ROWS = 2_000


@dataclass
class Relations:
    """Quests around one quest."""

    distance: dict[int, int]
    """Each quest, and how many relations lie between it and the one asked for; nearest first."""
    edges: set[Edge] = field(default_factory=set)
    groups: dict[int, set[int]] = field(default_factory=dict)
    """Exclusive groups and their quests."""
    cut: bool = False
    """There are more quests than were asked for."""


async def around(call: Call, quest: int, most: int) -> Relations:
    """Return the quests that hang together with one, the nearest first.

    :param most: quests at most.
    :raises ToolError: quest_template_addon is missing, or the database can't be read.
    """
    found = Relations({quest: 0})
    fresh, groups, asked = [quest], set[int](), set[int]()
    for distance in range(1, _MAX_ROUNDS):
        addon, offers = await asyncio.gather(addon_rows(call, fresh, groups), _offers(call, fresh))
        edges, members = _read(addon, offers)
        found.edges |= edges
        for group, quests in members.items():
            found.groups.setdefault(group, set()).update(quests)
        # A row names quests that are further away, too: only those beside the last ones count.
        last, known = set(fresh), set(found.distance)
        near = {edge.after for edge in found.edges if edge.before in last}
        near |= {edge.before for edge in found.edges if edge.after in last}
        groups = {group for group, quests in found.groups.items() if quests & known}
        near |= {each for group in groups for each in found.groups[group]}
        groups -= asked
        asked |= groups
        fresh = sorted(near - known)
        room = most - len(known)
        found.cut = len(fresh) > room
        found.distance |= dict.fromkeys(fresh[:room], distance)
        if found.cut or not (fresh or groups):
            break
    known = set(found.distance)
    found.edges = {edge for edge in found.edges if edge.before in known and edge.after in known}
    found.groups = {group: quests & known for group, quests in found.groups.items() if quests & known}
    return found


async def addon_rows(call: Call, quests: Iterable[int], groups: Iterable[int] = ()) -> list[Row]:
    """Return the rows of quests, of quests that name them as previous, next or goal, and of exclusive groups."""
    schema = await call.schema()
    table = schema.table("quest_template_addon")
    ids, group_ids = sorted(set(quests)), sorted(set(groups))
    conditions: list[str] = []
    values: list[int] = []
    for column in ("ID", "PrevQuestID", "NextQuestID", "BreadcrumbForQuestId"):
        name = schema.column("quest_template_addon", column, "t")
        if name and ids:
            # Some columns are unsigned, some are not; a negative PrevQuestID is the same quest, wanted in the log.
            asked = [*ids, *(-quest for quest in ids)] if column == "PrevQuestID" else ids
            conditions.append(f"{name} IN ({', '.join(['%s'] * len(asked))})")
            values += asked
    if group_ids:
        name = schema.column("quest_template_addon", "ExclusiveGroup", "t")
        conditions.append(f"{name} IN ({', '.join(['%s'] * len(group_ids))})")
        values += group_ids
    if not conditions:
        return []
    return await call.rows(
        f"SELECT {schema.columns('quest_template_addon', *ADDON, alias='t')} FROM {table} t "
        f"WHERE {' OR '.join(conditions)} ORDER BY 1 LIMIT {_MAX_ROWS}",
        values,
    )


async def _offers(call: Call, quests: Iterable[int]) -> list[Row]:
    """Return quests and the next one that is offered when they are handed in."""
    schema = await call.schema()
    ids = sorted(set(quests))
    following = schema.column("quest_template", "RewardNextQuest", "t")
    if not ids or following is None:
        return []
    marks = ", ".join(["%s"] * len(ids))
    key = schema.column("quest_template", "ID", "t")
    return await call.rows(
        f"SELECT {key} AS ID, {following} AS following FROM {schema.table('quest_template')} t "
        f"WHERE {following} <> 0 AND ({key} IN ({marks}) OR {following} IN ({marks})) ORDER BY 1 LIMIT {_MAX_ROWS}",
        [*ids, *ids],
    )


def _read(addon: Iterable[Row], offers: Iterable[Row]) -> tuple[set[Edge], dict[int, set[int]]]:
    """Return edges and exclusive groups that rows tell."""
    edges = {Edge(row["ID"], row["following"], "offered") for row in offers}
    groups: dict[int, set[int]] = {}
    for row in addon:
        quest, previous = row["ID"], row["PrevQuestID"] or 0
        if previous:
            edges.add(Edge(abs(previous), quest, "done" if previous > 0 else "active"))
        if row["NextQuestID"]:
            edges.add(Edge(quest, abs(row["NextQuestID"]), "next"))
        if row["BreadcrumbForQuestId"]:
            edges.add(Edge(quest, abs(row["BreadcrumbForQuestId"]), "breadcrumb"))
        if row["ExclusiveGroup"]:
            groups.setdefault(row["ExclusiveGroup"], set()).add(quest)
    return edges, groups
