"""MCP server whose tools read a TrinityCore or AzerothCore game database."""

__version__ = "2.0.0"
