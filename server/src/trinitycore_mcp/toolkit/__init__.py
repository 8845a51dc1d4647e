"""What tools are made of: their definition, arguments, results, pages and errors."""

from trinitycore_mcp.cache.policy import CONTENT, LIVE, NONE
from trinitycore_mcp.errors import ToolError, did_you_mean, nearest
from trinitycore_mcp.toolkit.call import Call
from trinitycore_mcp.toolkit.definition import Content, Tool, define, tool
from trinitycore_mcp.toolkit.enums import Flags, Named, flags, named
from trinitycore_mcp.toolkit.fields import (
    Cursor,
    Id,
    Limit,
    Locale,
    Money,
    Position,
    Range,
    Reference,
    Related,
    Text,
    doc,
    money,
    one_of,
    real,
    text_or_none,
)
from trinitycore_mcp.toolkit.paging import NextCursor, Notice

__all__ = [
    "CONTENT",
    "LIVE",
    "NONE",
    "Call",
    "Content",
    "Cursor",
    "Flags",
    "Id",
    "Limit",
    "Locale",
    "Money",
    "Named",
    "NextCursor",
    "Notice",
    "Position",
    "Range",
    "Reference",
    "Related",
    "Text",
    "Tool",
    "ToolError",
    "define",
    "did_you_mean",
    "doc",
    "flags",
    "money",
    "named",
    "nearest",
    "one_of",
    "real",
    "text_or_none",
    "tool",
]
