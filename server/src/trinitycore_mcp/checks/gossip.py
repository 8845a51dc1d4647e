"""Gossip menus that lead nowhere."""

from __future__ import annotations

from trinitycore_mcp.checks.check import Check, Group, absent, fixed

_OPTION = "SELECT {o.MenuID} AS menu, {o.OptionID} AS option_id"
_OPTION_KEY = ("menu", "option_id")


def _gameobject(kind: int, datum: int) -> str:
    """Return the SELECT of gameobjects of a type whose gossip menu, one of their data, is missing."""
    return (
        f"SELECT {{t.entry}} AS gameobject, {{t.Data{datum}}} AS menu FROM {{gameobject_template t}} "
        f"WHERE {{t.type}} = {kind} AND {{t.Data{datum}}} > 0 AND "
        + absent("gossip_menu m", f"{{m.MenuID}} = {{t.Data{datum}}}")
    )


_MENU_MISSING = "a creature or gameobject has a gossip menu that does not exist"

GROUP = Group(
    "check_gossip",
    "Check gossip",
    "gossip menus whose text is missing, creatures, gameobjects and options that lead to menus or points of interest "
    "that do not exist, and options that are never shown because of the creature's flags",
    fixed(
        Check(
            "text_missing",
            "a menu has a text that npc_text does not have",
            "SELECT {m.MenuID} AS menu, {m.TextID} AS npc_text FROM {gossip_menu m} WHERE "
            + absent("npc_text t", "{t.ID} = {m.TextID}"),
            ("menu", "npc_text"),
        ),
        Check(
            "menu_missing",
            _MENU_MISSING,
            (
                "SELECT {g.CreatureID} AS creature, {g.MenuID} AS menu FROM {creature_template_gossip g} "
                "WHERE {g.MenuID} > 0 AND " + absent("gossip_menu m", "{m.MenuID} = {g.MenuID}"),
                "SELECT {t.entry} AS creature, {t.gossip_menu_id} AS menu FROM {creature_template t} "
                "WHERE {t.gossip_menu_id} > 0 AND " + absent("gossip_menu m", "{m.MenuID} = {t.gossip_menu_id}"),
            ),
            ("creature", "menu"),
        ),
        # Quest givers (2) and goobers (10) talk.
        Check("menu_missing", _MENU_MISSING, _gameobject(2, 3), ("gameobject",)),
        Check("menu_missing", _MENU_MISSING, _gameobject(10, 19), ("gameobject",)),
        Check(
            "option_menu_missing",
            "an option belongs to a menu that does not exist",
            # Menu 0 holds the options that roles bring along, whatever the menu.
            f"{_OPTION} FROM {{gossip_menu_option o}} WHERE {{o.MenuID}} <> 0 AND "
            + absent("gossip_menu m", "{m.MenuID} = {o.MenuID}"),
            _OPTION_KEY,
        ),
        Check(
            "action_menu_missing",
            "an option leads to a menu that does not exist",
            f"{_OPTION}, {{o.ActionMenuID}} AS action_menu FROM {{gossip_menu_option o}} "
            "WHERE {o.ActionMenuID} > 0 AND " + absent("gossip_menu m", "{m.MenuID} = {o.ActionMenuID}"),
            _OPTION_KEY,
        ),
        Check(
            "poi_missing",
            "an option shows a point of interest that does not exist",
            f"{_OPTION}, {{o.ActionPoiID}} AS point_of_interest FROM {{gossip_menu_option o}} "
            "WHERE {o.ActionPoiID} > 0 AND " + absent("points_of_interest p", "{p.ID} = {o.ActionPoiID}"),
            _OPTION_KEY,
        ),
        Check(
            "option_never_shown",
            "an option needs a role (npcflag) that a creature with this menu does not have",
            "SELECT {t.entry} AS creature, {o.MenuID} AS menu, {o.OptionID} AS option_id, "
            "{o.OptionNpcFlag} AS needs_npcflag, {t.npcflag} AS npcflag FROM {creature_template t} "
            "JOIN {gossip_menu_option o} ON {o.MenuID} = {t.gossip_menu_id} "
            "WHERE {t.gossip_menu_id} > 0 AND {o.OptionNpcFlag} <> 0 AND ({t.npcflag} & {o.OptionNpcFlag}) = 0",
            ("creature", "menu", "option_id"),
        ),
        Check(
            "menu_without_flag",
            "a creature has a gossip menu but not the gossip flag: it is never opened by talking",
            "SELECT {t.entry} AS creature, {t.gossip_menu_id} AS menu FROM {creature_template t} "
            "WHERE {t.gossip_menu_id} > 0 AND ({t.npcflag} & 1) = 0",
            ("creature",),
        ),
    ),
)
