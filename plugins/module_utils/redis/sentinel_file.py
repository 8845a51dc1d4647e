# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file that Sentinel itself rewrites: here only its line about the primary and the quorum matters."""

from __future__ import annotations

from dataclasses import dataclass

HEADER = """\
# Sentinel keeps here what it finds out and decides: the primary, its replicas, the other Sentinels.
# Settings belong in the file below /etc that is read after this one and wins.
"""


@dataclass(frozen=True)
class Monitor:
    """Which primary a Sentinel watches, and how many Sentinels must hold it for dead."""

    address: str
    port: int
    quorum: int


def _is_monitor(line: str, name: str) -> bool:
    words = line.split()
    return len(words) == 6 and [word.lower() for word in words[:2]] == ["sentinel", "monitor"] and words[2] == name


def monitored(text: str, name: str) -> Monitor | None:
    """Return what the file says about the group of servers called ``name``, None if nothing."""
    for line in text.splitlines():
        if _is_monitor(line, name):
            address, port, quorum = line.split()[3:]
            return Monitor(address, int(port), int(quorum))
    return None


def with_monitor(text: str | None, name: str, monitor: Monitor) -> str:
    """Return the file's text with this line; all others stay.

    :param text: what the file holds now, None if there is none.
    """
    wanted = f"sentinel monitor {name} {monitor.address} {monitor.port} {monitor.quorum}\n"
    lines = (HEADER if text is None else text).splitlines(keepends=True)
    if any(_is_monitor(line, name) for line in lines):
        return "".join(wanted if _is_monitor(line, name) else line for line in lines)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines, wanted])
