"""Finding gossip menus by what is said and offered in them: gossip_menu_search."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.schema import Schema
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.texts import (
    SOURCES,
    Excerpt,
    Owners,
    Searched,
    TextOwner,
    excerpts,
    menu_owners,
    pattern_of,
    phrase_of,
    searched,
    texts_sql,
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
from trinitycore_mcp.tools.text_search import Phrase

# Texts and options with the phrase that are shown of one menu.
_MOST = 5
_BY_TABLE = {source.table: source for source in SOURCES}


class MenuPhrase(Struct, frozen=True):
    """A text or an option of a menu with the phrase."""

    text_id: Annotated[int | None, doc("the NPC's text, npc_text_get shows it; null: it is an option")]
    option_id: Annotated[int | None, doc("the option; null: it is a text")]
    found: list[Excerpt]


class GossipMenuHit(Struct, frozen=True):
    """A menu with the phrase."""

    menu: int
    found: Annotated[list[MenuPhrase], doc("texts before options, five at most")]
    text_count: Annotated[int, doc("all texts of the menu")]
    option_count: Annotated[int, doc("all options of the menu")]
    opened_by: Annotated[list[TextOwner], doc("creatures and gameobjects that open with it, the first five of each")]
    opened_by_count: Annotated[int, doc("all of them; 0: another menu or a script opens it")]
    opened_from: Annotated[list[int], doc("menus with an option that opens it, the first ten")]


class GossipMenuSearchPage(Struct, frozen=True):
    """One page of menus."""

    menus: list[GossipMenuHit]
    not_searched: Annotated[list[str], doc("tables that would have been searched too but are not in this database")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@tool(title="Search gossip menus", cache=CONTENT)
async def gossip_menu_search(
    call: Call,
    text: Phrase,
    limit: Limit = 20,
    cursor: Cursor = None,
    locale: Locale = None,
) -> GossipMenuSearchPage:
    """Find gossip menus by what the NPC says in them or by what an option says: where the phrase stands, how many
    options there are, who opens the menu. The order is by menu. locale searches the translations into that language
    instead of the English texts. gossip_tree shows a menu whole; text_search looks into all other texts too."""
    phrase = phrase_of(text)
    place = call.place(cursor)
    after = int(place[0]) if place is not None else -1
    schema = await call.schema()
    ways = _ways(schema, locale)
    found = await asyncio.gather(*(way.menus(call, phrase, after, limit + 1) for way in ways))
    page = call.page(sorted({menu for each in found for menu in each})[: limit + 1], limit, lambda menu: [menu])
    menus = page.items
    phrases, texts, options, openers, from_menus = await asyncio.gather(
        asyncio.gather(*(way.phrases(call, phrase, menus) for way in ways)),
        _counts(call, schema, "gossip_menu", menus),
        _counts(call, schema, "gossip_menu_option", menus),
        menu_owners(call, menus, locale),
        _opened_from(call, schema, menus),
    )
    hits = []
    for menu in menus:
        owners = openers.get(menu, Owners())
        hits.append(
            GossipMenuHit(
                menu=menu,
                found=[each for one in phrases for each in one.get(menu, [])][:_MOST],
                text_count=texts.get(menu, 0),
                option_count=options.get(menu, 0),
                opened_by=owners.shown,
                opened_by_count=owners.total,
                opened_from=from_menus.get(menu, []),
            )
        )
    return GossipMenuSearchPage(
        menus=hits,
        not_searched=list(dict.fromkeys(table for way in ways for table in way.missing)),
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[Related("gossip_tree", {"menu": menu}, "the menu with all below it") for menu in menus[:3] if menu],
    )


@dataclass(frozen=True)
class _Way:
    """One of the two ways in which a phrase gets into a menu, as SQL."""

    tables: str
    menu: str
    number: str
    """SQL of the text's or option's id."""
    option: bool
    texts: Searched

    @property
    def missing(self) -> tuple[str, ...]:
        """Tables that should be there and are not."""
        return self.texts.missing

    async def menus(self, call: Call, phrase: str, after: int, most: int) -> list[int]:
        """Return the first menus behind one that have the phrase."""
        if not self.texts.texts:
            return []
        rows = await call.rows(
            f"SELECT DISTINCT {self.menu} AS menu FROM {self.tables} WHERE {self.menu} > %s "
            f"AND {self.texts.condition} ORDER BY {self.menu} LIMIT %s",
            (after, *([pattern_of(phrase)] * len(self.texts.texts)), most),
        )
        return [int(row["menu"]) for row in rows]

    async def phrases(self, call: Call, phrase: str, menus: Sequence[int]) -> dict[int, list[MenuPhrase]]:
        """Return the texts or options of menus that have the phrase, by menu."""
        if not self.texts.texts or not menus:
            return {}
        marks, parameters = in_list(menus)
        pattern = [pattern_of(phrase)] * len(self.texts.texts)
        rows = await call.rows(
            f"SELECT {texts_sql(self.texts)}, {self.menu} AS menu, {self.number} AS number FROM {self.tables} "
            f"WHERE {self.menu} IN {marks} AND {self.texts.condition} ORDER BY {self.menu}, {self.number} LIMIT 1000",
            (*pattern, *parameters, *pattern),
        )
        found: dict[int, dict[int, MenuPhrase]] = {}
        for row in rows:
            text, option = (None, row["number"]) if self.option else (row["number"], None)
            phrases = MenuPhrase(text, option, excerpts(self.texts, row, phrase))
            found.setdefault(row["menu"], {}).setdefault(row["number"], phrases)
        return {menu: list(each.values()) for menu, each in found.items()}


def _ways(schema: Schema, locale: str | None) -> list[_Way]:
    """Return the ways for which the tables are there, and what is missing of the others."""
    said = searched(schema, _BY_TABLE["npc_text"], locale)
    offered = searched(schema, _BY_TABLE["gossip_menu_option"], locale)
    if not schema.has("gossip_menu", "MenuID", "TextID"):
        said = Searched("", (), ("gossip_menu",))
    ways = []
    if said.texts:
        join = f"{schema.table('gossip_menu')} m JOIN {schema.table('npc_text')} t ON t.`ID` = m.`TextID`"
        ways.append(_Way(join + said.joins, "m.`MenuID`", "m.`TextID`", False, said))
    else:
        ways.append(_Way("", "", "", False, said))
    if offered.texts:
        table = f"{schema.table('gossip_menu_option')} t"
        ways.append(_Way(table + offered.joins, "t.`MenuID`", "t.`OptionID`", True, offered))
    else:
        ways.append(_Way("", "", "", True, offered))
    return ways


async def _counts(call: Call, schema: Schema, table: str, menus: Sequence[int]) -> dict[int, int]:
    """Return how many rows of a table menus have."""
    marks, parameters = in_list(menus)
    if not parameters or not schema.has(table, "MenuID"):
        return {}
    rows = await call.rows(
        f"SELECT t.`MenuID` AS menu, COUNT(*) AS number FROM {schema.table(table)} t WHERE t.`MenuID` IN {marks} "
        "GROUP BY t.`MenuID`",
        parameters,
    )
    return {row["menu"]: row["number"] for row in rows}


async def _opened_from(call: Call, schema: Schema, menus: Sequence[int]) -> dict[int, list[int]]:
    """Return the menus whose options open menus, by the latter."""
    marks, parameters = in_list(menu for menu in menus if menu)
    if not parameters or not schema.has("gossip_menu_option", "MenuID", "ActionMenuID"):
        return {}
    rows = await call.rows(
        "SELECT u.menu, u.opener FROM (SELECT d.menu, d.opener, ROW_NUMBER() OVER (PARTITION BY d.menu "
        "ORDER BY d.opener) AS place FROM (SELECT DISTINCT t.`ActionMenuID` AS menu, t.`MenuID` AS opener FROM "
        f"{schema.table('gossip_menu_option')} t WHERE t.`ActionMenuID` IN {marks}) d) u WHERE u.place <= 10 "
        "ORDER BY u.menu, u.opener",
        parameters,
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["menu"], []).append(row["opener"])
    return found


TOOLS: tuple[Tool, ...] = (gossip_menu_search,)
