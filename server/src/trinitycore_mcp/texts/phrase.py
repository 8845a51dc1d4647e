"""The phrase that is looked for."""

from __future__ import annotations

from trinitycore_mcp.entities.search import literal
from trinitycore_mcp.toolkit import ToolError

# From here on a character is about a syllable or a word: CJK, Kana, Hangul.
_WIDE = "\u2e80"


def least_length(phrase: str) -> int:
    """Return how many characters a phrase must have: fewer would be found nearly everywhere."""
    return 2 if any(character >= _WIDE for character in phrase) else 3


def phrase_of(text: str) -> str:
    """Return the argument without spaces around it.

    :raises ToolError: it is too short.
    """
    phrase = text.strip()
    if len(phrase) < (least := least_length(phrase)):
        raise ToolError(f"text: {phrase!r} is too short; at least {least} characters", kind="invalid_arguments")
    return phrase


def pattern_of(phrase: str) -> str:
    """Return the pattern for ``LIKE ... ESCAPE '!'`` that texts with the phrase match."""
    return f"%{literal(phrase)}%"
