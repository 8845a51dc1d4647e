"""Results in pages: bounded in rows and bytes, with a cursor that stays true when rows come and go.

A cursor is the place of a page's last row in the order of the result (not a count of rows passed), so pages neither
repeat nor skip rows that stay, whichever database host answers. It carries a fingerprint of the call it belongs to.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from trinitycore_mcp.errors import ToolError

NextCursor = Annotated[
    str | None, Meta(description="pass it as cursor for the next page; null: this was the last page")
]
Notice = Annotated[str | None, Meta(description="says so when the answer was cut; null: it was not")]
T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """The part of a result that fits, and the way to the rest."""

    items: list[T]
    next_cursor: str | None
    notice: str | None


def fingerprint(tool: str, arguments: Struct) -> str:
    """Return what tells this call from another one, whatever page it asks for."""
    asked = {key: value for key, value in msgspec.structs.asdict(arguments).items() if key not in ("cursor", "limit")}
    return hashlib.sha256(msgspec.json.encode([tool, asked])).hexdigest()[:10]


def write_cursor(mark: str, place: list[Any]) -> str:
    """Return the cursor that stands for a place (JSON values) in the result of the call with this fingerprint."""
    return base64.urlsafe_b64encode(msgspec.json.encode([mark, *place])).decode().rstrip("=")


def read_cursor(mark: str, cursor: str | None, size: int) -> list[Any] | None:
    """Return the place a cursor stands for, or None for no cursor.

    :param size: how many values a place of this tool has.
    :raises ToolError: it is not one of ours, or belongs to another call.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        found = values[0]
        place: list[Any] = list(values[1:])
    except (ValueError, TypeError, LookupError):
        raise ToolError(
            "cursor: not one of ours; pass next_cursor of the page before, unchanged", kind="invalid_arguments"
        ) from None
    if found != mark or len(place) != size or not all(_fits(part) for part in place):
        raise ToolError(
            "cursor: it belongs to another call; keep all arguments but cursor, or start without one",
            kind="invalid_arguments",
        )
    return place


def _fits(part: object) -> bool:
    """Return whether the database can compare with it: a text, or a number of 64 bits."""
    return -(2**63) <= part < 2**64 if isinstance(part, int | float) else isinstance(part, str)


def cut(mark: str, items: Iterable[T], limit: int, max_bytes: int, place_of: Callable[[T], list[Any]]) -> Page[T]:
    """Return the first `limit` items, fewer when their JSON is larger than `max_bytes`.

    :param items: one more than `limit` when there are more, in the order that the cursor's place is in.
    :param place_of: an item's place in that order.
    """
    kept: list[T] = []
    size = 0
    for item in items:
        if len(kept) == limit:
            return Page(kept, write_cursor(mark, place_of(kept[-1])), None)
        size += len(msgspec.json.encode(item)) + 1
        if size > max_bytes and kept:
            notice = f"cut after {len(kept)} rows: an answer holds at most {max_bytes} bytes; go on with next_cursor"
            return Page(kept, write_cursor(mark, place_of(kept[-1])), notice)
        kept.append(item)
    return Page(kept, None, None)
