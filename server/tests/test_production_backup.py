"""trigger_backup and verify_backup against a real Unix socket that speaks the backup's interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import toolbox
from trinitycore_mcp import backup_link
from trinitycore_mcp.tools import production_backup

pytestmark = pytest.mark.anyio
MADE = {
    "id": "20261121T120000Z",
    "databases": ["world"],
    "tables": 3,
    "rows": 90,
    "size_bytes": 4096,
    "checksums": True,
}


class Backup:
    """The other side: answers each request by a function, and keeps the requests."""

    def __init__(self, answer: Callable[[dict[str, Any]], bytes]) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(json.loads(await reader.readline()))
        reply = self.answer(self.requests[-1])
        if reply == b"silence":
            await reader.read()
        writer.write(reply)
        writer.close()


def line(**members: Any) -> bytes:
    return json.dumps(members).encode() + b"\n"


@asynccontextmanager
async def listening(path: Path, answer: Callable[[dict[str, Any]], bytes]) -> AsyncIterator[Backup]:
    backup = Backup(answer)
    server = await asyncio.start_unix_server(backup.serve, path)
    async with server:
        yield backup


def configured(path: Path) -> dict[str, Any]:
    return {"backup": {"socket": str(path)}}


async def test_requests_and_answers(mariadb: MariaDb, tmp_path: Path) -> None:
    path = tmp_path / "s"

    def answer(request: dict[str, Any]) -> bytes:
        if request["action"] == "verify":
            return line(ok=True, state="done", backup=MADE, extra="is left alone")
        return line(ok=True, state="done", backup=MADE) if request["wait"] else line(ok=True, state="started")

    async with listening(path, answer) as backup, toolbox(mariadb, production_backup.TOOLS, **configured(path)) as box:
        started = await box.call("trigger_backup")
        assert started["state"] == "started"
        assert started["backup"] is None
        done = await box.call("trigger_backup", wait=True)
        assert done["backup"]["rows"] == 90
        assert done["backup"]["finished_at"] is None
        assert done["related"][0]["arguments"] == {"backup": MADE["id"]}
        verified = await box.call("verify_backup", backup=MADE["id"])
        assert verified["backup"]["checksums"] is True
    trace = backup.requests[0].pop("trace_id")
    assert len(trace) == 32
    assert backup.requests[0] == {"action": "backup", "requested_by": "tests", "wait": False}
    assert backup.requests[2]["backup"] == MADE["id"]


async def test_what_the_backup_says_is_wrong_is_told(mariadb: MariaDb, tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with (
        listening(path, lambda _: line(ok=False, error="world.sql.zst: checksum differs")),
        toolbox(mariadb, production_backup.TOOLS, **configured(path)) as box,
    ):
        message = await box.refusal("verify_backup")
    assert message == "the backup answered: world.sql.zst: checksum differs"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"", "closed the connection before"),
        (b'{"ok": true', "closed the connection before"),
        (b"not JSON\n", "is no JSON"),
        (b'{"state": "done"}\n', "another form"),
        (b'{"ok": true, "state": "lost"}\n', "another form"),
        (b"x" * 200_000 + b"\n", "the backup at"),
        (b"silence", "no answer within"),
    ],
)
async def test_a_bad_answer_is_no_success(
    mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: bytes, words: str
) -> None:
    monkeypatch.setattr(production_backup, "_START_SECONDS", 0.3)
    path = tmp_path / "s"
    async with (
        listening(path, lambda _: reply),
        toolbox(mariadb, production_backup.TOOLS, **configured(path)) as box,
    ):
        assert words in await box.refusal("trigger_backup")


async def test_what_is_missing_is_named(mariadb: MariaDb, tmp_path: Path) -> None:
    async with toolbox(mariadb, production_backup.TOOLS) as box:
        assert "backup.socket is not configured" in await box.refusal("trigger_backup")
    path = tmp_path / "s"
    async with toolbox(mariadb, production_backup.TOOLS, **configured(path)) as box:
        assert "there is no such socket" in await box.refusal("trigger_backup")
        async with listening(path, lambda _: b""):
            pass
        assert "nobody listens" in await box.refusal("verify_backup")
        for name in ("../etc", "a b", "-x", ""):
            assert "backup" in await box.refusal("verify_backup", backup=name)


async def test_limits_of_time_leave_room_for_the_answer() -> None:
    for tool in production_backup.TOOLS:
        assert tool.timeout is not None
        assert tool.timeout > production_backup._SECONDS - production_backup._MARGIN + backup_link.CONNECT_TIMEOUT
