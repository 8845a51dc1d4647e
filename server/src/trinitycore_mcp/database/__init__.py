"""Reading the game's databases: hosts and their health, pooled read-only sessions, and what schema stands there."""

from trinitycore_mcp.database.cluster import Database
from trinitycore_mcp.database.errors import DatabaseError, MissingTable

__all__ = ["Database", "DatabaseError", "MissingTable"]
