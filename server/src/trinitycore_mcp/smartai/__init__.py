"""SmartAI: rows of the table `smart_scripts`, decoded to sentences."""

from trinitycore_mcp.smartai.decode import Part, Step, decode, list_ids, references
from trinitycore_mcp.smartai.rows import rows_of
from trinitycore_mcp.smartai.texts import Quotes, quotes_for
from trinitycore_mcp.smartai.vocabulary import Vocabulary, vocabulary

__all__ = [
    "Part",
    "Quotes",
    "Step",
    "Vocabulary",
    "decode",
    "list_ids",
    "quotes_for",
    "references",
    "rows_of",
    "vocabulary",
]
