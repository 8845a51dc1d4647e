"""Where a phrase occurs in the texts of the world: text_search."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trinitycore_mcp.entities import names_of
from trinitycore_mcp.texts import (
    SOURCES,
    Excerpt,
    Kind,
    Owners,
    Source,
    TextOwner,
    TextRow,
    menu_owners,
    menus_of_texts,
    owners_of,
    phrase_of,
    rows_with,
    searched,
)
from trinitycore_mcp.toolkit import (
    CONTENT,
    Call,
    Cursor,
    Limit,
    Locale,
    NextCursor,
    Notice,
    Related,
    Tool,
    doc,
    tool,
)

# Tables searched at the same time: one call must not take the whole pool.
_AT_ONCE = 3
# The longest key of a source.
_KEYS = max(len(source.keys) for source in SOURCES)
_GAMEOBJECT = 1
Hit = tuple[int, TextRow]
"""Which of the sources, and the row."""

Phrase = Annotated[
    str,
    Meta(min_length=2, max_length=100, description="words as they stand in the text, any case; 3 characters or more"),
]


class TextMatch(Struct, frozen=True):
    """A row with the phrase in its texts."""

    kind: Kind
    table: Annotated[str, doc("as TrinityCore 3.3.5 calls it")]
    key: Annotated[dict[str, int], doc("the row's key; quest_objectives: also its quest")]
    found: Annotated[list[Excerpt], doc("where the phrase stands; a text that several fields hold is shown once")]
    owners: Annotated[list[TextOwner], doc("the quest, or who says or shows it: the first five of each kind")]
    owner_count: Annotated[int, doc("all of them")]
    menus: Annotated[list[int], doc("of gossip: menus that show it, the first ten")]
    related: list[Related]


class TextSearchPage(Struct, frozen=True):
    """One page of matches."""

    matches: list[TextMatch]
    not_searched: Annotated[list[str], doc("tables that would have been searched too but are not in this database")]
    next_cursor: NextCursor
    notice: Notice


@tool(title="Search the texts", cache=CONTENT)
async def text_search(
    call: Call,
    text: Phrase,
    kinds: Annotated[list[Kind] | None, doc("only these kinds of texts; default: all")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    locale: Locale = None,
) -> TextSearchPage:
    """Find where a phrase occurs: in quest texts (title, description, objectives, on hand-in), greetings, gossip texts
    and options, what creatures say, pages of books, broadcast texts. Each match shows the text around the phrase and
    whose it is. The order is by kind, then id. locale searches the translations into that language instead of the
    English texts. world_search finds things by their names, gossip_menu_search whole menus."""
    phrase = phrase_of(text)
    place = call.place(cursor, 1 + _KEYS)
    schema = await call.schema()
    first, after = (int(place[0]), [int(part) for part in place[1:]]) if place else (0, None)
    wanted = [(n, each) for n, each in enumerate(SOURCES) if not kinds or each.kind in kinds]
    gate = asyncio.Semaphore(_AT_ONCE)
    found: dict[int, list[Hit]] = {}

    async def one(number: int, source: Source) -> None:
        behind = after[: len(source.keys)] if after is not None and number == first else None
        async with gate:
            # What stands before it in the order may fill the page already.
            if sum(len(hits) for other, hits in found.items() if other < number) <= limit:
                rows = await rows_with(call, source, phrase, limit + 1, behind, locale)
                found[number] = [(number, row) for row in rows]

    await asyncio.gather(*(one(n, source) for n, source in wanted if n >= first))
    page = call.page([hit for number in sorted(found) for hit in found[number]], limit, _place)
    missing = (table for _, source in wanted for table in searched(schema, source, locale).missing)
    return TextSearchPage(
        matches=await _matches(call, page.items, locale),
        not_searched=list(dict.fromkeys(missing)),
        next_cursor=page.next_cursor,
        notice=page.notice,
    )


def _place(hit: Hit) -> list[int]:
    number, row = hit
    return [number, *row.key, *([0] * (_KEYS - len(row.key)))]


async def _matches(call: Call, hits: Sequence[Hit], locale: str | None) -> list[TextMatch]:
    """Return the matches with whose they are, read together for all rows of a table."""
    by_table: dict[str, list[TextRow]] = {}
    for number, row in hits:
        by_table.setdefault(SOURCES[number].table, []).append(row)
    menus = await menus_of_texts(call, (row.key[0] for row in by_table.get("npc_text", ())))
    all_menus = {menu for each in menus.values() for menu in each}
    all_menus |= {row.key[0] for row in by_table.get("gossip_menu_option", ())}
    openers, names, by_owned = await asyncio.gather(
        menu_owners(call, all_menus, locale), _names(call, by_table, locale), _owned(call, by_table, locale)
    )
    matches = []
    for number, row in hits:
        source = SOURCES[number]
        shown_in: list[int] = []
        if (direct := _direct(source, row)) is not None:
            kind, owner = direct
            owners = Owners([TextOwner(kind, owner, names[kind].get(owner))], 1)
        elif source.kind == "gossip":
            shown_in = menus.get(row.key[0], []) if source.table == "npc_text" else [row.key[0]]
            owners = _united(openers[menu] for menu in shown_in if menu in openers)
        else:
            owners = by_owned[source.table].get(row.key[0], Owners())
        matches.append(
            TextMatch(
                kind=source.kind,
                table=source.table,
                key=dict(zip(source.keys, row.key, strict=True)) | row.more,
                found=row.found,
                owners=owners.shown,
                owner_count=owners.total,
                menus=shown_in,
                related=_related(source, row, owners, shown_in, locale),
            )
        )
    return matches


def _direct(source: Source, row: TextRow) -> tuple[Literal["quest", "creature", "gameobject"], int] | None:
    """Return the owner that the row itself names."""
    if source.kind == "quest":
        return "quest", row.more.get("QuestID", row.key[0])
    if source.kind == "creature_text":
        return "creature", row.key[0]
    if source.table == "quest_greeting":
        return "gameobject" if row.key[1] == _GAMEOBJECT else "creature", row.key[0]
    return None


async def _names(
    call: Call, by_table: dict[str, list[TextRow]], locale: str | None
) -> dict[Literal["quest", "creature", "gameobject"], dict[int, str]]:
    ids: dict[Literal["quest", "creature", "gameobject"], set[int]] = {}
    for source in SOURCES:
        for row in by_table.get(source.table, ()):
            if (direct := _direct(source, row)) is not None:
                ids.setdefault(direct[0], set()).add(direct[1])
    found = await asyncio.gather(*(names_of(call, kind, each, locale) for kind, each in ids.items()))
    return dict(zip(ids, found, strict=True))


async def _owned(call: Call, by_table: dict[str, list[TextRow]], locale: str | None) -> dict[str, dict[int, Owners]]:
    """Return the owners of texts that another table leads to, by table and text."""
    tables = [table for table in ("trainer", "broadcast_text", "page_text") if table in by_table]
    found = await asyncio.gather(
        *(owners_of(call, table, (row.key[0] for row in by_table[table]), locale) for table in tables)
    )
    return dict(zip(tables, found, strict=True))


def _united(each: Iterable[Owners]) -> Owners:
    """Return the owners of several menus together, each once."""
    several = list(each)
    if len(several) == 1:
        return several[0]
    shown = list(dict.fromkeys(owner for owners in several for owner in owners.shown))
    return Owners(shown[:10], max(len(shown), sum(owners.total for owners in several)) if several else 0)


def _related(source: Source, row: TextRow, owners: Owners, menus: Sequence[int], locale: str | None) -> list[Related]:
    """Return the calls that show a match whole."""
    language = {"locale": locale} if locale is not None else {}
    first = owners.shown[0] if owners.shown else None
    found = []
    if source.table == "npc_text":
        found.append(Related("npc_text_get", {"id": row.key[0], **language}, "the whole text"))
    if menus and menus[0]:
        found.append(Related("gossip_tree", {"menu": menus[0], **language}, "the menu with all below it"))
    if source.table == "page_text":
        found.append(Related("page_text_get", {"id": row.key[0], **language}, "the page and those after it"))
    elif source.table == "trainer" and first is not None:
        found.append(Related("trainer_spells", {"id": first.id}, "what this trainer teaches"))
    elif source.table == "creature_text":
        arguments = {"creature": row.key[0], "group": row.key[1], **language}
        found.append(Related("creature_text", arguments, "the group of lines that it belongs to"))
    elif source.table == "broadcast_text" and first is not None:
        found.append(Related("creature_text", {"creature": first.id, **language}, "all that this creature says"))
    elif source.kind in ("quest", "npc_greeting") and first is not None:
        found.append(Related(f"{first.kind}_get", {"id": first.id, **language}, f"the {first.kind}, whole"))
    return found


TOOLS: tuple[Tool, ...] = (text_search,)
