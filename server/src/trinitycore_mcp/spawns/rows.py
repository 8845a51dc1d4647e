"""Reads rows of the tables `creature` and `gameobject`."""

from __future__ import annotations

from typing import Literal

from trinitycore_mcp.schema import Schema

Kind = Literal["creature", "gameobject"]
KINDS: tuple[Kind, ...] = ("creature", "gameobject")
"""In the order of their numbers in other tables: 0 and 1."""

_COMMON = (
    *("guid", "id", "id2", "id3", "map", "zoneId", "areaId", "spawnMask", "spawnDifficulties", "phaseMask", "PhaseId"),
    *("PhaseGroup", "position_x", "position_y", "position_z", "orientation", "spawntimesecs"),
    *("ScriptName", "StringId"),
)
_OWN: dict[Kind, tuple[str, ...]] = {
    "creature": ("MovementType", "wander_distance", "equipment_id"),
    "gameobject": ("state", "animprogress"),
}


def select(schema: Schema, kind: Kind, extra: str = "") -> str:
    """Return the SELECT ... FROM of spawns under the alias t.

    :param extra: more of the select list, beginning with a comma.
    :raises MissingTable: there is no such table.
    """
    columns = schema.columns(kind, *_COMMON, *_OWN[kind], alias="t")
    return f"SELECT {columns}{extra} FROM {schema.table(kind)} t"


def of_entry(schema: Schema, kind: Kind) -> tuple[str, int]:
    """Return the condition that a spawn is of an entry, and how often it takes the entry as a parameter.

    AzerothCore lets a spawn be one of up to three creatures.
    """
    columns = [schema.column(kind, name, "t") for name in ("id", "id2", "id3")]
    present = [f"{column} = %s" for column in columns if column]
    return f"({' OR '.join(present)})", len(present)
