"""What is made once for a schema as it was last looked at, and goes with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from trinitycore_mcp.schema import Schema

T = TypeVar("T")
_made: WeakKeyDictionary[Schema, dict[Hashable, Any]] = WeakKeyDictionary()


def once(schema: Schema, what: Hashable, make: Callable[..., T], *arguments: Any) -> T:
    """Return what `make(*arguments)` returned for this schema, calling it the first time.

    :param what: tells it from all else; begin it with the module's name.
    """
    known = _made.get(schema)
    if known is None:
        known = _made.setdefault(schema, {})
    if what not in known:
        known[what] = make(*arguments)
    made: T = known[what]
    return made
