"""What happens when a player talks to somebody: gossip menus as a tree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.gossip import Said, npc_texts, options_of, texts_of
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.toolkit import (
    Call,
    Flags,
    Id,
    Locale,
    Money,
    Named,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    flags,
    money,
    named,
    text_or_none,
    tool,
)
from trinitycore_mcp.tools.conditions import sentences_for

_TEXT_SOURCE, _OPTION_SOURCE = 14, 15
_GOSSIP_SELECT = 62
# Gameobjects that open a menu: type to the column of its id.
_MENU_COLUMNS = {2: "Data3", 10: "Data19"}
# Menus in one answer at most.
_MOST_MENUS = 60
_MOST_MENUS_OF_NPC = 10


class GossipText(Struct, frozen=True):
    """A text of a menu; the last one whose conditions hold is shown."""

    text_id: int
    variants: Annotated[list[Said], doc("one is picked by weight; empty: the text is missing or empty")]
    conditions: Annotated[list[str], doc("all must hold; empty: none")]


class GossipOption(Struct, frozen=True):
    """Something that a player can choose."""

    id: int
    text: str | None
    icon: Named
    does: Annotated[Named, doc("what it opens besides or instead of a menu; TrinityCore master: a number of its own")]
    npc_flags: Annotated[Flags | None, doc("shown only if the NPC has one of these; null: the database has no such")]
    conditions: Annotated[list[str], doc("all must hold; empty: none")]
    costs: Annotated[Money | None, doc("asked for in a box before it happens")]
    box: Annotated[str | None, doc("text of the box that asks for confirmation")]
    code: Annotated[bool, doc("the player must type a word")]
    point_of_interest: Annotated[int | None, doc("shown on the map")]
    scripts: Annotated[list[str], doc("SmartAI rows that run when it is chosen")]
    leads_to: Annotated[int | None, doc("menu that it opens")]
    ends: Annotated[
        str | None, doc("why submenu is null although it leads to one: cycle, shown elsewhere, too deep, missing")
    ]
    submenu: Annotated[GossipMenuNode | None, doc("the menu that it opens")]


class GossipMenuNode(Struct, frozen=True):
    """A menu."""

    menu: int
    texts: list[GossipText]
    options: list[GossipOption]


class GossipTree(Struct, frozen=True):
    """Menus, from the first one a player sees."""

    of: Annotated[Reference | None, doc("who opens it; null: asked for a menu")]
    menus: list[GossipMenuNode]
    notice: Notice
    related: list[Related]


@dataclass
class _Loaded:
    """Everything about the menus of a tree."""

    texts: dict[int, list[int]]
    options: dict[int, list[Row]]
    said: dict[int, list[Said]]
    text_conditions: dict[tuple[int, int], list[str]]
    option_conditions: dict[tuple[int, int], list[str]]
    scripts: dict[tuple[int, int], list[str]]
    cut: bool = False


@tool(title="Gossip as a tree")
async def gossip_tree(
    call: Call,
    menu: Annotated[Id | None, doc("a gossip menu's id")] = None,
    creature: Annotated[Id | None, doc("entry of a creature: the menu that it opens")] = None,
    gameobject: Annotated[Id | None, doc("entry of a gameobject: the menu that it opens")] = None,
    depth: Annotated[int, Meta(ge=1, le=8, description="menus below one another at most")] = 4,
    locale: Locale = None,
) -> GossipTree:
    """What a player sees and can choose on talking to somebody: texts, options, what these open, under what conditions.

    Give menu, creature or gameobject. Options show cost, script rows and submenus; cycles are named, not followed.
    gossip_menu_get shows one menu alone, npc_text_get a text with its emotes.
    """
    if [menu, creature, gameobject].count(None) != 2:
        raise ToolError("give one of menu, creature, gameobject", kind="invalid_arguments")
    roots, of = [menu] if menu is not None else [], None
    if creature is not None:
        roots, of = await _menus_of_creature(call, creature, locale)
    elif gameobject is not None:
        roots, of = await _menu_of_gameobject(call, gameobject, locale)
    first = [int(root or 0) for root in roots]
    loaded = await _load(call, first, depth, locale)
    present = [root for root in first if root in loaded.texts or root in loaded.options]
    if not present:
        raise ToolError(
            f"there is no gossip menu {first[0]}; creature_get shows the menu of a creature, "
            "text_search finds gossip by its words"
        )
    shown: set[int] = set()
    menus = [_node(loaded, root, (), depth, shown, set(present)) for root in present]
    return GossipTree(
        of=of,
        menus=menus,
        notice=f"only the first {_MOST_MENUS} menus are shown; ask for one of those below" if loaded.cut else None,
        related=_related(creature, loaded, menus),
    )


async def _menus_of_creature(call: Call, creature: int, locale: str | None) -> tuple[list[int], Reference]:
    schema = await call.schema()
    sql = (
        f"SELECT {schema.columns('creature_template', 'gossip_menu_id', alias='t')} "
        f"FROM {schema.table('creature_template')} t WHERE {schema.column('creature_template', 'entry', 't')} = %s"
    )
    names, row = await asyncio.gather(names_of(call, "creature", [creature], locale), call.row(sql, (creature,)))
    if row is None:
        raise ToolError(f"there is no creature with id {creature}; creature_search finds ids by name")
    found = [row["gossip_menu_id"]] if row["gossip_menu_id"] else []
    if schema.has("creature_template_gossip", "CreatureID", "MenuID"):  # TrinityCore master: several
        rows = await call.rows(
            f"SELECT g.`MenuID` AS menu FROM {schema.table('creature_template_gossip')} g WHERE g.`CreatureID` = %s "
            "ORDER BY g.`MenuID` LIMIT %s",
            (creature, _MOST_MENUS_OF_NPC),
        )
        found = [each["menu"] for each in rows] or found
    if not found:
        raise ToolError(
            f"creature {creature} has no gossip menu; what it offers comes from its npc flags, quests or a script"
        )
    return found, Reference(id=creature, name=names.get(creature))


async def _menu_of_gameobject(call: Call, gameobject: int, locale: str | None) -> tuple[list[int], Reference]:
    schema = await call.schema()
    columns = schema.columns("gameobject_template", "type", *_MENU_COLUMNS.values(), alias="t")
    sql = f"SELECT {columns} FROM {schema.table('gameobject_template')} t WHERE t.`entry` = %s"
    names, row = await asyncio.gather(names_of(call, "gameobject", [gameobject], locale), call.row(sql, (gameobject,)))
    if row is None:
        raise ToolError(f"there is no gameobject with id {gameobject}; gameobject_search finds ids by name")
    column = _MENU_COLUMNS.get(row["type"])
    if column is None or not row[column]:
        raise ToolError(f"gameobject {gameobject} has no gossip menu; quest givers and goobers may have one")
    return [row[column]], Reference(id=gameobject, name=names.get(gameobject))


async def _load(call: Call, roots: Sequence[int], depth: int, locale: str | None) -> _Loaded:
    """Read the menus level by level, then all that belongs to them at once."""
    texts: dict[int, list[int]] = {}
    options: dict[int, list[Row]] = {}
    asked: set[int] = set()
    newest, cut = list(dict.fromkeys(roots)), False
    for _ in range(depth):
        room = _MOST_MENUS - len(asked)
        cut = cut or len(newest) > room
        newest = newest[:room]
        if not newest:
            break
        asked |= set(newest)
        more_texts, more_options = await asyncio.gather(texts_of(call, newest), options_of(call, newest, locale))
        texts |= more_texts
        options |= more_options
        following = (row["ActionMenuID"] for each in more_options.values() for row in each)
        newest = [number for number in dict.fromkeys(following) if number and number not in asked]
    text_keys = [(menu, text) for menu, each in texts.items() for text in each]
    option_keys = [(menu, row["OptionID"]) for menu, each in options.items() for row in each]
    said, text_conditions, option_conditions, scripts = await asyncio.gather(
        npc_texts(call, {text for _, text in text_keys}, locale),
        sentences_for(call, _TEXT_SOURCE, text_keys, locale),
        sentences_for(call, _OPTION_SOURCE, option_keys, locale),
        _scripts(call, options),
    )
    return _Loaded(texts, options, said, text_conditions, option_conditions, scripts, cut)


async def _scripts(call: Call, menus: Iterable[int]) -> dict[tuple[int, int], list[str]]:
    """Return the SmartAI rows that options start, by menu and option."""
    schema = await call.schema()
    wanted = list(menus)
    if not wanted or not schema.has("smart_scripts"):
        return {}
    marks, parameters = in_list(wanted)
    rows = await call.rows(
        "SELECT s.`entryorguid` AS entry, s.`source_type` AS kind, s.`id` AS id, s.`event_param1` AS menu, "
        f"s.`event_param2` AS `option` FROM {schema.table('smart_scripts')} s "
        f"WHERE s.`event_type` = %s AND s.`event_param1` IN {marks} ORDER BY s.`entryorguid`, s.`id` LIMIT 500",
        (_GOSSIP_SELECT, *parameters),
    )
    found: dict[tuple[int, int], list[str]] = {}
    for row in rows:
        kind = named("smart_source_type", row["kind"]).name or f"source type {row['kind']}"
        owner = f"{kind} {row['entry']}" if row["entry"] > 0 else f"{kind} spawn {-row['entry']}"
        found.setdefault((row["menu"], row["option"]), []).append(f"{owner}, row {row['id']}")
    return found


def _node(
    loaded: _Loaded, menu: int, path: tuple[int, ...], depth: int, shown: set[int], roots: set[int]
) -> GossipMenuNode:
    shown.add(menu)
    inside = (*path, menu)
    return GossipMenuNode(
        menu=menu,
        texts=[
            GossipText(text, loaded.said.get(text, []), loaded.text_conditions.get((menu, text), []))
            for text in loaded.texts.get(menu, ())
        ],
        options=[_option(loaded, row, inside, depth, shown, roots) for row in loaded.options.get(menu, ())],
    )


def _option(
    loaded: _Loaded, row: Row, path: tuple[int, ...], depth: int, shown: set[int], roots: set[int]
) -> GossipOption:
    target = row["ActionMenuID"] or None
    ends = _ends(loaded, target, path, depth, shown, roots) if target else None
    key = (row["MenuID"], row["OptionID"])
    kind = row["OptionType"]
    return GossipOption(
        id=row["OptionID"],
        text=text_or_none(row["text"]),
        icon=named("gossip_icon", row["OptionIcon"]),
        does=named("gossip_option_type", kind) if kind is not None else Named(value=row["OptionNpc"] or 0, name=None),
        npc_flags=None if row["OptionNpcFlag"] is None else flags("npc_flags", row["OptionNpcFlag"]),
        conditions=loaded.option_conditions.get(key, []),
        costs=money(row["BoxMoney"]) if row["BoxMoney"] else None,
        box=text_or_none(row["box"]),
        code=bool(row["BoxCoded"]),
        point_of_interest=row["ActionPoiID"] or None,
        scripts=loaded.scripts.get(key, []),
        leads_to=target,
        ends=ends,
        submenu=_node(loaded, target, path, depth, shown, roots) if target and ends is None else None,
    )


def _ends(
    loaded: _Loaded, target: int, path: tuple[int, ...], depth: int, shown: set[int], roots: set[int]
) -> str | None:
    """Return why a menu is not shown below an option."""
    if target == path[-1]:
        return "cycle: it opens the same menu again"
    if target in path:
        return f"cycle: back to menu {target} above"
    if target in shown or target in roots:
        return f"menu {target} is shown elsewhere in this answer"
    if target in loaded.texts or target in loaded.options:
        return None
    if len(path) >= depth:
        return f"too deep: ask for menu {target}, or for more depth"
    return f"there are no rows for menu {target}" if not loaded.cut else f"not read: ask for menu {target}"


def _related(creature: int | None, loaded: _Loaded, menus: Sequence[GossipMenuNode]) -> list[Related]:
    found = []
    if creature is not None:
        found.append(Related("creature_get", {"id": creature}, "who says it"))
        if loaded.scripts:
            found.append(Related("smart_script", {"id": creature}, "what its script does on a choice"))
        kinds = {option.does.name for menu in menus for option in menu.options}
        if "Vendor" in kinds:
            found.append(Related("vendor_items", {"id": creature}, "what it sells"))
    if loaded.option_conditions and menus:
        arguments = {"source_type": "Gossip Menu Option", "group": menus[0].menu}
        found.append(Related("conditions_of", arguments, "the conditions of the options, row by row"))
    return found


TOOLS: tuple[Tool, ...] = (gossip_tree,)
