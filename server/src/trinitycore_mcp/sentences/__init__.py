"""Sentences of a row's numbers: phrases kept as data, with the names of what the numbers stand for."""

from trinitycore_mcp.sentences.names import Names, Reference, resolve
from trinitycore_mcp.sentences.phrase import Phrase, phrases
from trinitycore_mcp.sentences.sql import in_list

__all__ = ["Names", "Phrase", "Reference", "in_list", "phrases", "resolve"]
