"""Loot that points nowhere, can't be right, or is never used."""

from __future__ import annotations

from trinitycore_mcp.checks.check import Check, Group, absent, fixed, nowhere

_KINDS = (
    *("creature", "disenchant", "fishing", "gameobject", "item", "mail", "milling", "pickpocketing", "prospecting"),
    *("reference", "skinning", "spell"),
)
_TABLES = tuple(f"{kind}_loot_template" for kind in _KINDS)
_ROW = "'{table}' AS loot_table, {{l.Entry}} AS loot_id, {{l.Item}} AS item, {{l.Reference}} AS reference"
_KEY = ("loot_id", "item", "reference")


def _rows(kind: str, meaning: str, table: str, where: str) -> Check:
    """Return a check of the rows of one loot table, which has the alias l."""
    return Check(kind, meaning, f"SELECT {_ROW.format(table=table)} FROM {{{table} l}} WHERE {where}", _KEY)


def _of(table: str) -> list[Check]:
    return [
        Check(
            "item_missing",
            "loot holds an item that does not exist",
            # Where rows say what they are, not all are items or references.
            tuple(
                f"SELECT {_ROW.format(table=table)} FROM {{{table} l}} WHERE {an_item} AND "
                + absent("item_template t", "{t.entry} = {l.Item}")
                for an_item in ("{l.ItemType} = 0", "{l.Reference} = 0")
            ),
            _KEY,
        ),
        _rows(
            "reference_missing",
            "loot refers to a loot reference that does not exist",
            table,
            "{l.Reference} <> 0 AND " + absent("reference_loot_template r", "{r.Entry} = ABS({l.Reference})"),
        ),
        Check(
            "group_over_100",
            "the chances of a loot group's items add up to more than 100 %: the last ones never drop",
            f"SELECT '{table}' AS loot_table, {{l.Entry}} AS loot_id, {{l.GroupId}} AS loot_group, "
            "{l.LootMode} AS loot_mode, ROUND(SUM({l.Chance}), 3) AS chance "
            f"FROM {{{table} l}} WHERE {{l.GroupId}} > 0 GROUP BY {{l.Entry}}, {{l.GroupId}}, {{l.LootMode}} "
            # Hundreds of FLOAT chances don't add up exactly.
            "HAVING SUM({l.Chance}) > 100.01",
            ("loot_id", "loot_group", "loot_mode"),
        ),
        _rows(
            "chance_impossible",
            "a chance is below 0 or above 100 %, or 0 outside a group: it never drops",
            table,
            "{l.Chance} > 100 OR {l.Chance} < 0 OR ({l.Chance} = 0 AND {l.GroupId} = 0)",
        ),
        _rows(
            "count_impossible",
            "a row gives none, or at most fewer than at least",
            table,
            "{l.Reference} = 0 AND ({l.MinCount} = 0 OR {l.MaxCount} < {l.MinCount})",
        ),
    ]


def _without(owner: str, column: str, table: str, extra: str = "") -> Check:
    """Return the check that the loot a template names is there."""
    return Check(
        "loot_missing",
        "a template has a loot id, but its loot table has no such loot",
        f"SELECT '{table}' AS loot_table, {{t.entry}} AS {owner}, {{t.{column}}} AS loot_id "
        f"FROM {{{owner}_template t}} WHERE {{t.{column}}} > 0{extra} AND "
        + absent(f"{table} l", f"{{l.Entry}} = {{t.{column}}}"),
        (owner, "loot_id"),
    )


def _unused(table: str, *users: str) -> Check:
    """Return the check that a loot table's loot belongs to a template.

    :param users: SELECTs of the loot that templates use.
    """
    return Check(
        "loot_unused",
        "loot that no template uses",
        f"SELECT DISTINCT '{table}' AS loot_table, {{l.Entry}} AS loot_id FROM {{{table} l}}"
        + nowhere("{l.Entry}", *users),
        ("loot_id",),
    )


def _used(owner: str, column: str, where: str = "") -> str:
    return f"SELECT {{t.{column}}} AS id FROM {{{owner}_template t}}{where}"


GROUP = Group(
    "check_loot",
    "Check loot",
    "loot that names items or references that do not exist, groups whose chances exceed 100 %, chances and counts that "
    "can't be, loot ids without loot, and loot or references that nothing uses",
    fixed(
        *(check for table in _TABLES for check in _of(table)),
        _without("creature", "lootid", "creature_loot_template"),
        _without("creature", "pickpocketloot", "pickpocketing_loot_template"),
        _without("creature", "skinloot", "skinning_loot_template"),
        _without("gameobject", "Data1", "gameobject_loot_template", " AND {t.type} IN (3, 25)"),
        _without("item", "DisenchantID", "disenchant_loot_template"),
        _unused("creature_loot_template", _used("creature", "lootid")),
        _unused("pickpocketing_loot_template", _used("creature", "pickpocketloot")),
        _unused("skinning_loot_template", _used("creature", "skinloot")),
        # The loot of a chest (3) and of a fishing hole (25) is their second datum.
        _unused("gameobject_loot_template", _used("gameobject", "Data1", " WHERE {t.type} IN (3, 25)")),
        _unused("disenchant_loot_template", _used("item", "DisenchantID")),
        _unused("item_loot_template", _used("item", "entry")),
        Check(
            "reference_unused",
            "a loot reference that no loot refers to",
            "SELECT DISTINCT {l.Entry} AS loot_id FROM {reference_loot_template l}"
            + nowhere(
                "{l.Entry}",
                *(
                    f"SELECT ABS({{u{n}.Reference}}) AS id FROM {{{table} u{n}}} WHERE {{u{n}.Reference}} <> 0"
                    for n, table in enumerate(_TABLES)
                ),
            ),
            ("loot_id",),
        ),
    ),
)
