"""The families of game databases: which there are, how to tell them apart, and what each calls differently.

Tools speak one language: the table and column names of TrinityCore 3.3.5. A file beside this one says for each other
family what a table or column is called there, or the SQL expression that takes its place. What stands in no such file
and is not in the database is missing: columns read as NULL, and a tool that needs a missing table says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from trinitycore_mcp.schema import azerothcore, trinitycore_master


class Family(StrEnum):
    """The kinds of game database."""

    TRINITYCORE = "TrinityCore 3.3.5"
    TRINITYCORE_MASTER = "TrinityCore master"
    AZEROTHCORE = "AzerothCore"
    UNKNOWN = "unknown"


def detect(world: Mapping[str, frozenset[str]]) -> Family:
    """Tell the family from the world database's tables and their columns.

    Each core ships a table of its own messages; a world stripped of it is told by where creatures' levels and models
    are.
    """
    if "acore_string" in world:
        return Family.AZEROTHCORE
    if "creature_template_difficulty" in world:
        return Family.TRINITYCORE_MASTER
    if "trinity_string" in world or "modelid1" in world.get("creature_template", ()):
        return Family.TRINITYCORE
    if "creature_template_model" in world:
        return Family.AZEROTHCORE
    return Family.UNKNOWN


RENAMED_TABLES: Mapping[Family, Mapping[str, str]] = {
    Family.AZEROTHCORE: azerothcore.TABLES,
    Family.TRINITYCORE_MASTER: trinitycore_master.TABLES,
}
RENAMED_COLUMNS: Mapping[Family, Mapping[str, str]] = {
    Family.AZEROTHCORE: azerothcore.COLUMNS,
    Family.TRINITYCORE_MASTER: trinitycore_master.COLUMNS,
}
