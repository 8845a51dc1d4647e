"""The words of the world: where texts stand, which of them hold a phrase, and what they belong to."""

from trinitycore_mcp.texts.excerpt import Excerpt, excerpt
from trinitycore_mcp.texts.owners import Owners, TextOwner, menu_owners, menus_of_texts, owners_of
from trinitycore_mcp.texts.phrase import least_length, pattern_of, phrase_of
from trinitycore_mcp.texts.search import TextRow, excerpts, rows_with, texts_sql
from trinitycore_mcp.texts.sources import SOURCES, Kind, Searched, Source, searched

__all__ = [
    "SOURCES",
    "Excerpt",
    "Kind",
    "Owners",
    "Searched",
    "Source",
    "TextOwner",
    "TextRow",
    "excerpt",
    "excerpts",
    "least_length",
    "menu_owners",
    "menus_of_texts",
    "owners_of",
    "pattern_of",
    "phrase_of",
    "rows_with",
    "searched",
    "texts_sql",
]
