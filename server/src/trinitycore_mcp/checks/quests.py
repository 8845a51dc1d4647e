"""Quests that can't be taken, done or ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trinitycore_mcp.checks.check import Check, Group, absent, fixed, nowhere

# QUEST_FLAGS_AUTO_COMPLETE: ends by itself.
_AUTO_COMPLETE = 0x10000
_QUEST_GIVER = 2
# disables.sourceType of quests: what is disabled on purpose is no problem.
_ENABLED = absent("disables d", "{d.sourceType} = 1", "{d.entry} = {q.ID}")
_ADDON = "SELECT {a.ID} AS quest, {a.%s} AS other_quest FROM {quest_template_addon a} WHERE {a.%s} <> 0 AND "
_GIVERS = ("creature", "gameobject")
# More steps back than any chain has; a circle that does not lead back to where it was entered ends there.
_MOST_STEPS = 60


def _given(kind: str, meaning: str, *selects: str) -> Check:
    """Return the check that a quest is among those that are selected (as id)."""
    sql = "SELECT {q.ID} AS quest FROM {quest_template q}" + nowhere("{q.ID}", *selects) + " AND " + _ENABLED
    return Check(kind, meaning, sql, ("quest",))


def _link(kind: str, meaning: str, column: str) -> Check:
    """Return the check that the quest exists that a column of quest_template_addon names.

    PrevQuestID below 0: that quest must be in the log.
    """
    return Check(
        kind,
        meaning,
        _ADDON % (column, column) + absent("quest_template o", f"{{o.ID}} = ABS({{a.{column}}})"),
        ("quest",),
    )


def _relations() -> Iterable[Check]:
    for giver in _GIVERS:
        for role in ("starter", "ender"):
            table = f"{giver}_quest{role}"
            row = f"SELECT {{r.id}} AS {giver}, {{r.quest}} AS quest FROM {{{table} r}} WHERE "
            yield Check(
                "relation_to_missing_quest",
                "a creature or gameobject starts or ends a quest that does not exist",
                row + absent("quest_template q", "{q.ID} = {r.quest}"),
                (giver, "quest"),
            )
            yield Check(
                "relation_of_missing_giver",
                "a quest is started or ended by a creature or gameobject that does not exist",
                row + absent(f"{giver}_template t", "{t.entry} = {r.id}"),
                (giver, "quest"),
            )


# What a quest may ask for or give: the template's table and the type of an objective.
_TARGETS = {
    "item": ("item_template", "1"),
    "creature": ("creature_template", "0, 3"),
    "gameobject": ("gameobject_template", "2"),
}


def _slots(kind: str, meaning: str, target: str, columns: Sequence[str], sign: str = "") -> Check:
    """Return the check that what the columns of a quest name exists.

    :param sign: "-" for columns that hold it below 0 and something else above.
    """
    table, _ = _TARGETS[target]
    sql = " UNION ALL ".join(
        f"SELECT {{q.ID}} AS quest, '{column}' AS slot, {sign}{{q.{column}}} AS {target} "
        f"FROM {{quest_template q}} WHERE {sign}CAST({{q.{column}}} AS SIGNED) > 0 AND "
        + absent(f"{table} t", f"{{t.entry}} = {sign}{{q.{column}}}")
        for column in columns
    )
    return Check(kind, meaning, sql, ("quest", "slot"))


def _required(target: str, columns: Sequence[str], sign: str = "") -> Check:
    """Return the check that what a quest asks for exists: in columns, or in objectives that have a table."""
    table, types = _TARGETS[target]
    kind = f"required_{target}_missing"
    of_columns = _slots(kind, f"a quest asks for a {target} that does not exist", target, columns, sign)
    assert isinstance(of_columns.sql, str)
    of_objectives = (
        f"SELECT {{o.QuestID}} AS quest, {{o.ID}} AS slot, {{o.ObjectID}} AS {target} FROM {{quest_objectives o}} "
        f"WHERE {{o.Type}} IN ({types}) AND {{o.ObjectID}} > 0 AND " + absent(f"{table} t", "{t.entry} = {o.ObjectID}")
    )
    return Check(kind, of_columns.meaning, (of_columns.sql, of_objectives), of_columns.key)


_NPCS = [f"RequiredNpcOrGo{n}" for n in range(1, 5)]
_REWARDS = [*(f"RewardItem{n}" for n in range(1, 5)), *(f"RewardChoiceItemID{n}" for n in range(1, 7))]

GROUP = Group(
    "check_quests",
    "Check quests",
    "quests that nothing starts or ends, starters and enders that do not exist, chains with missing or circular "
    "previous quests, and requirements, rewards or levels that can't be",
    fixed(
        _given(
            "no_starter",
            "nothing starts a quest: no creature, gameobject, item or event",
            "SELECT {c.quest} AS id FROM {creature_queststarter c}",
            "SELECT {g.quest} AS id FROM {gameobject_queststarter g}",
            "SELECT {i.startquest} AS id FROM {item_template i} WHERE {i.startquest} > 0",
            "SELECT {e.quest} AS id FROM {game_event_creature_quest e}",
            "SELECT {f.quest} AS id FROM {game_event_gameobject_quest f}",
        ),
        _given(
            "no_ender",
            "nothing ends a quest: no creature or gameobject, and it does not end by itself",
            "SELECT {c.quest} AS id FROM {creature_questender c}",
            "SELECT {g.quest} AS id FROM {gameobject_questender g}",
            f"SELECT {{a.ID}} AS id FROM {{quest_template a}} WHERE ({{a.Flags}} & {_AUTO_COMPLETE}) <> 0",
        ),
        *_relations(),
        Check(
            "giver_without_flag",
            "a creature starts or ends quests but has not the quest giver flag: it offers none",
            " UNION ".join(
                f"SELECT {{t.entry}} AS creature FROM {{creature_quest{role} {alias}}} JOIN {{creature_template t}} "
                f"ON {{t.entry}} = {{{alias}.id}} WHERE ({{t.npcflag}} & {_QUEST_GIVER}) = 0"
                for role, alias in (("starter", "s"), ("ender", "e"))
            ),
            ("creature",),
        ),
        Check(
            "addon_without_quest",
            "quest_template_addon has a row for a quest that does not exist",
            "SELECT {a.ID} AS quest FROM {quest_template_addon a} WHERE "
            + absent("quest_template q", "{q.ID} = {a.ID}"),
            ("quest",),
        ),
        _link("previous_missing", "the quest that must be done before does not exist", "PrevQuestID"),
        _link("next_missing", "the next quest of the chain does not exist", "NextQuestID"),
        _link("breadcrumb_missing", "the quest that a breadcrumb leads to does not exist", "BreadcrumbForQuestId"),
        Check(
            "next_missing",
            "the next quest of the chain does not exist",
            "SELECT {q.ID} AS quest, {q.RewardNextQuest} AS other_quest FROM {quest_template q} "
            "WHERE {q.RewardNextQuest} <> 0 AND " + absent("quest_template o", "{o.ID} = {q.RewardNextQuest}"),
            ("quest",),
        ),
        Check(
            "circular_chain",
            "a quest is, over its previous quests, a condition of itself: it can never be taken",
            "WITH RECURSIVE walk (quest, place, steps) AS ("
            "SELECT {a.ID}, {a.PrevQuestID}, 1 FROM {quest_template_addon a} WHERE {a.PrevQuestID} > 0 UNION ALL "
            "SELECT walk.quest, {b.PrevQuestID}, walk.steps + 1 FROM walk JOIN {quest_template_addon b} "
            "ON {b.ID} = walk.place AND {b.PrevQuestID} > 0 "
            f"WHERE walk.place <> walk.quest AND walk.steps < {_MOST_STEPS}) "
            "SELECT DISTINCT quest, steps FROM walk WHERE place = quest",
            ("quest",),
        ),
        Check(
            "min_level_above_max",
            "the level from which a quest can be taken is above the one up to which it can",
            "SELECT {q.ID} AS quest, {q.MinLevel} AS min_level, {a.MaxLevel} AS max_level FROM {quest_template q} "
            "JOIN {quest_template_addon a} ON {a.ID} = {q.ID} WHERE {a.MaxLevel} > 0 AND {q.MinLevel} > {a.MaxLevel}",
            ("quest",),
        ),
        _required("item", [f"RequiredItemId{n}" for n in range(1, 7)]),
        _required("creature", _NPCS),
        _required("gameobject", _NPCS, "-"),
        _slots("reward_item_missing", "a quest gives an item that does not exist", "item", _REWARDS),
        _slots("start_item_missing", "a quest hands out an item that does not exist", "item", ["StartItem"]),
    ),
)
