"""Checks of the world's consistency: what is declared in one table and missing in another.

A check is a `Check`: a kind, what it means, and one SELECT of the rows that are wrong. A group of checks is a tool.
Adding a check is adding one to its group's file.
"""

from __future__ import annotations

from trinitycore_mcp.checks.check import Check, Group
from trinitycore_mcp.checks.conditions import GROUP as CONDITIONS
from trinitycore_mcp.checks.gossip import GROUP as GOSSIP
from trinitycore_mcp.checks.loot import GROUP as LOOT
from trinitycore_mcp.checks.quests import GROUP as QUESTS
from trinitycore_mcp.checks.smart_scripts import GROUP as SMART_SCRIPTS
from trinitycore_mcp.checks.spawns import GROUP as SPAWNS
from trinitycore_mcp.checks.vendors import GROUP as VENDORS

GROUPS: tuple[Group, ...] = (SPAWNS, LOOT, QUESTS, VENDORS, SMART_SCRIPTS, CONDITIONS, GOSSIP)

__all__ = ["GROUPS", "Check", "Group"]
