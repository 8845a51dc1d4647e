"""What we ask of systemd: a small interface, and its implementation by systemctl and journalctl."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from . import commands
from .errors import ComponentError

_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "InvocationID",
    "ActiveEnterTimestampMonotonic",
    "FragmentPath",
    "DropInPaths",
    "NeedDaemonReload",
    "CanReload",
)
# A database may take long to recover; its unit's own TimeoutStartSec is the real limit.
_VERB_TIMEOUT = 1800.0
_JOURNAL_LINES = 25


@dataclass(frozen=True)
class UnitState:
    """What systemd tells of one unit. `active_since` is in seconds since the epoch."""

    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    file_state: str = ""
    invocation: str = ""
    active_since: float | None = None
    definitions: tuple[str, ...] = ()
    needs_daemon_reload: bool = False
    can_reload: bool = False

    @property
    def is_active(self) -> bool:
        """It has come up and not gone down."""
        return self.active in ("active", "reloading", "refreshing")

    @property
    def is_down(self) -> bool:
        """Nothing of it runs or is about to."""
        return self.active in ("inactive", "failed")


class Systemd(Protocol):
    """What the unit logic needs of a service manager."""

    def show(self, names: Sequence[str]) -> dict[str, UnitState]:
        """State of each unit of `names`, known to systemd or not."""

    def daemon_reload(self) -> None:
        """Read the unit files again."""

    def act(self, verb: str, name: str) -> None:
        """Run `systemctl verb name` and wait for it; ComponentError with the unit's journal if it fails."""

    def journal(self, name: str, since: float) -> str:
        """Last lines that the unit logged since `since` (seconds since the epoch)."""


class Systemctl:
    """`Systemd` by the command line tools of the host."""

    def show(self, names: Sequence[str]) -> dict[str, UnitState]:
        """One call of `systemctl show`."""
        if not names:
            return {}
        done = commands.require(
            ["systemctl", "show", f"--property={','.join(_PROPERTIES)}", "--", *names],
            "units can't be looked up",
        )
        blocks = done.output.strip().split("\n\n")
        if len(blocks) != len(names):
            raise ComponentError(f"systemctl told of {len(blocks)} units, asked for {len(names)}: {done.text}")
        return {name: _parse(block) for name, block in zip(names, blocks, strict=True)}

    def daemon_reload(self) -> None:
        """`systemctl daemon-reload`."""
        commands.require(["systemctl", "daemon-reload"], "systemd can't read its unit files again")

    def act(self, verb: str, name: str) -> None:
        """`systemctl <verb> <name>`, its failure told with the journal's last lines."""
        began = time.time()
        done = commands.run(["systemctl", verb, "--", name], timeout=_VERB_TIMEOUT)
        if done.code != 0:
            raise ComponentError(f"{name}: {verb} failed: {done.text}{_told(self.journal(name, began - 1))}")

    def journal(self, name: str, since: float) -> str:
        """`journalctl -u <name>`; empty where there is none."""
        try:
            done = commands.run(
                [
                    "journalctl",
                    "--no-pager",
                    "-q",
                    "-o",
                    "cat",
                    "-n",
                    str(_JOURNAL_LINES),
                    f"--since=@{int(since)}",
                    "-u",
                    name,
                ]
            )
        except FileNotFoundError:
            return ""
        return done.output.strip()


def _told(journal: str) -> str:
    return f"\nLast lines of its journal:\n{journal}" if journal else ""


def failure(name: str, what: str, systemd: Systemd, since: float) -> ComponentError:
    """An error about the unit `name` that ends with what it logged since `since`."""
    return ComponentError(f"{name}: {what}{_told(systemd.journal(name, since))}")


def _parse(block: str) -> UnitState:
    values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    entered = int(values.get("ActiveEnterTimestampMonotonic") or 0)
    since = time.time() - time.monotonic() + entered / 1e6 if entered else None
    definitions = [values.get("FragmentPath", ""), *values.get("DropInPaths", "").split()]
    return UnitState(
        load=values.get("LoadState", "not-found"),
        active=values.get("ActiveState", "inactive"),
        sub=values.get("SubState", "dead"),
        file_state=values.get("UnitFileState", ""),
        invocation=values.get("InvocationID", ""),
        active_since=since,
        definitions=tuple(path for path in definitions if path),
        needs_daemon_reload=values.get("NeedDaemonReload") == "yes",
        can_reload=values.get("CanReload") == "yes",
    )
