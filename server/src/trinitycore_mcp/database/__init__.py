"""The database servers: their health, pooled read-only sessions, guarded free statements, and writes to our own."""

from trinitycore_mcp.database.adhoc import Column, SelectResult
from trinitycore_mcp.database.cluster import Database, HostState
from trinitycore_mcp.database.errors import DatabaseError, MissingTable
from trinitycore_mcp.database.plan import Plan
from trinitycore_mcp.database.writer import Transaction, Writer

__all__ = [
    "Column",
    "Database",
    "DatabaseError",
    "HostState",
    "MissingTable",
    "Plan",
    "SelectResult",
    "Transaction",
    "Writer",
]
