"""How quests hang together: quest_chain."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.quests.graph import order
from trinitycore_mcp.quests.relations import around
from trinitycore_mcp.toolkit import Call, Id, Locale, Notice, Reference, Related, Tool, ToolError, doc, tool


class ChainQuest(Struct, frozen=True):
    """A quest of the chain."""

    id: int
    name: Annotated[str | None, doc("null: no such quest in this database")]
    step: Annotated[int, doc("how many quests come before it at least; quests on one step come in any order")]
    distance: Annotated[int, doc("relations between it and the quest asked for")]
    level: int | None
    min_level: int | None
    exists: Annotated[bool | None, doc("false: others name it, but there is no such quest; null: not known here")]


class ChainLink(Struct, frozen=True):
    """Two quests of which one comes before the other."""

    before: int
    after: int
    kind: Annotated[
        str,
        doc(
            "done: before must have been handed in (PrevQuestID). active: before must be in the log (PrevQuestID below "
            "0). next: before opens after (NextQuestID). offered: after is offered when before is handed in. "
            "breadcrumb: before only leads to after"
        ),
    ]


class ExclusiveGroup(Struct, frozen=True):
    """Quests that shut each other out, or that are only together enough."""

    group: int
    rule: Annotated[str, doc("one: only one of them can be done; all: all must be handed in to open the next quest")]
    quests: list[int]


class QuestChain(Struct, frozen=True):
    """The quests around one quest."""

    quest: Reference
    quests: Annotated[list[ChainQuest], doc("in the order in which they can be done")]
    links: list[ChainLink]
    exclusive_groups: list[ExclusiveGroup]
    circular: Annotated[list[int], doc("quests that wait for themselves, directly or not: nobody can do them")]
    notice: Notice
    related: list[Related]


@tool(title="Chain of a quest")
async def quest_chain(
    call: Call,
    id: Annotated[Id, doc("any quest of the chain")],
    max_quests: Annotated[int, Meta(ge=1, le=300, description="quests at most, the nearest ones first")] = 100,
    locale: Locale = None,
) -> QuestChain:
    """The whole chain that a quest belongs to, forwards and backwards: quests in the order in which they can be done,
    which one must be done or active before which, quests that exclude each other or only count together, breadcrumbs,
    and circles that nobody can get into. What one quest asks of a character: quest_requirements."""
    schema = await call.schema()
    found = await around(call, id, max_quests)
    names = await names_of(call, "quest", found.distance, locale)
    rows = await _templates(call, list(found.distance))
    if rows is not None and id not in rows:
        raise ToolError(f"there is no quest with id {id}; quest_search finds ids by title")
    if rows is None and not found.edges and not found.groups:
        schema.table("quest_template")  # without it we can't tell a quest that stands alone from none
    steps, circular = order(found.distance, found.edges)
    quests = [
        ChainQuest(
            id=quest,
            name=names.get(quest),
            step=steps[quest],
            distance=found.distance[quest],
            level=(rows or {}).get(quest, {}).get("QuestLevel"),
            min_level=(rows or {}).get(quest, {}).get("MinLevel"),
            exists=None if rows is None else quest in rows,
        )
        for quest in sorted(steps, key=lambda quest: (steps[quest], quest))
    ]
    return QuestChain(
        quest=Reference(id, names.get(id)),
        quests=quests,
        links=[ChainLink(edge.before, edge.after, edge.kind) for edge in sorted(found.edges)],
        exclusive_groups=[
            ExclusiveGroup(group, "one" if group > 0 else "all", sorted(members))
            for group, members in sorted(found.groups.items())
        ],
        circular=circular,
        notice=f"the chain is longer: only the {len(quests)} nearest quests are shown" if found.cut else None,
        related=[
            Related("quest_requirements", {"id": id}, "what it asks of a character"),
            Related("quest_get", {"id": id}, "the quest"),
        ],
    )


async def _templates(call: Call, ids: list[int]) -> dict[int, Row] | None:
    """Return levels by quest, None when quest_template is missing."""
    schema = await call.schema()
    if not schema.has("quest_template"):
        return None
    rows = await call.rows(
        f"SELECT {schema.columns('quest_template', 'ID', 'QuestLevel', 'MinLevel', alias='t')} "
        f"FROM {schema.table('quest_template')} t "
        f"WHERE {schema.column('quest_template', 'ID', 't')} IN ({', '.join(['%s'] * len(ids))})",
        ids,
    )
    return {row["ID"]: row for row in rows}


TOOLS: tuple[Tool, ...] = (quest_chain,)
