# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The server's own command that migrates its tables: how it is run, and what its answers mean."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field

PENDING = 3
_CHANGED = re.compile(r"^changed: (\S+) -> (\S+)$", re.MULTILINE)
_UNCHANGED = re.compile(r"^unchanged: (\S+)$", re.MULTILINE)
_PENDING = re.compile(r"^pending: (.+)$", re.MULTILINE)


class MigrateError(Exception):
    """The tables could not be migrated or looked at; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What came of it.

    :ivar changed: whether the tables changed, or would.
    :ivar before: revision before; empty when it was not asked.
    :ivar after: revision afterwards, in check mode the last pending one; empty when it was not asked.
    :ivar pending: in check mode, the revisions that would be applied.
    :ivar unknown: in check mode, why nobody could be asked yet.
    """

    changed: bool
    before: str = ""
    after: str = ""
    pending: list[str] = field(default_factory=list)
    unknown: str = ""
    notices: list[str] = field(default_factory=list)


def migrate(command: str, release: str, wait: float) -> Answer:
    """Bring the tables to the release's last revision.

    :param command: program that runs the server's commands as the service runs.
    :param release: its release; empty for the current one.
    :param wait: seconds to wait for a writable host and for other runs.
    :raises MigrateError: it could not.
    """
    done = _run([command, "migrate-db", "--wait", f"{wait:g}"], release, wait)
    said = done.stdout
    notices = _lines(done.stderr)
    if done.returncode == 0 and (found := _CHANGED.search(said)):
        return Answer(True, found[1], found[2], notices=notices)
    if done.returncode == 0 and (found := _UNCHANGED.search(said)):
        return Answer(False, found[1], found[1], notices=notices)
    raise MigrateError(_told(done))


def look(command: str, release: str) -> Answer:
    """Say what `migrate` would do. Where nobody can be asked yet, as on a fresh host, that is a change to come."""
    try:
        done = _run([command, "migrate-db", "--check", "--wait", "0"], release, 0)
    except MigrateError as error:
        return Answer(True, unknown=str(error))
    if done.returncode == 0:
        return Answer(False)
    if done.returncode == PENDING and (found := _PENDING.search(done.stdout)):
        pending = found[1].split(", ")
        return Answer(True, after=pending[-1], pending=pending)
    return Answer(True, unknown=_told(done))


def _run(argv: list[str], release: str, wait: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv,
            env={**os.environ, "TRINITYCORE_MCP_RELEASE": release},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=wait + 600,
        )
    except OSError as error:
        raise MigrateError(f"{argv[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise MigrateError(f"{' '.join(argv[:2])} did not end within {wait + 600:g} s") from None


def _told(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(_lines(done.stderr) or _lines(done.stdout) or [f"it ended with status {done.returncode}"])


def _lines(text: str) -> list[str]:
    return [line.removeprefix("trinitycore-mcp: ") for line in text.strip().splitlines() if line.strip()][-15:]
