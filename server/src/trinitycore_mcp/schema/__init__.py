"""What stands in the game's databases: which core's schema, which tables and columns, and what each core calls them."""

from trinitycore_mcp.schema.catalogue import Schema, Schemas
from trinitycore_mcp.schema.families import Family

__all__ = ["Family", "Schema", "Schemas"]
