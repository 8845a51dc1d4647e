"""What the client's own tables hold, where a database has a copy of them: factions, zones, maps."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import KEY, Entity, Link, Part, given
from trinitycore_mcp.entities.fields import (
    count,
    decimal,
    enum,
    key,
    label,
    number,
    number_or_none,
    numbers,
    refers,
    text,
    yes,
)
from trinitycore_mcp.entities.parts import listed
from trinitycore_mcp.entities.translations import Translations
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import Call, doc


def client_texts(table: str, *columns: str) -> Translations:
    """Return where a client table's texts are: a column for each language beside that of English, or a locale table.

    :param table: the locale table of newer schemas; it calls a text like the column, up to `_Lang`, and then `_lang`.
    :param columns: the English ones, e.g. Name_Lang_enUS.
    """
    return Translations(
        table=table,
        texts={column: column.replace("_Lang_enUS", "_lang") for column in columns},
        columns={column: column.replace("enUS", "{locale}") for column in columns},
    )


ABSENCE = "the database may hold only rows that differ from the client's files"

FACTION = Entity(
    name="faction",
    plural="factions",
    title="a faction",
    about=(
        "One faction by its id (of Faction.dbc): name, description, parent, reputation, and the faction templates that "
        "belong to it, which creatures are given. Quests reward reputation with factions."
    ),
    absence=ABSENCE,
    table="faction_dbc",
    key="ID",
    label="Name_Lang_enUS",
    translations=(client_texts("faction_locale", "Name_Lang_enUS", "Description_Lang_enUS"),),
    fields=(
        key(),
        label("Name_Lang_enUS"),
        text("description", "Description_Lang_enUS"),
        refers("parent", "ParentFactionID", "faction"),
        number_or_none("reputation_index", "ReputationIndex", "place in the reputation list", none=(-1,)),
        numbers(
            "base_reputation", *(f"ReputationBase_{n}" for n in range(1, 5)),
            about="what a character begins with, by race and class", distinct=False,
        ),
    ),
    parts=(
        listed("templates", "faction_template", "factiontemplate_dbc", "Faction", "ID", "faction templates of it"),
        listed("children", "faction", "faction_dbc", "ParentFactionID", "ID", "factions below it"),
    ),
    summary=("id", "name", "parent", "reputation_index"),
    filters=(by.equal("parent", "ParentFactionID", "only factions below this one", least=1),),
    links=(Link("faction_get", "parent", "the faction above it: {name}"),),
)  # fmt: skip

# Creatures and game objects have these; they borrow the names of their factions.
FACTION_TEMPLATE = Entity(
    name="faction_template",
    plural="faction_templates",
    title="a faction template",
    table="factiontemplate_dbc",
    key="ID",
    label="name",
)

ZONE = Entity(
    name="zone",
    plural="zones",
    title="a zone",
    about=(
        "One zone or area by its id (of AreaTable.dbc): name, map, the zone it lies in, the areas in it, its level, "
        "and how many quests are sorted under it."
    ),
    absence=ABSENCE,
    table="areatable_dbc",
    key="ID",
    label="AreaName_Lang_enUS",
    translations=(client_texts("area_table_locale", "AreaName_Lang_enUS"),),
    fields=(
        key(),
        label("AreaName_Lang_enUS"),
        refers("map", "ContinentID", "map", none=()),
        refers("parent", "ParentAreaID", "zone", "the zone that this area lies in"),
        number("level", "ExplorationLevel", "for the experience of finding it; 0: none", optional=True),
        number("flags", "Flags", "AreaTable.dbc"),
        count("quest_count", "quest_template", "QuestSortID", "quests sorted under it"),
    ),
    tables=("quest_template",),
    parts=(listed("areas", "zone", "areatable_dbc", "ParentAreaID", "ID", "areas in it"),),
    summary=("id", "name", "map", "parent", "level"),
    filters=(
        by.equal("map", "ContinentID", "only zones of this map"),
        by.equal("parent", "ParentAreaID", "only areas in this zone; 0: only zones that lie in none"),
    ),
    links=(
        Link("zone_get", "parent", "the zone it lies in: {name}"),
        Link("graveyards", "id", "where the dead of it wake", argument="zone"),
        Link("quest_search", "id", "its quests", argument="zone_id", when=given("quest_count")),
    ),
)  # fmt: skip


class MapDifficulty(Struct, frozen=True):
    """A difficulty that a map can be played in."""

    difficulty: Annotated[
        int, doc("dungeons: 0 normal, 1 heroic; raids: 0 and 1 for 10 and 25 players, 2 and 3 heroic")
    ]
    reset_s: Annotated[int, doc("time between resets; 0: none")]
    max_players: int


async def _difficulties(call: Call, schema: Schema, row: Row, locale: str | None) -> tuple[Any, ...]:
    if not schema.has("mapdifficulty_dbc"):
        return ([],)
    columns = schema.columns("mapdifficulty_dbc", "Difficulty", "RaidDuration", "MaxPlayers")
    rows = await call.rows(
        f"SELECT {columns} FROM {schema.table('mapdifficulty_dbc')} "
        f"WHERE {schema.column('mapdifficulty_dbc', 'MapID')} = %s ORDER BY 1",
        (row[KEY],),
    )
    return ([MapDifficulty(r["Difficulty"] or 0, r["RaidDuration"] or 0, r["MaxPlayers"] or 0) for r in rows],)


MAP = Entity(
    name="map",
    plural="maps",
    title="a map",
    about=(
        "One map (continent, dungeon, raid, battleground) by its id: name, kind, expansion, players, difficulties, the "
        "script of its instance and the zones on it."
    ),
    absence=ABSENCE,
    table="map_dbc",
    key="ID",
    label="MapName_Lang_enUS",
    starts_at_zero=True,
    joins={"instance_template": "map"},
    translations=(client_texts("map_locale", "MapName_Lang_enUS"),),
    fields=(
        key(),
        label("MapName_Lang_enUS"),
        text("directory", "Directory"),
        enum("kind", "InstanceType", "map_type"),
        enum("expansion", "ExpansionID", "expansion"),
        number_or_none("max_players", "MaxPlayers"),
        refers("corpse_map", "CorpseMapID", "map", "where the dead go to", none=(-1,)),
        decimal("corpse_x", "CorpseX"),
        decimal("corpse_y", "CorpseY"),
        text("instance_script", "instance_template.script"),
        yes("allows_mounts", "instance_template.allowMount", "in an instance of it"),
    ),
    parts=(
        Part((("difficulties", list[MapDifficulty]),), _difficulties, tables=("mapdifficulty_dbc",)),
        listed("zones", "zone", "areatable_dbc", "ContinentID", "ID", "zones and areas on it"),
    ),
    summary=("id", "name", "kind", "expansion"),
    filters=(by.by_name("kind", "InstanceType", "map_type", "only this kind"),),
    links=(
        Link("instance_template_get", "id", "its instance", when=given("instance_script")),
        Link("zone_search", "id", "the zones on it", argument="map", when=given("zones")),
    ),
)  # fmt: skip

ENTITIES = (FACTION, FACTION_TEMPLATE, ZONE, MAP)
