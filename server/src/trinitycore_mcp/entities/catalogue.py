"""Loads every kind of entity."""

from __future__ import annotations

from trinitycore_mcp.entities.kinds import (
    achievement,
    client,
    creature,
    event,
    gameobject,
    instance,
    item,
    quest,
    spell,
    texts,
)
from trinitycore_mcp.entities.registry import ENTITIES, register

_GROUPS = (creature, item, quest, gameobject, spell, event, client, achievement, instance, texts)


def load() -> None:
    """Make all entities known, in the order in which lists show them."""
    if not ENTITIES:
        for group in _GROUPS:
            register(*group.ENTITIES)
