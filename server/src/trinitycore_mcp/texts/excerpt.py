"""The part of a text around a phrase."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.toolkit import doc

# Characters shown before and after the phrase at most.
_AROUND = 80
_CUT = "…"


class Excerpt(Struct, frozen=True):
    """Where a phrase stands."""

    field: Annotated[
        str, doc("column as TrinityCore 3.3.5 calls it; broadcast_text.Text: the broadcast text that the row refers to")
    ]
    excerpt: Annotated[str, doc("the text around the phrase; … where it was cut")]
    start: Annotated[
        int | None, doc("characters of the excerpt before the phrase; null: only the database sees them as equal")
    ]
    length: Annotated[int, doc("characters that match; 0: unknown")]


def excerpt(field: str, text: str, phrase: str) -> Excerpt:
    """Return the part of a text around the first place where the phrase stands.

    :param text: the database found the phrase in it; case and accents may differ.
    """
    place = _place(text, phrase)
    start, end = place or (0, 0)
    first, last = max(start - _AROUND, 0), min(end + _AROUND, len(text))
    before, after = _CUT if first else "", _CUT if last < len(text) else ""
    return Excerpt(
        field=field,
        excerpt=f"{before}{text[first:last]}{after}",
        start=start - first + len(before) if place else None,
        length=end - start,
    )


def _place(text: str, phrase: str) -> tuple[int, int] | None:
    """Return where the phrase begins and ends in the text."""
    lower = text.lower()
    if len(lower) == len(text) and (start := lower.find(phrase.lower())) >= 0:
        return start, start + len(phrase)
    folded = [(character, index) for index, each in enumerate(text) for character in _fold(each)]
    wanted = "".join(_fold(each) for each in phrase)
    start = "".join(character for character, _ in folded).find(wanted) if wanted else -1
    return (folded[start][1], folded[start + len(wanted) - 1][1] + 1) if start >= 0 else None


def _fold(character: str) -> str:
    """Return a character without case and accents, as the databases' collations compare."""
    parts = unicodedata.normalize("NFD", character.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
