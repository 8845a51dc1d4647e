"""Reads the tables of gossip menus."""

from __future__ import annotations

from collections.abc import Iterable

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.sentences import in_list
from trinitycore_mcp.toolkit import Call

_OPTION = (
    *("MenuID", "OptionID", "OptionIcon", "OptionType", "OptionNpc", "OptionNpcFlag", "ActionMenuID", "ActionPoiID"),
    *("BoxCoded", "BoxMoney", "SpellID"),
)
_MOST = 1000


async def texts_of(call: Call, menus: Iterable[int]) -> dict[int, list[int]]:
    """Return the texts of menus, by menu.

    :raises MissingTable: there is no gossip_menu.
    """
    schema = await call.schema()
    table = schema.table("gossip_menu")
    marks, parameters = in_list(menus)
    rows = await call.rows(
        f"SELECT {schema.columns('gossip_menu', 'MenuID', 'TextID', alias='m')} FROM {table} m "
        f"WHERE m.`MenuID` IN {marks} ORDER BY m.`MenuID`, m.`TextID` LIMIT {_MOST}",
        parameters,
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["MenuID"], []).append(row["TextID"])
    return found


async def options_of(call: Call, menus: Iterable[int], locale: str | None = None) -> dict[int, list[Row]]:
    """Return the options of menus, by menu, with ``text`` and ``box`` in the language asked for.

    As in the game: a broadcast text that is there stands for the row's own words and their translation, also where it
    is not translated itself.
    """
    schema = await call.schema()
    if not schema.has("gossip_menu_option"):
        return {}
    translated = locale not in (None, "enUS")
    joins, texts, boxes, locales = "", list[str | None](), list[str | None](), list[object]()
    if schema.has("broadcast_text", "Text"):
        for alias, column, into in (("b", "OptionBroadcastTextID", texts), ("c", "BoxBroadcastTextID", boxes)):
            sources = [("broadcast_text", alias)]
            joins += f" LEFT JOIN {schema.table('broadcast_text')} {alias} ON {alias}.`ID` = o.`{column}`"
            if translated and schema.has("broadcast_text_locale", "Text"):
                local = f"{alias}l"
                joins += (
                    f" LEFT JOIN {schema.table('broadcast_text_locale')} {local} "
                    f"ON {local}.`ID` = {alias}.`ID` AND {local}.`locale` = %s"
                )
                locales.append(locale)
                sources.insert(0, ("broadcast_text_locale", local))
            into += [schema.column(table, text, short) for text in ("Text", "Text1") for table, short in sources]
    if translated and schema.has("gossip_menu_option_locale"):
        joins += (
            f" LEFT JOIN {schema.table('gossip_menu_option_locale')} l ON l.`MenuID` = o.`MenuID` "
            "AND l.`OptionID` = o.`OptionID` AND l.`Locale` = %s"
        )
        locales.append(locale)
        texts.append("l.`OptionText`")
        boxes.append("l.`BoxText`")
    texts.append("o.`OptionText`")
    boxes.append("o.`BoxText`")
    marks, parameters = in_list(menus)
    rows = await call.rows(
        f"SELECT {schema.columns('gossip_menu_option', *_OPTION, alias='o')}, {_first(texts)} AS text, "
        f"{_first(boxes)} AS box FROM {schema.table('gossip_menu_option')} o{joins} "
        f"WHERE o.`MenuID` IN {marks} ORDER BY o.`MenuID`, o.`OptionID` LIMIT {_MOST}",
        (*locales, *parameters),
    )
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["MenuID"], []).append(row)
    return found


def _first(texts: Iterable[str | None]) -> str:
    """Return the SQL of the first of these that holds words."""
    words = ", ".join(f"NULLIF({text}, '')" for text in texts if text)
    return f"COALESCE({words})"
