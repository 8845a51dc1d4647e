"""Backups, asked for over the backup's own interface: trigger_backup, verify_backup."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from trinitycore_mcp import backup_link
from trinitycore_mcp.backup_link import BackupAnswer, BackupDescription, BackupFailed, BackupUnavailable
from trinitycore_mcp.errors import ToolError
from trinitycore_mcp.toolkit import NONE, Call, Related, Tool, doc, tool

# A whole verification reads every file again.
_SECONDS = 900.0
_START_SECONDS = 20.0
# Of what a tool may take, so that the answer that there is none still gets through.
_MARGIN = 5.0


class BackupRun(Struct, frozen=True):
    """What became of a request to the backup."""

    state: Annotated[
        Literal["started", "running", "done"],
        doc("started: it runs on; running: another run was at it already, so none was started; done: it has ended"),
    ]
    backup: Annotated[BackupDescription | None, doc("the backup that was made or verified, once it is known")]
    related: list[Related]


@tool(
    title="Make a backup now",
    scope="admin",
    read_only=False,
    idempotent=False,
    timeout=_SECONDS,
)
async def trigger_backup(
    call: Call,
    wait: Annotated[bool, doc("wait until it is done, up to 15 minutes; else come back once it has begun")] = False,
) -> BackupRun:
    """Have the backup program make a backup of all databases now, beside its schedule. It takes a consistent snapshot
    while everything goes on, and counts only after it was read back. Only one runs at a time."""
    seconds = _SECONDS - _MARGIN if wait else _START_SECONDS
    answer = await _ask(call, "backup", seconds, wait=wait)
    backup = answer.backup.id if answer.backup else None
    return BackupRun(
        state=answer.state,
        backup=answer.backup,
        related=[
            Related("verify_backup", {"backup": backup} if backup else {}, "read it again and compare its checksums")
        ]
        if answer.state == "done"
        else [Related("get_security_status", {}, "the age of the newest backup")],
    )


@tool(title="Verify a backup", scope="admin", cache=NONE, timeout=_SECONDS)
async def verify_backup(
    call: Call,
    backup: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
        doc("id of the backup, or latest"),
    ] = "latest",
) -> BackupRun:
    """Have the backup program read one backup again and check every file of it against the checksums that were written
    down when it was made. Takes as long as reading it takes. An error says which file is damaged or missing."""
    answer = await _ask(call, "verify", _SECONDS - _MARGIN, backup=backup)
    return BackupRun(state=answer.state, backup=answer.backup, related=[])


async def _ask(call: Call, action: backup_link.Action, seconds: float, **more: object) -> BackupAnswer:
    socket = call.services.config.backup.socket
    try:
        return await backup_link.ask(
            socket, action, requested_by=call.principal.name, trace_id=call.trace_id, seconds=seconds, **more
        )
    except BackupUnavailable as error:
        raise ToolError(str(error), kind="backup") from error
    except BackupFailed as error:
        raise ToolError(f"the backup answered: {error}", kind="backup") from error


TOOLS: tuple[Tool, ...] = (trigger_backup, verify_backup)
