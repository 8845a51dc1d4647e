"""Game objects: chests, doors, signs, nodes and the like."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from trinitycore_mcp.entities import filters as by
from trinitycore_mcp.entities.entity import Entity, Link, equal, given
from trinitycore_mcp.entities.fields import (
    computed,
    count,
    decimal,
    enum,
    flag_set,
    key,
    label,
    number,
    refers,
    span,
    text,
)
from trinitycore_mcp.entities.parts import listed
from trinitycore_mcp.entities.translations import Translations

_DATA = tuple(f"Data{n}" for n in range(24))


@cache
def _data_names() -> dict[int, list[str]]:
    """Return the meaning of Data0, Data1 ... by type."""
    content = files("trinitycore_mcp").joinpath("data/gameobject_data.yml").read_text(encoding="utf-8")
    names: dict[int, list[str]] = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["types"]
    return names


def _data(kind: int | None, *values: int | None) -> dict[str, int]:
    names = _data_names().get(kind or 0, [])
    return {names[n] if n < len(names) else f"data{n}": value for n, value in enumerate(values) if value}


def _datum(name: str) -> Any:
    """Return the function that finds one meaning among the data, whatever place it has in a type."""

    def find(kind: int | None, *values: int | None) -> int | None:
        names = _data_names().get(kind or 0, [])
        return values[names.index(name)] or None if name in names else None

    return find


GAMEOBJECT = Entity(
    name="gameobject",
    plural="gameobjects",
    title="a game object",
    about=(
        "Everything about one game object (chest, door, sign, herb, portal ...) by its id: type, what its data numbers "
        "mean for that type, lock and loot, script, the quests it starts and ends, and how many are placed in the "
        "world."
    ),
    table="gameobject_template",
    key="entry",
    label="name",
    joins={"gameobject_template_addon": "entry"},
    translations=(
        Translations(
            table="gameobject_template_locale", key="entry",
            texts={"name": "name", "castBarCaption": "castBarCaption"},
        ),
    ),
    fields=(
        key(),
        label("name"),
        enum("type", "type", "gameobject_type"),
        number("display_id", "displayId"),
        decimal("size", "size"),
        text("icon", "IconName", "the cursor over it"),
        text("cast_bar_caption", "castBarCaption"),
        computed(
            "data", dict[str, int], ("type", *_DATA), _data,
            "what Data0, Data1 ... mean for this type, only those that are not 0",
        ),
        computed("loot_id", int | None, ("type", *_DATA), _datum("loot_id"), "in gameobject_loot_template"),
        computed("lock_id", int | None, ("type", *_DATA), _datum("lock_id")),
        refers("faction", "gameobject_template_addon.faction", "faction_template"),
        flag_set("flags", "gameobject_template_addon.flags", "gameobject_flags"),
        span("loot_money", "gameobject_template_addon.mingold", "gameobject_template_addon.maxgold", "in copper"),
        text("ai_name", "AIName"),
        text("script_name", "ScriptName"),
        count("spawn_count", "gameobject", "id", "how many are placed in the world"),
    ),
    tables=("gameobject",),
    parts=(
        listed("quests_started", "quest", "gameobject_queststarter", "id", "quest", "quests it gives"),
        listed("quests_ended", "quest", "gameobject_questender", "id", "quest", "quests handed in to it"),
    ),
    summary=("id", "name", "type", "display_id"),
    filters=(by.by_name("type", "type", "gameobject_type", "only this type"),),
    links=(
        Link("gameobject_loot", "id", "what is in it", when=given("loot_id")),
        Link(
            "smart_script", "id", "what it does by itself", more={"of": "gameobject"},
            when=equal("ai_name", "SmartGameObjectAI"),
        ),
        Link("spawns", "id", "where it stands", more={"kind": "gameobject"}, when=given("spawn_count")),
        Link("quest_get", "quests_started", "the quest {name}, which it starts"),
        Link("quest_get", "quests_ended", "the quest {name}, which it ends"),
    ),
)  # fmt: skip

ENTITIES = (GAMEOBJECT,)
