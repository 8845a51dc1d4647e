"""The way to the backup: a Unix socket on this host, behind which the backup program runs with its own rights.

One connection is one request: a line of JSON, answered by a line of JSON, then closed. Requests:

    {"action": "backup", "requested_by": "ops", "trace_id": "...", "wait": false}
    {"action": "verify", "requested_by": "ops", "trace_id": "...", "backup": "latest"}

Answers: {"ok": true, "state": "started" | "running" | "done", "backup": {...}} or {"ok": false, "error": "..."}; of a
backup: id, finished_at (ISO 8601), databases (list), tables, rows, size_bytes, checksums; what is not known is left
out. "started": it runs on by itself, and its end shows in the backup's metrics; "running": another run was at it
already. Nothing else passes: no command, no path, no secret.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from trinitycore_mcp.toolkit.fields import doc

CONNECT_TIMEOUT = 2.0
_LONGEST = 64 * 1024
Action = Literal["backup", "verify"]


class BackupUnavailable(Exception):
    """The backup can't be reached; the message says what is missing."""


class BackupFailed(Exception):
    """The backup was reached and could not do what it was asked, in its own words."""


class BackupDescription(Struct, frozen=True):
    """A backup, as its manifest tells it."""

    id: str | None = None
    finished_at: Annotated[str | None, doc("ISO 8601")] = None
    databases: list[str] = []
    tables: int | None = None
    rows: int | None = None
    size_bytes: int | None = None
    checksums: Annotated[bool | None, doc("whether it holds a checksum of every table")] = None


class BackupAnswer(Struct, frozen=True):
    """What the backup answered."""

    ok: bool
    state: Literal["started", "running", "done"] = "done"
    backup: BackupDescription | None = None
    error: Annotated[str, Meta(max_length=2000)] = ""


async def ask(
    socket: str | None,
    action: Action,
    *,
    requested_by: str,
    trace_id: str,
    seconds: float,
    **more: Any,
) -> BackupAnswer:
    """Send one request and return its answer.

    :param socket: config backup.socket.
    :param seconds: how long to wait for the answer.
    :raises BackupUnavailable: no socket is configured, nobody listens, or the answer is none.
    :raises BackupFailed: the backup refused or failed.
    """
    if socket is None:
        raise BackupUnavailable(
            "no backup can be reached: backup.socket is not configured; it names the Unix socket of the backup's "
            "interface on this host"
        )
    request = {"action": action, "requested_by": requested_by, "trace_id": trace_id, **more}
    reader, writer = await _connect(socket)
    try:
        async with asyncio.timeout(seconds):
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            raw = await reader.readline()
    except TimeoutError:
        raise BackupUnavailable(f"the backup at {socket} gave no answer within {seconds:g} s") from None
    except (OSError, ValueError) as error:  # ValueError: a line longer than the limit
        raise BackupUnavailable(f"the backup at {socket}: {error}") from error
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await writer.wait_closed()
    if not raw.endswith(b"\n"):
        raise BackupUnavailable(f"the backup at {socket} closed the connection before its answer was complete")
    try:
        answer = msgspec.json.decode(raw, type=BackupAnswer)
    except msgspec.ValidationError as error:
        raise BackupUnavailable(f"the backup at {socket} gave an answer of another form: {error}") from error
    except msgspec.DecodeError:
        raise BackupUnavailable(f"the backup at {socket} gave an answer that is no JSON") from None
    if not answer.ok:
        raise BackupFailed(answer.error or "the backup failed and did not say why")
    return answer


async def _connect(socket: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return await asyncio.open_unix_connection(socket, limit=_LONGEST)
    except FileNotFoundError:
        why = "there is no such socket: the backup's interface is not installed on this host, or not running"
    except ConnectionRefusedError:
        why = "nobody listens on the socket: the backup's interface is not running"
    except PermissionError:
        why = "our account may not use the socket"
    except TimeoutError:
        why = f"nobody took the connection within {CONNECT_TIMEOUT:g} s"
    except OSError as error:
        why = error.strerror or str(error)
    raise BackupUnavailable(f"the backup at {socket} (backup.socket) can't be reached: {why}")
