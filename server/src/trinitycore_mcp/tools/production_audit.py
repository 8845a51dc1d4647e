"""The record of admin calls: list_audit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from trinitycore_mcp.database.errors import DatabaseError, SchemaChanged
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.toolkit import NONE, Call, Cursor, Limit, NextCursor, Notice, Tool, doc, tool
from trinitycore_mcp.toolkit.call import database_error

_COLUMNS = "id, at, instance, principal, auth_method, tool, arguments, outcome, duration_ms, trace_id"
Name = Annotated[str, Meta(min_length=1, max_length=128)]
When = Annotated[datetime, Meta(tz=True)]


class AuditEntry(Struct, frozen=True):
    """One call of a tool that needs scope admin, or one look at /health/detailed."""

    id: Annotated[str, doc("in order of time")]
    at: Annotated[str, doc("UTC, ISO 8601")]
    instance: str
    principal: Annotated[str, doc("who called")]
    auth_method: Annotated[str, doc("how the caller proved it: api_key, jwt, none, stdio")]
    tool: str
    arguments: Annotated[Any, doc("as they were given, secrets masked, and their SHA-256")]
    outcome: Annotated[str, doc("ok, or the kind of failure")]
    duration_ms: float | None
    trace_id: str | None


class AuditPage(Struct, frozen=True):
    """Audit records, newest first."""

    entries: list[AuditEntry]
    waiting: Annotated[int, doc("records of this instance that have not reached the database yet")]
    next_cursor: NextCursor
    notice: Notice


@tool(title="List audit records", scope="admin", cache=NONE)
async def list_audit(
    call: Call,
    tool: Annotated[Name | None, doc("only calls of this tool, or of health/detailed")] = None,
    principal: Annotated[Name | None, doc("only calls by this caller")] = None,
    outcome: Annotated[Name | None, doc("only calls that ended so: ok, tool_error, rate_limited, timeout ...")] = None,
    since: Annotated[When | None, doc("ISO 8601 with time zone")] = None,
    until: Annotated[When | None, doc("ISO 8601 with time zone")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuditPage:
    """Who called which admin tool with what, when, and what became of it, on all instances, newest first. Kept as long
    as retention.audit_days says. query_logs has the requests of all other tools."""
    writer = call.services.writer
    if writer is None:
        raise ToolError(
            'audit records are in the log only: database.writer is not configured; query_logs with text "audit" '
            "finds them"
        )
    place = call.place(cursor)
    conditions, values = ["1 = 1"], list[object]()
    if place is not None:
        if not str(place[0]).isdigit():
            raise ToolError("cursor: not one of ours", kind="invalid_arguments")
        conditions.append("id < %s")
        values.append(int(place[0]))
    for column, value in (("tool", tool), ("principal", principal), ("outcome", outcome)):
        if value is not None:
            conditions.append(f"{column} = %s")
            values.append(value)
    for comparison, at in ((">=", since), ("<", until)):
        if at is not None:
            conditions.append(f"at {comparison} %s")
            values.append(at.astimezone(UTC).replace(tzinfo=None))
    table = f"`{call.services.config.database.databases.mcp}`.audit"
    sql = f"SELECT {_COLUMNS} FROM {table} WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT %s"
    try:
        rows = await writer.fetch(call.tool, sql, (*values, limit + 1))
    except SchemaChanged as error:
        raise ToolError(
            f"there is no table {table}: `trinitycore-mcp migrate-db` makes it", kind="missing_table"
        ) from error
    except DatabaseError as error:
        raise database_error(error) from error
    entries = [
        AuditEntry(
            id=str(row["id"]),
            at=row["at"].replace(tzinfo=UTC).isoformat(timespec="milliseconds"),
            instance=row["instance"],
            principal=row["principal"],
            auth_method=row["auth_method"],
            tool=row["tool"],
            arguments=_decoded(row["arguments"]),
            outcome=row["outcome"],
            duration_ms=row["duration_ms"],
            trace_id=row["trace_id"],
        )
        for row in rows
    ]
    page = call.page(entries, limit, lambda each: [each.id])
    audit = call.services.audit
    return AuditPage(
        entries=page.items,
        waiting=audit.waiting if audit is not None else 0,
        next_cursor=page.next_cursor,
        notice=page.notice,
    )


def _decoded(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


TOOLS: tuple[Tool, ...] = (list_audit,)
