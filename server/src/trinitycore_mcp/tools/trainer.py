"""Trainers: trainer_spells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import names_of
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import (
    Call,
    Cursor,
    Id,
    Limit,
    Locale,
    Money,
    Named,
    NextCursor,
    Notice,
    Reference,
    Related,
    Tool,
    ToolError,
    doc,
    money,
    named,
    text_or_none,
    tool,
)

_MAX_DEPTH = 8
_MAX_ROWS = 5_000
_ABILITIES = ("ReqAbility1", "ReqAbility2", "ReqAbility3")


class TrainerSpell(Struct, frozen=True):
    """A spell that a trainer teaches."""

    spell: Reference
    cost: Money
    required_level: Annotated[int | None, doc("null: none beyond the spell's own")]
    required_skill_id: int | None
    required_skill_rank: int | None
    required_spells: Annotated[list[Reference], doc("that must be known before")]
    list_id: Annotated[int, doc("the trainer id (TrinityCore) or the list in npc_trainer that it comes from")]


class TrainerSpells(Struct, frozen=True):
    """What a trainer teaches."""

    trainer: Annotated[Reference, doc("the creature")]
    type: Annotated[Named | None, doc("null: not told by this database")]
    requirement: Annotated[int | None, doc("class, race, skill or spell id, by the type, that pupils need; null: none")]
    greeting: str | None
    spells: list[TrainerSpell]
    spell_count: int
    missing_lists: Annotated[list[int], doc("lists that are referred to and have no spells")]
    next_cursor: NextCursor
    notice: Notice
    related: list[Related]


@dataclass
class _Lessons:
    rows: list[Row]
    missing: list[int]
    type: int | None = None
    requirement: int | None = None
    greeting: str | None = None


@tool(title="What a trainer teaches")
async def trainer_spells(
    call: Call,
    id: Annotated[Id, doc("creature template id (entry) of the trainer")],
    locale: Locale = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> TrainerSpells:
    """Every spell that a trainer teaches, lists it refers to included, with its cost and the level, skill and spells
    that it asks for, and whom the trainer takes as pupils at all."""
    after = call.place(cursor, 2)
    schema = await call.schema()
    names = await names_of(call, "creature", [id], locale)
    lessons = await (
        _trainer(call, schema, id, locale) if schema.has("trainer_spell") else _npc_trainer(call, schema, id)
    )
    if lessons is None:
        if id not in names and schema.has("creature_template"):
            raise ToolError(f"there is no creature with id {id}; creature_search finds ids by name")
        raise ToolError(f"creature {id} teaches nothing: no table of trainers mentions it")
    shown = [row for row in lessons.rows if after is None or _place(row) > after][: limit + 1]
    required = [row[column] for row in shown for column in _ABILITIES]
    spells = await names_of(call, "spell", [*(row["SpellId"] for row in shown), *required], locale)
    found = [
        TrainerSpell(
            spell=Reference(row["SpellId"], spells.get(row["SpellId"])),
            cost=money(row["MoneyCost"]),
            required_level=row["ReqLevel"] or None,
            required_skill_id=row["ReqSkillLine"] or None,
            required_skill_rank=row["ReqSkillRank"] or None,
            required_spells=[Reference(row[each], spells.get(row[each])) for each in _ABILITIES if row[each]],
            list_id=row["TrainerId"],
        )
        for row in shown
    ]
    page = call.page(zip(found, map(_place, shown), strict=True), limit, itemgetter(1))
    return TrainerSpells(
        trainer=Reference(id, names.get(id)),
        type=None if lessons.type is None else named("trainer_type", lessons.type),
        requirement=lessons.requirement or None,
        greeting=text_or_none(lessons.greeting),
        spells=[each for each, _ in page.items],
        spell_count=len(lessons.rows),
        missing_lists=lessons.missing,
        next_cursor=page.next_cursor,
        notice=page.notice,
        related=[Related("creature_get", {"id": id}, "the trainer")],
    )


def _place(row: Row) -> list[int]:
    return [row["TrainerId"], row["SpellId"]]


async def _trainer(call: Call, schema: Schema, creature: int, locale: str | None) -> _Lessons | None:
    """Read TrinityCore's tables: a creature has a trainer (or several in master), a trainer has spells."""
    by_creature, default = schema.column("creature_default_trainer", "CreatureId", "d"), "creature_default_trainer"
    heads = await call.rows(
        f"SELECT {schema.columns('trainer', 'Id', 'Type', 'Requirement', 'Greeting', alias='t')} "
        f"FROM {schema.table(default)} d JOIN {schema.table('trainer')} t "
        f"ON {schema.column('trainer', 'Id', 't')} = {schema.column(default, 'TrainerId', 'd')} "
        f"WHERE {by_creature} = %s ORDER BY 1 LIMIT 20",
        (creature,),
    )
    if not heads:
        return None
    columns = ("TrainerId", "SpellId", "MoneyCost", "ReqSkillLine", "ReqSkillRank", *_ABILITIES, "ReqLevel")
    ids = [row["Id"] for row in heads]
    rows, greetings = await asyncio.gather(
        call.rows(
            f"SELECT {schema.columns('trainer_spell', *columns, alias='t')} FROM {schema.table('trainer_spell')} t "
            f"WHERE {schema.column('trainer_spell', 'TrainerId', 't')} IN ({_marks(ids)}) LIMIT {_MAX_ROWS}",
            ids,
        ),
        _greetings(call, schema, ids, locale),
    )
    rows.sort(key=_place)
    head = heads[0]
    missing = sorted(set(ids) - {row["TrainerId"] for row in rows})
    greeting = greetings.get(head["Id"]) or head["Greeting"]
    return _Lessons(rows, missing, head["Type"], head["Requirement"], greeting)


async def _greetings(call: Call, schema: Schema, ids: list[int], locale: str | None) -> dict[int, str]:
    if locale in (None, "enUS") or not schema.has("trainer_locale", "Greeting_lang"):
        return {}
    rows = await call.rows(
        f"SELECT t.`Id` AS id, t.`Greeting_lang` AS greeting FROM {schema.table('trainer_locale')} t "
        f"WHERE t.`Id` IN ({_marks(ids)}) AND t.`locale` = %s",
        (*ids, locale),
    )
    return {row["id"]: row["greeting"] for row in rows}


async def _npc_trainer(call: Call, schema: Schema, creature: int) -> _Lessons | None:
    """Read npc_trainer, where a negative spell stands for all spells of the list of that number."""
    table = schema.table("npc_trainer")
    columns = ("ID", "SpellID", "MoneyCost", "ReqSkillLine", "ReqSkillRank", "ReqLevel", "ReqSpell")
    found: dict[int, Row] = {}
    passed: set[int] = set()
    filled: set[int] = set()
    waiting = [creature]
    for _ in range(_MAX_DEPTH):
        rows = await call.rows(
            f"SELECT {schema.columns('npc_trainer', *columns, alias='t')} FROM {table} t "
            f"WHERE t.`ID` IN ({_marks(waiting)}) ORDER BY t.`ID`, t.`SpellID` LIMIT {_MAX_ROWS}",
            waiting,
        )
        passed.update(waiting)
        filled.update(row["ID"] for row in rows)
        for row in rows:
            if row["SpellID"] > 0:
                row |= {"TrainerId": row["ID"], "SpellId": row["SpellID"], "ReqAbility1": row["ReqSpell"]}
                found.setdefault(row["SpellID"], row | dict.fromkeys(_ABILITIES[1:]))
        waiting = sorted({-row["SpellID"] for row in rows if row["SpellID"] < 0} - passed)
        if not waiting:
            break
    if creature not in filled:
        return None
    lessons = _Lessons(sorted(found.values(), key=_place), sorted(passed - filled))
    if schema.has("creature_template", "trainer_type"):
        head = await call.row(
            f"SELECT {schema.columns('creature_template', 'trainer_type', 'trainer_class', 'trainer_race', alias='t')} "
            f"FROM {schema.table('creature_template')} t WHERE {schema.column('creature_template', 'entry', 't')} = %s",
            (creature,),
        )
        if head is not None:
            lessons.type, lessons.requirement = head["trainer_type"], head["trainer_class"] or head["trainer_race"]
    return lessons


def _marks(values: Iterable[object]) -> str:
    return ", ".join("%s" for _ in values)


TOOLS: tuple[Tool, ...] = (trainer_spells,)
