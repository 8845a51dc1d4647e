"""Creatures: creature_get, creature_search."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from trinitycore_mcp.database.schema import WorldSchema
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.tools.names import Flags, Named, OneOf, flags, named
from trinitycore_mcp.tools.results import (
    READ_ONLY,
    Cursor,
    Id,
    Limit,
    NextCursor,
    Range,
    Reference,
    Related,
    Text,
    present,
    real,
    text_or_none,
)
from trinitycore_mcp.tools.search import Search
from trinitycore_mcp.tools.world import World

Level = Annotated[int | None, Field(ge=0, le=255)]


class Model(BaseModel):
    """One look of a creature."""

    display_id: int
    scale: float | None = Field(description="null: the family keeps one scale for all models")
    probability: float | None = Field(description="weight among the models; null: equal")


class Creature(BaseModel):
    """A creature template: what every spawn of it is like."""

    id: int
    name: str
    subname: str | None = Field(description="the title under the name")
    level: Range
    rank: Named
    type: Named
    family: Named
    unit_class: Named
    expansion: Named = Field(description="whose base statistics apply")
    faction: int = Field(description="faction template id")
    npc_flags: Flags = Field(description="roles: vendor, trainer, ...")
    unit_flags: Flags
    type_flags: Flags
    flags_extra: Flags
    models: list[Model]
    scale: float | None
    speed_walk: float
    speed_run: float
    health_modifier: float
    mana_modifier: float
    armor_modifier: float
    damage_modifier: float
    damage_school: Named
    attack_time_ms: int
    loot_money: Range = Field(description="in copper")
    loot_id: int | None
    pickpocket_loot_id: int | None
    skin_loot_id: int | None
    gossip_menu_id: int | None
    movement_type: Named
    ai_name: str | None
    script_name: str | None
    spells: list[int] = Field(description="spell ids it knows")
    difficulty_creature_ids: list[int] = Field(description="its templates in other difficulties")
    spawn_count: int | None = Field(description="how many are placed in the world; null: not in this database")
    quests_started: list[Reference]
    quests_ended: list[Reference]
    missing_tables: list[str] = Field(description="tables this database lacks, so what they hold is not shown")
    related: list[Related]


class CreatureSummary(BaseModel):
    """A creature in a list."""

    id: int
    name: str
    subname: str | None
    level: Range
    rank: Named
    type: Named
    npc_flags: Flags
    faction: int


class CreaturePage(BaseModel):
    """One page of a search."""

    creatures: list[CreatureSummary]
    next_cursor: NextCursor


def register(server: MCPServer[Any], world: World) -> None:
    """Add the tools."""

    @server.tool(title="Get a creature", annotations=READ_ONLY)
    async def creature_get(
        id: Annotated[Id, Field(description="creature template id (entry)")],
    ) -> Creature:
        """Everything about one creature (NPC or monster) by its id: level, rank, type, faction, roles, models,
        modifiers, loot ids, script, spells, the quests it starts and ends, and how many are placed in the world.
        Use creature_search when you know a name only."""
        row = await world.row("creature_get", "creature_template", "entry", id)
        if row is None:
            raise ToolError(f"there is no creature with id {id}; creature_search finds ids by name")
        return await _creature(world, row)

    @server.tool(title="Search creatures", annotations=READ_ONLY)
    async def creature_search(
        text: Text = None,
        min_level: Annotated[Level, Field(description="its highest level is at least this")] = None,
        max_level: Annotated[Level, Field(description="its lowest level is at most this")] = None,
        type: Annotated[int | None, OneOf("creature_type"), Field(description="only this type")] = None,
        rank: Annotated[int | None, OneOf("creature_rank"), Field(description="only this rank")] = None,
        npc_flag: Annotated[int | None, OneOf("npc_flags"), Field(description="only those with this role")] = None,
        faction: Annotated[int | None, Field(ge=0, description="only this faction template id")] = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> CreaturePage:
        """Find creatures (NPCs and monsters) by name or title and by level, type, rank, role or faction. Give text
        or at least one filter. Then creature_get shows one whole."""
        search = Search(
            world, "creature_search", "creature_template", "entry", ("name", "subname"),
            ("entry", "name", "subname", "minlevel", "maxlevel", "rank", "type", "npcflag", "faction"),
        )  # fmt: skip
        search.where("`maxlevel` >= %s", min_level)
        search.where("`minlevel` <= %s", max_level)
        search.where("`type` = %s", type)
        search.where("`rank` = %s", rank)
        search.where("`npcflag` & %s <> 0", npc_flag)
        search.where("`faction` = %s", faction)
        rows, next_cursor = await search.page(text, limit, cursor)
        return CreaturePage(creatures=[_summary(row) for row in rows], next_cursor=next_cursor)


def _summary(row: Row) -> CreatureSummary:
    return CreatureSummary(
        id=row["entry"],
        name=row["name"],
        subname=text_or_none(row["subname"]),
        level=Range(min=row["minlevel"], max=row["maxlevel"]),
        rank=named("creature_rank", row["rank"]),
        type=named("creature_type", row["type"]),
        npc_flags=flags("npc_flags", row["npcflag"]),
        faction=row["faction"],
    )


async def _creature(world: World, row: Row) -> Creature:
    schema = await world.schema("creature_template")
    number: int = row["entry"]
    models, spells, spawns, started, ended = await asyncio.gather(
        _models(world, schema, row),
        _spells(world, schema, number),
        _spawn_count(world, schema, number),
        _quests(world, schema, "creature_queststarter", number),
        _quests(world, schema, "creature_questender", number),
    )
    quests = {quest.id: quest for quest in (*started, *ended)}
    return Creature(
        **_summary(row).model_dump(),
        family=named("creature_family", row["family"]),
        unit_class=named("unit_class", row["unit_class"]),
        expansion=named("expansion", row["exp"]),
        unit_flags=flags("unit_flags", row["unit_flags"]),
        type_flags=flags("creature_type_flags", row["type_flags"]),
        flags_extra=flags("creature_flags_extra", row["flags_extra"]),
        models=models,
        scale=real(row["scale"]) if "scale" in row else None,
        speed_walk=real(row["speed_walk"]),
        speed_run=real(row["speed_run"]),
        health_modifier=real(row["HealthModifier"]),
        mana_modifier=real(row["ManaModifier"]),
        armor_modifier=real(row["ArmorModifier"]),
        damage_modifier=real(row["DamageModifier"]),
        damage_school=named("damage_school", row["dmgschool"]),
        attack_time_ms=row["BaseAttackTime"],
        loot_money=Range(min=row["mingold"], max=row["maxgold"]),
        loot_id=row["lootid"] or None,
        pickpocket_loot_id=row["pickpocketloot"] or None,
        skin_loot_id=row["skinloot"] or None,
        gossip_menu_id=row["gossip_menu_id"] or None,
        movement_type=named("movement_type", row["MovementType"]),
        ai_name=text_or_none(row["AIName"]),
        script_name=text_or_none(row["ScriptName"]),
        spells=spells,
        difficulty_creature_ids=present(row[f"difficulty_entry_{n}"] for n in (1, 2, 3)),
        spawn_count=spawns,
        quests_started=started,
        quests_ended=ended,
        missing_tables=[
            table
            for table in (
                "creature",
                "creature_queststarter",
                "creature_questender",
                "creature_template_spell",
            )
            if not schema.has(table)
        ],
        related=[
            Related(tool="quest_get", arguments={"id": quest.id}, why=f"the quest {quest.name or quest.id}")
            for quest in quests.values()
        ],
    )


async def _models(world: World, schema: WorldSchema, row: Row) -> list[Model]:
    """Return the models: columns of the template in TrinityCore 3.3.5, a table of their own in AzerothCore."""
    if "modelid1" in row:
        numbers = present(row[f"modelid{n}"] for n in (1, 2, 3, 4))
        return [Model(display_id=number, scale=None, probability=None) for number in numbers]
    if not schema.has("creature_template_model"):
        return []
    rows = await world.fetch(
        "creature_get",
        "SELECT `CreatureDisplayID` AS id, `DisplayScale` AS scale, `Probability` AS probability "
        f"FROM {world.table('creature_template_model')} WHERE `CreatureID` = %s ORDER BY `Idx`",
        (row["entry"],),
    )
    return [Model(display_id=r["id"], scale=real(r["scale"]), probability=real(r["probability"])) for r in rows]


async def _spells(world: World, schema: WorldSchema, number: int) -> list[int]:
    if not schema.has("creature_template_spell"):
        return []
    rows = await world.fetch(
        "creature_get",
        f"SELECT `Spell` AS spell FROM {world.table('creature_template_spell')} "
        "WHERE `CreatureID` = %s ORDER BY `Index`",
        (number,),
    )
    return present(row["spell"] for row in rows)


async def _spawn_count(world: World, schema: WorldSchema, number: int) -> int | None:
    """Count the spawns: TrinityCore calls a spawn's template `id`, AzerothCore `id1` (and lets it vary)."""
    if not schema.has("creature"):
        return None
    column = "id1" if schema.has("creature", "id1") else "id"
    rows = await world.fetch(
        "creature_get",
        f"SELECT COUNT(*) AS n FROM {world.table('creature')} WHERE `{column}` = %s",
        (number,),
    )
    return int(rows[0]["n"])


async def _quests(world: World, schema: WorldSchema, table: str, number: int) -> list[Reference]:
    if not schema.has(table):
        return []
    rows = await world.fetch(
        "creature_get",
        f"SELECT `quest` FROM {world.table(table)} WHERE `id` = %s ORDER BY `quest` LIMIT 100",
        (number,),
    )
    ids: list[int] = [row["quest"] for row in rows]
    titles = await world.names_of("creature_get", "quest_template", "ID", "LogTitle", ids)
    return [Reference(id=quest, name=titles.get(quest)) for quest in ids]
