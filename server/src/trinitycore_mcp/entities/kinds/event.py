"""Game events: what comes and goes by the calendar."""

from __future__ import annotations

from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import Entity
from trinitycore_mcp.entities.fields import count, enum, key, label, moment, number, number_or_none
from trinitycore_mcp.entities.parts import listed

GAME_EVENT = Entity(
    name="game_event",
    plural="game_events",
    title="a game event",
    about=(
        "One game event (holiday, fishing contest, war effort ...) by its id: when it begins, how often and how long "
        "it runs, and how much it brings: spawns, quests, vendor items."
    ),
    table="game_event",
    key="eventEntry",
    label="description",
    fields=(
        key(),
        label("description"),
        enum("state", "world_event", "game_event_state"),
        moment("first_start", "start_time", "of the first occurrence, in the database's time zone"),
        moment("last_end", "end_time", "no occurrence begins after this; in the database's time zone"),
        number("every_min", "occurence", "minutes from one start to the next"),
        number("length_min", "length", "minutes that it runs each time"),
        number_or_none("holiday_id", "holiday", "Holidays.dbc"),
        number_or_none("holiday_stage", "holidayStage"),
        enum("announce", "announce", "game_event_announce"),
        count("creature_spawns", "game_event_creature", "eventEntry", "spawns that it adds"),
        count("gameobject_spawns", "game_event_gameobject", "eventEntry", "spawns that it adds"),
        count("creature_quests", "game_event_creature_quest", "eventEntry", "quests that creatures give meanwhile"),
        count("gameobject_quests", "game_event_gameobject_quest", "eventEntry"),
        count("vendor_items", "game_event_npc_vendor", "eventEntry", "items that vendors sell meanwhile"),
    ),
    tables=(
        *("game_event_creature", "game_event_gameobject", "game_event_creature_quest"),
        *("game_event_gameobject_quest", "game_event_npc_vendor"),
    ),
    parts=(
        listed(
            "prerequisites", "game_event", "game_event_prerequisite", "eventEntry", "prerequisite_event",
            "events that must be done before",
        ),
        listed(
            "quests", "quest", "game_event_creature_quest", "eventEntry", "quest",
            "quests that creatures give meanwhile",
        ),
        listed(
            "seasonal_quests", "quest", "game_event_seasonal_questrelation", "eventEntry", "questId",
            "quests that can be done again in the next season",
        ),
    ),
    summary=("id", "name", "state", "first_start", "every_min", "length_min"),
    searched="description",
    filters=(
        by.by_name("state", "world_event", "game_event_state", "only those in this state"),
        by.equal("holiday_id", "holiday", "only those of this holiday (Holidays.dbc)", least=1),
    ),
)  # fmt: skip

ENTITIES = (GAME_EVENT,)
