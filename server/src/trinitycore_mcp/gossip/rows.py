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
    """Return the options of menus, by menu, with ``text`` and ``box`` in the language asked for."""
    schema = await call.schema()
    if not schema.has("gossip_menu_option"):
        return {}
    joins, texts, boxes, locales = "", ["NULLIF(o.`OptionText`, '')"], ["NULLIF(o.`BoxText`, '')"], []
    if schema.has("broadcast_text", "Text"):
        for alias, column, into in (("b", "OptionBroadcastTextID", texts), ("c", "BoxBroadcastTextID", boxes)):
            joins += f" LEFT JOIN {schema.table('broadcast_text')} {alias} ON {alias}.`ID` = o.`{column}`"
            both = (schema.column("broadcast_text", text, alias) for text in ("Text", "Text1"))
            into += [f"NULLIF({text}, '')" for text in both if text]
    if locale not in (None, "enUS") and schema.has("gossip_menu_option_locale"):
        joins += (
            f" LEFT JOIN {schema.table('gossip_menu_option_locale')} l ON l.`MenuID` = o.`MenuID` "
            "AND l.`OptionID` = o.`OptionID` AND l.`Locale` = %s"
        )
        locales.append(locale)
        texts.insert(0, "NULLIF(l.`OptionText`, '')")
        boxes.insert(0, "NULLIF(l.`BoxText`, '')")
    marks, parameters = in_list(menus)
    rows = await call.rows(
        f"SELECT {schema.columns('gossip_menu_option', *_OPTION, alias='o')}, COALESCE({', '.join(texts)}) AS text, "
        f"COALESCE({', '.join(boxes)}) AS box FROM {schema.table('gossip_menu_option')} o{joins} "
        f"WHERE o.`MenuID` IN {marks} ORDER BY o.`MenuID`, o.`OptionID` LIMIT {_MOST}",
        (*locales, *parameters),
    )
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["MenuID"], []).append(row)
    return found
