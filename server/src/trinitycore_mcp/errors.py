"""What a tool says when it can't do what it was asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ToolError(Exception):
    """The call failed for a reason that the caller can understand; the message says what would work.

    :param retry_after: seconds after which the same call may succeed, when that is known.
    """

    def __init__(self, message: str, *, kind: str = "tool_error", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        """A bounded label for metrics and logs: tool_error, invalid_arguments, rate_limited, database, timeout ..."""
        self.retry_after = retry_after


def nearest(given: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the known words most like the given one, best first."""
    by_folded = {word.casefold(): word for word in known}
    found = difflib.get_close_matches(given.casefold(), by_folded, n=most, cutoff=0.55)
    return [by_folded[word] for word in found]


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return ``; did you mean x or y?``, or a list of what is allowed when nothing is near and the list is short."""
    words = list(known)
    near = nearest(given, words)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; allowed are {', '.join(words)}" if 0 < len(words) <= 40 else ""
