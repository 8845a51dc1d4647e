# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes known by number and start time, never by name."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process of this boot: its number and its start in clock ticks after boot."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return start_of(self.pid) == self.started


def start_of(pid: int) -> int | None:
    """Start of a running process in clock ticks after boot; None when there is none or it is a zombie."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def boot_id() -> str:
    """A text that differs for every boot of this machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def is_first_of_namespace(pid: int) -> bool:
    """Whether the process is PID 1 of a PID namespace right below ours."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return line.split()[2:] == ["1"]  # the first number is ours for it
    return False


def kill_member(pid: int, still_member: Callable[[int], bool]) -> None:
    """SIGKILL a process, unless its number has meanwhile gone to one that is no member."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if still_member(pid):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)
