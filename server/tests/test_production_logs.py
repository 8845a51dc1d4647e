"""query_logs over a real journal file, made from what journald would have written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.mariadb import MariaDb
from tests.support.tools import Toolbox, toolbox
from trinitycore_mcp.tools import production_logs

pytestmark = pytest.mark.anyio
# Debian's package systemd-journal-remote turns journald's export format into a journal.
_MAKE = Path("/lib/systemd/systemd-journal-remote")
_START = 1_780_000_000
_ID = "0123456789abcdef0123456789abcdef"
TRACE = "a" * 32


def entry(number: int, unit: str, message: str, priority: int = 6) -> str:
    fields = {
        "__REALTIME_TIMESTAMP": (_START + number) * 1_000_000,
        "__MONOTONIC_TIMESTAMP": (1 + number) * 1_000_000,
        "_BOOT_ID": _ID,
        "_MACHINE_ID": _ID,
        "_HOSTNAME": "lab",
        "_PID": 7,
        "PRIORITY": priority,
        "_SYSTEMD_UNIT": unit,
        "MESSAGE": message,
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n"


def line(level: str, message: str, **fields: object) -> str:
    return json.dumps({"time": "-", "level": level, "logger": "trinitycore_mcp.request", "message": message, **fields})


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a journal, and a journalctl that reads this one instead of the machine's."""
    if not _MAKE.exists() or shutil.which("journalctl") is None:
        pytest.skip("systemd-journal-remote is not installed: apt-get install systemd-journal-remote")
    folder = tmp_path_factory.mktemp("journal")
    first, second, other = "trinitycore-mcp@1.service", "trinitycore-mcp@2.service", "ssh.service"
    entries = [
        entry(0, first, line("INFO", "serving", instance="lab-1")),
        entry(1, first, line("INFO", "request", tool="creature_get", trace_id=TRACE, outcome="ok", duration_ms=1.5)),
        entry(2, second, line("ERROR", "tool failed", tool="creature_loot", trace_id="b" * 32)),
        entry(3, other, "a secret of somebody else"),
        entry(4, first, line("WARNING", "odd", password="hunter2", note="Bearer abcdefghijklmnop")),
        entry(5, first, "Traceback of something that is no JSON", 3),
        *(entry(10 + number, second, line("DEBUG", f"tick {number}")) for number in range(20)),
    ]
    (folder / "in.export").write_text("".join(entries))
    (folder / "logs").mkdir()
    subprocess.run([_MAKE, "-o", folder / "logs/x.journal", folder / "in.export"], check=True, capture_output=True)
    real = shutil.which("journalctl")
    (folder / "journalctl").write_text(f'#!/bin/sh\nexec {real} --directory={folder}/logs "$@"\n')
    (folder / "journalctl").chmod(0o755)
    return folder


@pytest.fixture
async def tools(mariadb: MariaDb, journal: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Toolbox]:
    monkeypatch.setenv("PATH", f"{journal}:/usr/bin:/bin")
    async with toolbox(mariadb, production_logs.TOOLS) as box:
        yield box


SINCE = "2026-05-28T20:26:40Z"  # _START


async def test_lines_come_newest_first_in_pages(tools: Toolbox) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(20):
        page = await tools.call("query_logs", since=SINCE, limit=7, cursor=cursor)
        seen += [each["message"] for each in page["entries"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [f"tick {number}" for number in reversed(range(20))] + [
        "Traceback of something that is no JSON",
        "odd",
        "tool failed",
        "request",
        "serving",
    ]


async def test_lines_are_filtered(tools: Toolbox) -> None:
    async def messages(**filters: object) -> list[str]:
        return [each["message"] for each in (await tools.call("query_logs", since=SINCE, **filters))["entries"]]

    assert await messages(trace_id=TRACE) == ["request"]
    assert await messages(tool="creature_loot") == ["tool failed"]
    assert await messages(level="ERROR") == ["Traceback of something that is no JSON", "tool failed"]
    assert await messages(text="TRACEBACK") == ["Traceback of something that is no JSON"]
    assert await messages(unit="trinitycore-mcp@2.service", level="INFO") == ["tool failed"]
    assert await messages(unit="trinitycore-mcp@9.service") == []
    assert await messages(until="2026-05-28T20:26:42Z") == ["tool failed", "request", "serving"]
    assert (await tools.call("query_logs", since="2026-05-28T20:26:45Z", level="INFO"))["entries"][0][
        "level"
    ] == "ERROR"


async def test_what_a_line_says_comes_as_fields(tools: Toolbox) -> None:
    [found] = (await tools.call("query_logs", since=SINCE, trace_id=TRACE))["entries"]
    assert found == {
        "at": "2026-05-28T20:26:41.000+00:00",
        "unit": "trinitycore-mcp@1.service",
        "host": "lab",
        "pid": 7,
        "level": "INFO",
        "logger": "trinitycore_mcp.request",
        "message": "request",
        "tool": "creature_get",
        "trace_id": TRACE,
        "fields": {"outcome": "ok", "duration_ms": 1.5},
    }


async def test_secrets_are_masked(tools: Toolbox) -> None:
    [found] = (await tools.call("query_logs", since=SINCE, text="odd"))["entries"]
    assert found["fields"] == {"password": "***", "note": "***"}


async def test_other_units_are_out_of_reach(tools: Toolbox) -> None:
    page = await tools.call("query_logs", since=SINCE, text="somebody else")
    assert page["entries"] == []
    for unit in ("ssh.service", "*", "trinitycore-mcp@*.service", "--file=/etc/passwd"):
        assert "allowed are trinitycore-mcp@*.service" in await tools.refusal("query_logs", unit=unit)


async def test_a_long_search_goes_on_from_where_it_stopped(tools: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production_logs, "_MOST_SCANNED", 10)
    found: list[str] = []
    cursor, pages = None, 0
    for _ in range(20):
        page = await tools.call("query_logs", since=SINCE, text="serving", cursor=cursor)
        found += [each["message"] for each in page["entries"]]
        pages += 1
        if (cursor := page["next_cursor"]) is None:
            break
        assert page["scanned"] == 10
        assert "stopped after 10 lines; go on with next_cursor" in page["notice"]
    assert found == ["serving"]
    assert pages == 3


async def test_without_a_journal_the_error_says_what_helps(
    mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with toolbox(mariadb, production_logs.TOOLS) as box:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "journalctl can't be run" in await box.refusal("query_logs")
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        (tmp_path / "empty").mkdir()
        (tmp_path / "journalctl").write_text(f'#!/bin/sh\nexec /usr/bin/journalctl --directory={tmp_path}/empty "$@"\n')
        (tmp_path / "journalctl").chmod(0o755)
        assert "systemd-journal" in await box.refusal("query_logs")
        (tmp_path / "journalctl").write_text(
            "#!/bin/sh\necho 'No journal files: insufficient permissions' >&2; exit 1\n"
        )
        assert "insufficient permissions" in await box.refusal("query_logs")
