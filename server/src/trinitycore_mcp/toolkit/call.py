"""What a tool gets besides its arguments: the databases, who calls, and ways to answer in pages."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from trinitycore_mcp.database.errors import (
    Busy,
    DatabaseError,
    SchemaChanged,
    StatementRefused,
    TimedOut,
    TooExpensive,
    Unavailable,
)
from trinitycore_mcp.database.session import Row
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.schema import Schema
from trinitycore_mcp.toolkit import paging

if TYPE_CHECKING:
    from trinitycore_mcp.access.principal import Principal
    from trinitycore_mcp.services import Services

T = TypeVar("T")
Progress = Callable[[float, float | None, str | None], Awaitable[None]]


class Call:
    """One call of a tool."""

    __slots__ = ("_arguments", "_mark", "_progress", "_trace_id", "continued", "principal", "services", "tool")

    def __init__(
        self,
        services: Services,
        principal: Principal,
        tool: str,
        arguments: Struct,
        trace_id: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.services = services
        self.principal = principal
        self.tool = tool
        self._arguments = arguments
        self._trace_id = trace_id
        self._progress = progress
        self._mark: str | None = None
        self.continued = False
        """Whether it goes on from a cursor's place, which came from the client."""

    @property
    def trace_id(self) -> str:
        """The caller's trace id, else a new one: 32 hex digits."""
        if self._trace_id is None:
            self._trace_id = secrets.token_hex(16)
        return self._trace_id

    async def schema(self) -> Schema:
        """Return what stands in the databases.

        :raises ToolError: they can't be read.
        """
        try:
            return await self.services.schemas.current()
        except DatabaseError as error:
            raise database_error(error) from error

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a SELECT, read from a healthy host.

        :param sql: names come from `Schema`, values stand as %s.
        :raises ToolError: the database can't be read.
        """
        try:
            return await self.services.database.fetch(self.tool, sql, parameters)
        except SchemaChanged as error:
            self.services.schemas.forget()
            raise database_error(error) from error
        except DatabaseError as error:
            raise database_error(error) from error

    async def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        """Return the first row of a SELECT, or None.

        :raises ToolError: the database can't be read.
        """
        rows = await self.rows(sql, parameters)
        return rows[0] if rows else None

    async def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the call is, when it asked to be told."""
        if self._progress is not None:
            await self._progress(done, total, message)

    @property
    def mark(self) -> str:
        """What tells this call from others, whatever page it asks for."""
        if self._mark is None:
            self._mark = paging.fingerprint(self.tool, self._arguments)
        return self._mark

    def place(self, cursor: str | None, size: int = 1) -> list[Any] | None:
        """Return the place that a cursor argument stands for, None for the beginning.

        :param size: how many values a place of this tool has.
        :raises ToolError: the cursor is no good.
        """
        if cursor is None:
            return None
        self.continued = True
        return paging.read_cursor(self.mark, cursor, size)

    def page(self, items: Iterable[T], limit: int, place_of: Callable[[T], list[Any]]) -> paging.Page[T]:
        """Return as many items as are asked for and fit; see `paging.cut`.

        :param items: one more than `limit` when there are more, in the order that the cursor's place is in.
        """
        return paging.cut(self.mark, items, limit, self.services.config.database.max_result_bytes, place_of)


def database_error(error: DatabaseError) -> ToolError:
    """Return the error to show for one of the database's."""
    if isinstance(error, SchemaChanged):
        return ToolError(f"{error}; it may be loading or updating just now, try again", kind="database")
    if isinstance(error, StatementRefused | TooExpensive):
        return ToolError(str(error), kind="invalid_arguments")
    if isinstance(error, TimedOut):
        return ToolError(f"{error}; ask for less: a filter, an id, a smaller limit", kind="timeout")
    if isinstance(error, Busy | Unavailable):
        return ToolError(f"{error}; try again in a second", kind="database", retry_after=1.0)
    return ToolError(str(error), kind="database")
