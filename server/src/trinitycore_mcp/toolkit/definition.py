"""What a tool is: a typed function, and all that clients and the dispatcher need to know of it.

    @tool(title="Loot of a creature", cache=CONTENT)
    async def creature_loot(call: Call, id: CreatureId, limit: Limit = 50, cursor: Cursor = None) -> LootPage:
        '''What a creature drops ... (the description that a model chooses by)'''

Parameters become the input schema and a Struct that checks arguments; the returned Struct type becomes the output
schema. A tool returns its result or raises ToolError; anything else is a defect and is told to nobody but the log.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import msgspec
from msgspec import Struct

from trinitycore_mcp.cache.policy import CONTENT, NONE, CachePolicy
from trinitycore_mcp.toolkit.arguments import arguments_of, explain
from trinitycore_mcp.toolkit.json_schema import schema_of

Scope = Literal["read", "players", "admin"]
Function = Callable[..., Awaitable[Struct]]


class Content(Struct, frozen=True):
    """A result that is no data, such as an image: content blocks as the protocol has them."""

    blocks: list[dict[str, Any]]


@dataclass(frozen=True)
class Tool:
    """A tool."""

    name: str
    title: str
    description: str
    scope: Scope
    function: Function
    arguments: type[Struct]
    result: type[Struct]
    """What the structured result is, or Content for a tool that has none."""
    cache: CachePolicy = NONE
    read_only: bool = True
    destructive: bool = False
    idempotent: bool = True
    audited: bool = False
    streams: bool = False
    """Sends notifications while it runs, so the answer is a stream of events even if no progress was asked for."""
    timeout: float | None = None
    """Seconds it may take; None: as configured for all tools."""

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return schema_of(self.arguments)

    @cached_property
    def output_schema(self) -> dict[str, Any] | None:
        """JSON Schema of the structured result, None when there is none."""
        return None if self.result is Content else schema_of(self.result)

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Struct]:
        return msgspec.json.Decoder(self.arguments)

    def read(self, raw: bytes | msgspec.Raw) -> Struct:
        """Return the arguments, checked.

        :param raw: a JSON object, as the client sent it.
        :raises ToolError: they don't fit; the message says what would.
        """
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise explain(error, self.name, self.input_schema.get("properties", {})) from error


def tool(
    *,
    title: str,
    scope: Scope = "read",
    cache: CachePolicy = CONTENT,
    read_only: bool = True,
    destructive: bool = False,
    idempotent: bool = True,
    timeout: float | None = None,
) -> Callable[[Function], Tool]:
    """Make a tool of a function; its name is the function's, its description the docstring.

    :param title: for people.
    :param scope: which callers see and may call it. Calls of scope admin are audited.
    :param cache: how long results may be kept; they must not depend on who calls.
    """

    def make(function: Function) -> Tool:
        result = inspect.signature(function, eval_str=True).return_annotation
        return define(
            getattr(function, "__name__", ""),
            function,
            result,
            title=title,
            description=" ".join((inspect.getdoc(function) or "").split()),
            scope=scope,
            cache=cache if read_only else NONE,
            read_only=read_only,
            destructive=destructive,
            idempotent=idempotent,
            timeout=timeout,
        )

    return make


def define(
    name: str,
    function: Function,
    result: type[Struct],
    *,
    title: str,
    description: str,
    scope: Scope = "read",
    arguments: type[Struct] | None = None,
    cache: CachePolicy = CONTENT,
    read_only: bool = True,
    destructive: bool = False,
    idempotent: bool = True,
    streams: bool = False,
    timeout: float | None = None,
) -> Tool:
    """Make a tool whose parts are put together by a program, such as those of an entity.

    :param arguments: default: made of the function's signature.
    :raises ValueError: it has no description.
    """
    if not description:
        raise ValueError(f"tool {name}: models choose by the description, so it needs one")
    return Tool(
        name=name,
        title=title,
        description=description,
        scope=scope,
        function=function,
        arguments=arguments or arguments_of(function, name),
        result=result,
        cache=cache,
        read_only=read_only,
        destructive=destructive,
        idempotent=idempotent,
        audited=scope == "admin",
        streams=streams,
        timeout=timeout,
    )
