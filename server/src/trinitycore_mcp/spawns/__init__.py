"""Spawns: where creatures and gameobjects stand, and what they come back with."""

from trinitycore_mcp.spawns.memberships import Memberships, PoolMember, memberships_of, pool_members
from trinitycore_mcp.spawns.rows import KINDS, Kind, select
from trinitycore_mcp.spawns.shown import Spawn, shown

__all__ = [
    "KINDS",
    "Kind",
    "Memberships",
    "PoolMember",
    "Spawn",
    "memberships_of",
    "pool_members",
    "select",
    "shown",
]
