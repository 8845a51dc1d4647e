"""Lists in SQL."""

from __future__ import annotations

from collections.abc import Iterable

# Lists are filled up to one of these lengths: few statements for the database to prepare, however many values.
_LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def in_list(values: Iterable[int]) -> tuple[str, list[int]]:
    """Return ``(%s, %s)`` to stand after IN, and its parameters; no values match nothing.

    :raises ValueError: there are more than 1024 values; ask in parts.
    """
    wanted = sorted(set(values))
    if not wanted:
        return "(NULL)", []
    length = next((each for each in _LENGTHS if each >= len(wanted)), None)
    if length is None:
        raise ValueError(f"{len(wanted)} values in one list; at most {_LENGTHS[-1]}")
    filled = wanted + wanted[-1:] * (length - len(wanted))
    return f"({', '.join(['%s'] * length)})", filled
