"""Instances and the encounters in them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import KEY, Entity, Link, Part, named
from trinitycore_mcp.entities.fields import (
    computed,
    enum,
    key,
    label,
    number_or_none,
    refers,
    text,
    yes,
)
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, doc


class InstanceAccess(Struct, frozen=True):
    """What a group needs to enter in one difficulty."""

    difficulty: int
    min_level: int
    max_level: Annotated[int | None, doc("null: no limit")]
    min_item_level: int
    comment: str | None


async def _access(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    if not schema.has("access_requirement"):
        return ([],)
    columns = schema.columns("access_requirement", "difficulty", "level_min", "level_max", "item_level", "comment")
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('access_requirement')} "
        f"WHERE {schema.column('access_requirement', 'mapId')} = %s ORDER BY 1",
        (row[KEY],),
    )
    return (
        [
            InstanceAccess(
                r["difficulty"], r["level_min"] or 0, r["level_max"] or None, r["item_level"] or 0, r["comment"] or None
            )
            for r in rows
        ],
    )


INSTANCE_TEMPLATE = Entity(
    name="instance_template",
    plural="instance_templates",
    title="an instance template",
    about=(
        "The instance that belongs to a map, by the map's id: its script, the map it is entered from, whether one may "
        "ride in it, and what a group needs to enter."
    ),
    table="instance_template",
    key="map",
    fields=(
        key("the map's id"),
        refers("map", "map", "map", none=()),
        refers("parent_map", "parent", "map", "where it is entered from", none=()),
        text("script_name", "script"),
        yes("allows_mounts", "allowMount"),
    ),
    parts=(Part((("access", list[InstanceAccess]),), _access, tables=("access_requirement",)),),
    links=(Link("map_get", "map", "the map {name}", when=named("map")),),
)

ENCOUNTER = Entity(
    name="encounter",
    plural="encounters",
    title="an encounter",
    about=(
        "One dungeon or raid encounter by its id (of DungeonEncounter.dbc): what is credited as its end, the creature "
        "or the spell, and whether it ends the dungeon."
    ),
    table="instance_encounters",
    key="entry",
    label="comment",
    joins={"dungeonencounter_dbc": "ID"},
    fields=(
        key(),
        label("comment"),
        text("client_name", "dungeonencounter_dbc.Name_Lang_enUS"),
        refers("map", "dungeonencounter_dbc.MapID", "map", none=()),
        computed("difficulty", int | None, ("dungeonencounter_dbc.Difficulty",), lambda difficulty: difficulty),
        enum("credit_type", "creditType", "encounter_credit"),
        refers("credit_creature", "creditEntry", "creature", "its death ends the encounter", when=("creditType", 0)),
        refers("credit_spell", "creditEntry", "spell", "casting it ends the encounter", when=("creditType", 1)),
        number_or_none("last_of_dungeon", "lastEncounterDungeon", "LFGDungeons.dbc: the dungeon that it ends"),
    ),
    summary=("id", "name", "credit_type", "credit_creature", "last_of_dungeon"),
    searched="comment",
    filters=(by.equal("last_of_dungeon", "lastEncounterDungeon", "only what ends this dungeon (LFGDungeons.dbc)"),),
    links=(Link("creature_get", "credit_creature", "whose death ends it: {name}"),),
)

ENTITIES = (INSTANCE_TEMPLATE, ENCOUNTER)
