"""What is said and written: gossip menus, NPC texts, pages."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities.entity import KEY, Entity, Link, Part
from trinitycore_mcp.entities.fields import key, number_or_none, text
from trinitycore_mcp.entities.parts import listed
from trinitycore_mcp.entities.per_schema import once
from trinitycore_mcp.entities.translations import Translations, language_column, translation
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, Money, Named, doc, money, named, real

_VARIANTS = range(8)


class NpcTextVariant(Struct, frozen=True):
    """One of the up to eight things an NPC may say; which one is drawn by lot."""

    male: Annotated[str | None, doc("said by males; null: as for females")]
    female: Annotated[str | None, doc("said by females; null: as for males")]
    probability: Annotated[float, doc("weight among the variants")]
    broadcast_text_id: Annotated[int | None, doc("where the words are from, when they are a broadcast text's")]
    language: Named
    emotes: Annotated[list[int], doc("played meanwhile (Emotes.dbc)")]


def variant_columns() -> tuple[str, ...]:
    """Return the columns of npc_text that hold its variants."""
    return tuple(
        column
        for n in _VARIANTS
        for column in (
            *(f"text{n}_0", f"text{n}_1", f"BroadcastTextID{n}", f"lang{n}", f"Probability{n}"),
            *(f"em{n}_{emote}" for emote in (1, 3, 5)),
        )
    )


async def _variants(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    """Return the variants; as in the game, the words of a broadcast text take the place of the row's own and of their
    translation."""
    broadcast = await _broadcast(call, schema, [row.get(f"BroadcastTextID{n}") for n in _VARIANTS], locale)
    local = await _local(call, schema, row[KEY], locale)
    found = []
    for n in _VARIANTS:
        number = row.get(f"BroadcastTextID{n}") or 0
        male, female = broadcast.get(number, (None, None))
        if not (male or female):
            male, female = (local.get(f"Text{n}_{sex}") or row.get(f"text{n}_{sex}") or None for sex in (0, 1))
        if male or female or number:
            emotes = [emote for place in (1, 3, 5) if (emote := row.get(f"em{n}_{place}"))]
            language = named("language", row.get(f"lang{n}"))
            weight = real(row.get(f"Probability{n}"))
            found.append(NpcTextVariant(male, female, weight, number or None, language, emotes))
    return (found,)


async def _broadcast(
    call: Call, schema: Schema, ids: list[int | None], locale: str | None
) -> dict[int, tuple[str | None, str | None]]:
    """Return the words of broadcast texts, for males and females."""
    wanted = [number for number in ids if number]
    if not wanted or not schema.has("broadcast_text"):
        return {}
    key = schema.column("broadcast_text", "ID", "t") or ""
    where = Translations(table="broadcast_text_locale", texts={"Text": "Text", "Text1": "Text1"})
    texts = translation(schema, "broadcast_text", key, (where,), locale)
    columns = ", ".join(
        f"COALESCE(NULLIF({texts.columns.get(name, 'NULL')}, ''), {schema.column('broadcast_text', name, 't')}) "
        f"AS `{name}`"
        for name in ("Text", "Text1")
    )
    marks = ", ".join(["%s"] * len(_VARIANTS))
    rows = await call.rows(
        f"SELECT {key} AS id, {columns} FROM {schema.table('broadcast_text')} t{texts.joins.get('Text', '')} "
        f"WHERE {key} IN ({marks})",
        (*wanted, *([wanted[0]] * (len(_VARIANTS) - len(wanted)))),
    )
    return {row["id"]: (row["Text"] or None, row["Text1"] or None) for row in rows}


async def _local(call: Call, schema: Schema, number: int, locale: str | None) -> Row:
    """Return the row of the texts in another language, or an empty one."""
    if locale in (None, "enUS") or not schema.has("npc_text_locale"):
        return {}
    columns = schema.columns("npc_text_locale", *(f"Text{n}_{sex}" for n in _VARIANTS for sex in (0, 1)))
    return (
        await call.row(
            f"SELECT {columns} FROM {schema.table('npc_text_locale')} "
            f"WHERE {schema.column('npc_text_locale', 'ID')} = %s "
            f"AND {language_column(schema, 'npc_text_locale')} = %s",
            (number, locale),
        )
        or {}
    )


NPC_TEXT = Entity(
    name="npc_text",
    plural="npc_texts",
    title="an NPC text",
    about=(
        "One NPC text by its id: the up to eight variants that an NPC says when its gossip window opens, with their "
        "probabilities. gossip_menu_get names the texts of a menu; text_search finds a phrase."
    ),
    table="npc_text",
    key="ID",
    fields=(key(),),
    parts=(Part((("variants", list[NpcTextVariant]),), _variants, columns=variant_columns()),),
    tables=("broadcast_text",),
)


class PageFollowing(Struct, frozen=True):
    """A page that follows."""

    id: int
    text: str | None


# Books that turn back to an earlier page exist; nobody reads longer ones.
_MOST_PAGES = 100


def _following_sql(schema: Schema, locale: str | None) -> str:
    table = schema.table("page_text")
    number, following = schema.column("page_text", "ID", "t"), schema.column("page_text", "NextPageID", "t")
    words = schema.column("page_text", "Text", "t")
    texts = translation(schema, "page_text", str(number), PAGE_TEXT.translations, locale)
    local = texts.columns.get("Text", "NULL")
    return (
        "WITH RECURSIVE book (id, next, place) AS ("
        f"SELECT {number}, {following}, 1 FROM {table} t WHERE {number} = %s "
        f"UNION ALL SELECT {number}, {following}, place + 1 FROM {table} t JOIN book ON {number} = book.next "
        f"WHERE book.place < {_MOST_PAGES}) "
        f"SELECT book.id AS id, {words} AS text, {local} AS local FROM book "
        f"JOIN {table} t ON {number} = book.id{texts.joins.get('Text', '')} ORDER BY book.place"
    )


async def _following(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    """Return the pages that follow, up to one that came already."""
    if not row["NextPageID"]:
        return ([],)
    sql = once(schema, ("following", locale), _following_sql, schema, locale)
    pages: dict[int, PageFollowing] = {}
    for each in await call.rows(sql, (row["NextPageID"],)):
        if each["id"] == row[KEY] or each["id"] in pages:
            break
        pages[each["id"]] = PageFollowing(each["id"], each["local"] or each["text"] or None)
    return (list(pages.values()),)


PAGE_TEXT = Entity(
    name="page_text",
    plural="page_texts",
    title="a page text",
    about=(
        "One page of a book, letter or sign by its id, and all pages that follow it. item_get and gameobject_get tell "
        "the first page's id; text_search finds a phrase."
    ),
    table="page_text",
    key="ID",
    translations=(Translations(table="page_text_locale", texts={"Text": "Text"}),),
    fields=(key(), text("text", "Text"), number_or_none("next_page_id", "NextPageID")),
    parts=(
        Part((("following", Annotated[list[PageFollowing], doc("the pages after it, in order")]),), _following,
             columns=("NextPageID",)),
    ),
)  # fmt: skip


class GossipMenuOption(Struct, frozen=True):
    """Something a character can choose in the menu."""

    id: int
    text: str | None
    icon: Named
    type: Annotated[Named | None, doc("what choosing it does; null: this family tells it by the icon")]
    opens_menu_id: int | None
    poi_id: Annotated[int | None, doc("point shown on the map")]
    cost: Annotated[Money, doc("asked for when it is chosen")]
    confirmation: Annotated[str | None, doc("text of the box that asks again")]
    broadcast_text_id: int | None


class GossipMenuText(Struct, frozen=True):
    """A text that the menu may show; conditions decide which."""

    text_id: Annotated[int, doc("npc_text_get shows it whole")]
    begins: Annotated[str | None, doc("its first variant, up to 200 characters; null: a broadcast text's words")]


async def _menu_texts(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    first = "NULL"
    join = ""
    if schema.has("npc_text", "text0_0"):
        male, female = schema.column("npc_text", "text0_0", "n"), schema.column("npc_text", "text0_1", "n")
        first = f"LEFT(COALESCE(NULLIF({male}, ''), {female}), 200)"
        join = f" LEFT JOIN {schema.table('npc_text')} n ON n.`ID` = m.`TextID`"
    rows = await call.rows(
        f"SELECT m.`TextID` AS id, {first} AS text FROM {schema.table('gossip_menu')} m{join} "
        "WHERE m.`MenuID` = %s ORDER BY 1",
        (row[KEY],),
    )
    return ([GossipMenuText(each["id"], each["text"] or None) for each in rows],)


async def _menu_options(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    table = "gossip_menu_option"
    if not schema.has(table):
        return ([],)
    columns = schema.columns(
        table, "OptionID", "OptionIcon", "OptionText", "OptionType", "OptionBroadcastTextID", "ActionMenuID",
        "ActionPoiID", "BoxMoney", "BoxText", alias="o",
    )  # fmt: skip
    local, join = "NULL AS text, NULL AS box", ""
    if locale not in (None, "enUS") and schema.has("gossip_menu_option_locale"):
        local = "l.`OptionText` AS text, l.`BoxText` AS box"
        join = (
            f" LEFT JOIN {schema.table('gossip_menu_option_locale')} l ON l.`MenuID` = o.`MenuID` "
            f"AND l.`OptionID` = o.`OptionID` AND l.`Locale` = '{locale}'"
        )
    rows = await call.rows(
        f"SELECT {columns}, {local} FROM {schema.table(table)} o{join} WHERE o.`MenuID` = %s ORDER BY o.`OptionID`",
        (row[KEY],),
    )
    return (
        [
            GossipMenuOption(
                id=each["OptionID"],
                text=each["text"] or each["OptionText"] or None,
                icon=named("gossip_icon", each["OptionIcon"]),
                type=named("gossip_option_type", each["OptionType"]) if each["OptionType"] is not None else None,
                opens_menu_id=each["ActionMenuID"] or None,
                poi_id=each["ActionPoiID"] or None,
                cost=money(each["BoxMoney"]),
                confirmation=each["box"] or each["BoxText"] or None,
                broadcast_text_id=each["OptionBroadcastTextID"] or None,
            )
            for each in rows
        ],
    )


GOSSIP_MENU = Entity(
    name="gossip_menu",
    plural="gossip_menus",
    title="a gossip menu",
    about=(
        "The rows of one gossip menu by its id: the texts it may show, the options in it and where each leads, and the "
        "creatures that open with it. creature_get tells the menu of a creature."
    ),
    table="gossip_menu",
    key="MenuID",
    fields=(key(),),
    parts=(
        Part((("texts", list[GossipMenuText]),), _menu_texts, tables=("npc_text",)),
        Part((("options", list[GossipMenuOption]),), _menu_options, tables=("gossip_menu_option",)),
        listed("creatures", "creature", "creature_template", "gossip_menu_id", "entry", "who opens with it"),
    ),
    links=(
        Link("gossip_tree", "id", "the menu with all menus below, and the conditions", argument="menu"),
        Link("npc_text_get", "texts.text_id", "what is said"),
        Link("gossip_menu_get", "options.opens_menu_id", "a menu that an option opens"),
        Link("creature_get", "creatures", "{name}, who opens with it"),
    ),
)

ENTITIES = (GOSSIP_MENU, NPC_TEXT, PAGE_TEXT)
