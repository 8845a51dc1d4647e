"""Results of tools, kept as the bytes that are sent: in this process for a moment, in Redis for the whole fleet."""

from trinitycore_mcp.cache.policy import CONTENT, LIVE, NONE, CachePolicy, policy_for
from trinitycore_mcp.cache.results import CacheStats, ResultCache
from trinitycore_mcp.cache.warming import Warmed, warm

__all__ = ["CONTENT", "LIVE", "NONE", "CachePolicy", "CacheStats", "ResultCache", "Warmed", "policy_for", "warm"]
