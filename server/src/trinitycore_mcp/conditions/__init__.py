"""Conditions: rows of the table `conditions`, decoded to sentences."""

from trinitycore_mcp.conditions.decode import Alternative, Decoded, decode, sentence_of, together
from trinitycore_mcp.conditions.rows import Key, by_key, references_of, rows_of
from trinitycore_mcp.conditions.vocabulary import Vocabulary, vocabulary

__all__ = [
    "Alternative",
    "Decoded",
    "Key",
    "Vocabulary",
    "by_key",
    "decode",
    "references_of",
    "rows_of",
    "sentence_of",
    "together",
    "vocabulary",
]
