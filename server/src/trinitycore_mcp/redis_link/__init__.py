"""Redis for the rest of the server: the writable primary, found and followed by itself, and never waited for long."""

from trinitycore_mcp.redis_link.errors import RedisAway
from trinitycore_mcp.redis_link.link import RedisLink
from trinitycore_mcp.redis_link.script import Script
from trinitycore_mcp.redis_link.settings import Address, RedisSettings, SentinelSettings, settings_from
from trinitycore_mcp.redis_link.states import NodeState

__all__ = [
    "Address",
    "NodeState",
    "RedisAway",
    "RedisLink",
    "RedisSettings",
    "Script",
    "SentinelSettings",
    "settings_from",
]
