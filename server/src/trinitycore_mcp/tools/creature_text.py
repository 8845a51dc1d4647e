"""What creatures say."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.entities import names_of
from trinitycore_mcp.spoken import lines
from trinitycore_mcp.toolkit import (
    Call,
    Id,
    Locale,
    Named,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    named,
    real,
    text_or_none,
    tool,
)

_MOST = 400


class SpokenLine(Struct, frozen=True):
    """One thing that a creature may say."""

    id: int
    text: Annotated[str | None, doc("as the client gets it, with $N, $C and the like; null: it has no text")]
    origin: Annotated[str | None, doc("the table that the text comes from")]
    type: Named
    language: Named
    probability: Annotated[float, doc("weight among the lines of its group; all 0: equally likely")]
    chance: Annotated[float, doc("percent, of the weights of the group")]
    emote: Annotated[int | None, doc("emote that goes with it")]
    sound: int | None
    duration: Annotated[int | None, doc("milliseconds until the next one may be said")]
    range: Named
    broadcast_text: int | None
    comment: str | None


class SpokenGroup(Struct, frozen=True):
    """Lines of which one is picked at random when a script says the group."""

    group: int
    lines: list[SpokenLine]


class SpokenTexts(Struct, frozen=True):
    """All that a creature says."""

    creature: Reference
    groups: list[SpokenGroup]
    notice: Notice
    related: list[Related]


@tool(title="Texts of a creature")
async def creature_text(
    call: Call,
    creature: Annotated[Id, doc("the creature's entry")],
    group: Annotated[Annotated[int, Meta(ge=0, le=255)] | None, doc("only this group")] = None,
    locale: Locale = None,
) -> SpokenTexts:
    """What a creature says, yells, whispers or emotes: its groups of lines, with the chance of each line.

    Scripts say a group by number; smart_script shows when. For gossip, which players choose, take gossip_tree; to find
    who says a phrase, text_search.
    """
    where = "t.`CreatureID` = %s" + (" AND t.`GroupID` = %s" if group is not None else "")
    parameters = (creature, *(() if group is None else (group,)))
    rows = await lines(call, where, parameters, _MOST + 1, locale)
    names = await names_of(call, "creature", [creature], locale)
    if not rows:
        which = f"group {group} of " if group is not None else ""
        unknown = creature not in names and (await call.schema()).has("creature_template")
        known = "" if not unknown else " (and there is no such creature; creature_search finds ids by name)"
        raise ToolError(f"there are no texts for {which}creature {creature}{known}")
    by_group: dict[int, list[SpokenLine]] = {}
    weights: dict[int, float] = {}
    counts: dict[int, int] = {}
    for row in rows[:_MOST]:
        weights[row["GroupID"]] = weights.get(row["GroupID"], 0.0) + float(row["Probability"] or 0)
        counts[row["GroupID"]] = counts.get(row["GroupID"], 0) + 1
    for row in rows[:_MOST]:
        weight, whole = float(row["Probability"] or 0), weights[row["GroupID"]]
        share = weight / whole if whole else 1 / counts[row["GroupID"]]
        by_group.setdefault(row["GroupID"], []).append(
            SpokenLine(
                id=row["ID"],
                text=text_or_none(row["text"]),
                origin=row["origin"],
                type=named("creature_text_type", row["Type"]),
                language=named("language", row["Language"]),
                probability=real(weight),
                chance=round(100 * share, 2),
                emote=row["Emote"] or None,
                sound=row["Sound"] or None,
                duration=row["Duration"] or None,
                range=named("creature_text_range", row["TextRange"]),
                broadcast_text=row["BroadcastTextId"] or None,
                comment=text_or_none(row["comment"]),
            )
        )
    return SpokenTexts(
        creature=Reference(id=creature, name=names.get(creature)),
        groups=[SpokenGroup(number, each) for number, each in by_group.items()],
        notice=f"only the first {_MOST} lines are shown; ask for a group" if len(rows) > _MOST else None,
        related=[
            Related("smart_script", {"id": creature}, "when it says them, if it has a SmartAI script"),
            Related("creature_get", {"id": creature}, "the creature"),
        ],
    )


TOOLS: tuple[Tool, ...] = (creature_text,)
