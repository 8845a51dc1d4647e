"""Every entity there is."""

from __future__ import annotations

from trinitycore_mcp.entities.entity import Entity, Translations


def _client(column: str) -> Translations:
    """Return the translations of a table that holds the client's data: a column for each language."""
    return Translations(columns={column: column.replace("enUS", "{locale}")})


_ALL = (
    Entity(
        name="creature", plural="creatures", table="creature_template", key="entry", label="name",
        translations=Translations(
            table="creature_template_locale", key="entry", texts={"name": "Name", "subname": "Title"}
        ),
    ),
    Entity(
        name="item", plural="items", table="item_template", key="entry", label="name",
        translations=Translations(
            table="item_template_locale", texts={"name": "Name", "description": "Description"}
        ),
    ),
    Entity(
        name="quest", plural="quests", table="quest_template", key="ID", label="LogTitle",
        translations=Translations(table="quest_template_locale", texts={"LogTitle": "Title"}),
    ),
    Entity(
        name="gameobject", plural="gameobjects", table="gameobject_template", key="entry", label="name",
        translations=Translations(table="gameobject_template_locale", key="entry", texts={"name": "name"}),
    ),
    Entity(
        name="spell", plural="spells", table="spell_dbc", key="Id", label="SpellName",
        translations=Translations(
            table="spell_name_locale", texts={"SpellName": "Name_lang"}, columns={"SpellName": "Name_Lang_{locale}"}
        ),
    ),
    Entity(name="game_event", plural="game_events", table="game_event", key="eventEntry", label="description"),
    Entity(
        name="faction", plural="factions", table="faction_dbc", key="ID", label="Name_Lang_enUS",
        translations=_client("Name_Lang_enUS"),
    ),
    Entity(
        name="zone", plural="zones", table="areatable_dbc", key="ID", label="AreaName_Lang_enUS",
        translations=_client("AreaName_Lang_enUS"),
    ),
    Entity(
        name="map", plural="maps", table="map_dbc", key="ID", label="MapName_Lang_enUS",
        translations=_client("MapName_Lang_enUS"),
    ),
    Entity(
        name="achievement", plural="achievements", table="achievement_dbc", key="ID", label="Title_Lang_enUS",
        translations=_client("Title_Lang_enUS"),
    ),
    Entity(name="encounter", plural="encounters", table="instance_encounters", key="entry", label="comment"),
)  # fmt: skip

ENTITIES: dict[str, Entity] = {entity.name: entity for entity in _ALL}
