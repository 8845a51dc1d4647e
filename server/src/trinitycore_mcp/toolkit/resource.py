"""Resources: things a client can read by address, such as an entity or a table's structure."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from trinitycore_mcp.toolkit.definition import Scope

if TYPE_CHECKING:
    from trinitycore_mcp.toolkit.call import Call

Complete = Callable[["Call", str], Awaitable[list[str]]]
_VARIABLE = re.compile(r"\{(\w+)\}")
JSON = "application/json"


@dataclass(frozen=True)
class Resource:
    """A resource, or with variables in its address (``trinity://creature/{id}``) a template of many.

    :param read: gets the call and the variables by name, and returns the content.
    :param complete: by variable, what it may be for a given beginning.
    """

    uri: str
    name: str
    title: str
    description: str
    read: Callable[..., Awaitable[str]]
    mime_type: str = JSON
    scope: Scope = "read"
    complete: Mapping[str, Complete] = field(default_factory=dict)

    @property
    def is_template(self) -> bool:
        """Whether the address has variables."""
        return "{" in self.uri

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = _VARIABLE.split(self.uri)
        texts = [re.escape(part) if place % 2 == 0 else f"(?P<{part}>[^/]+)" for place, part in enumerate(parts)]
        return re.compile("".join(texts))

    def variables(self, uri: str) -> dict[str, str] | None:
        """Return the variables that this address gives, None when it is another resource's."""
        match = self._pattern.fullmatch(uri)
        return {name: unquote(value) for name, value in match.groupdict().items()} if match else None
