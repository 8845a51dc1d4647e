"""Units of a component, brought one after the other to their state; the next waits for the one before."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from . import commands
from .errors import ComponentError
from .report import Report
from .systemd import Systemd, UnitState, failure
from .watch import ABSENT, Stamp, Stamps, Watch

_DEFINED_IN = ("/etc/systemd/system/", "/run/systemd/system/")
_NOTHING_TO_ENABLE = ("static", "alias", "generated", "transient", "indirect")
# How long a service without a readiness check must have stayed up after its start.
_SETTLE = 0.3


def is_definition(path: str) -> bool:
    """Whether `path` is a unit file or a drop-in of the host's administrator (ours, not a package's)."""
    return path.startswith(_DEFINED_IN)


def _defines(path: str, unit: str) -> bool:
    """Whether `path` is a unit file or a drop-in of `unit` or of the template it is an instance of."""
    if not is_definition(path):
        return False
    stem, dot, kind = unit.rpartition(".")
    names = {unit}
    if "@" in stem:
        names.add(f"{stem.split('@', 1)[0]}@{dot}{kind}")
    first = os.path.relpath(path, "/etc/systemd/system").split("/")[0]
    return first in names or first.removesuffix(".d") in names


class Units:
    """The wanted units against a service manager.

    `written` are the files of this call, the default of what a unit is restarted for. `before_acting`
    is called once before the first start, restart or reload.
    """

    def __init__(
        self,
        systemd: Systemd,
        report: Report,
        watch: Watch,
        stamps: Stamps,
        written: Iterable[str] = (),
        before_acting: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._systemd = systemd
        self._report = report
        self._watch = watch
        self._stamps = stamps
        self._written = list(written)
        self._before_acting = before_acting
        self._sleep = sleep
        self._states: dict[str, UnitState] = {}

    def ensure(self, wanted: list[dict[str, Any]], reload_needed: bool) -> None:
        """Bring all units of `wanted` (keys of the option `units`) to their state, in order.

        `reload_needed` tells that this call touched unit files. Raises ComponentError when a unit
        can't be brought there; its last log lines are in the message.
        """
        names = [unit["name"] for unit in wanted]
        for name in names:
            if "." not in name or names.count(name) > 1:
                raise ComponentError(f"unit '{name}' must be listed once, with its ending such as '.service'")
        if reload_needed and not self._report.check:
            self._systemd.daemon_reload()
        self._states = self._systemd.show(names)
        if not self._report.check and any(state.needs_daemon_reload for state in self._states.values()):
            self._systemd.daemon_reload()
            self._states = self._systemd.show(names)
        for unit in wanted:
            self._ensure_one(unit)

    def _state(self, name: str) -> UnitState:
        if name not in self._states:
            self._states.update(self._systemd.show([name]))
        return self._states[name]

    def _act(self, verb: str, name: str, text: str) -> None:
        """Do `verb` (unless only foretelling), tell `text`, forget states: one unit may move others."""
        if not self._report.check:
            if verb in ("start", "restart", "reload"):
                self._before_acting()
                if self._state(name).active == "failed":
                    self._systemd.act("reset-failed", name)
            self._systemd.act(verb, name)
            self._states.clear()
        self._report.note(f"{name}: {text}")

    def _ensure_one(self, unit: dict[str, Any]) -> None:
        name: str = unit["name"]
        state = self._state(name)
        is_masked = state.load == "masked"
        if unit.get("masked") is False and is_masked:
            self._act("unmask", name, "unmask")
        self._ensure_enabled(name, unit.get("enabled"))
        if unit.get("state") == "stopped":
            if not self._state(name).is_down:
                self._act("stop", name, "stop")
                self._report.stopped.append(name)
        elif unit.get("state") == "started" or self._state(name).is_active:
            self._ensure_started(unit)
        if unit.get("masked") and not is_masked:
            self._act("mask", name, "mask")

    def _ensure_enabled(self, name: str, enabled: bool | None) -> None:
        now = self._state(name).file_state
        is_enabled = now in ("enabled", "linked")
        if enabled is None or is_enabled == enabled or now in _NOTHING_TO_ENABLE:
            return
        if not enabled and now in ("", "disabled", "masked", "bad"):
            return
        self._act("enable" if enabled else "disable", name, "enable" if enabled else "disable")

    def _watched(self, unit: dict[str, Any], state: UnitState) -> tuple[dict[str, str], dict[str, str]]:
        """Fingerprints of the files that ask for a restart and of those that ask for a reload."""
        name: str = unit["name"]
        restart_on: list[str] | None = unit.get("restart_on")
        reload_on: list[str] | None = unit.get("reload_on")
        if restart_on is None and reload_on is None:
            restart_on = [path for path in self._written if not is_definition(path)]
        definitions = [path for path in state.definitions if is_definition(path)]
        definitions += [path for path in self._written if _defines(path, name)]
        return (
            self._watch.fingerprints([*(restart_on or []), *definitions]),
            self._watch.fingerprints(reload_on or []),
        )

    def _ensure_started(self, unit: dict[str, Any]) -> None:
        name: str = unit["name"]
        state = self._state(name)
        restart_on, reload_on = self._watched(unit, state)
        began = time.time()
        if not state.is_active:
            self._start(name, state)
            self._report.started.append(name)
            self._settle(unit, restart_on, reload_on, began)
            return
        stamp = self._stamps.read(name)
        same_run = stamp.invocation == state.invocation
        reasons = self._watch.pending(restart_on, stamp.restart, same_run, state)
        if same_run:  # a drop-in that is gone can't be among the watched any more
            reasons += [
                path
                for path, seen in stamp.restart.items()
                if path not in restart_on and seen != ABSENT and is_definition(path) and not os.path.lexists(path)
            ]
        reasons += self._probe(unit)
        to_reload = self._watch.pending(reload_on, stamp.reload, same_run, state)
        if reasons or (to_reload and not state.can_reload):
            self._act("restart", name, f"restart because of {', '.join([*reasons, *to_reload])}")
            self._report.restarted.append(name)
            self._settle(unit, restart_on, reload_on, began)
        elif to_reload:
            self._act("reload", name, f"reload because of {', '.join(to_reload)}")
            self._report.reloaded.append(name)
            self._settle(unit, restart_on, reload_on, began)
        elif not same_run:  # started by someone else (a boot, a person, a run that was killed)
            self._settle(unit, restart_on, reload_on, began)
        elif (stamp.restart, stamp.reload) != (restart_on, reload_on) and not self._report.check:
            self._stamps.write(name, Stamp(state.invocation, restart_on, reload_on))

    def _start(self, name: str, state: UnitState) -> None:
        """Start a unit that is not up; one that fails again and again may just be at it with its former files."""
        try:
            self._act("start", name, "start")
        except ComponentError:
            if state.is_down:
                raise
            self._act("restart", name, "start")

    def _probe(self, unit: dict[str, Any]) -> list[str]:
        """Why the running unit is not as it should be, by its own probe; empty when it is."""
        argv: list[str] | None = unit.get("probe")
        if not argv:
            return []
        try:
            failed = commands.run(argv).code != 0
        except FileNotFoundError:
            failed = not self._report.check  # in check mode its package may be yet to come
        return [f"its failed probe '{' '.join(argv)}'"] if failed else []

    def _settle(
        self, unit: dict[str, Any], restart_on: dict[str, str], reload_on: dict[str, str], began: float
    ) -> None:
        """Wait until the unit is ready, then remember what it runs with."""
        if self._report.check:
            return
        name: str = unit["name"]
        ready: dict[str, Any] | None = unit.get("ready")
        self._states.pop(name, None)
        if ready is not None:
            # Here, because it pulls in HTTP and TLS, a third of the cost of a call that changes nothing.
            from . import readiness  # noqa: PLC0415

            reason = readiness.wait(ready, lambda: self._systemd.show([name])[name].active == "failed", self._sleep)
            if reason is not None:
                raise failure(name, reason, self._systemd, began - 1)
        elif name.endswith(".service"):
            state = self._state(name)
            if state.active_since is not None and time.time() - state.active_since < _SETTLE:
                self._sleep(_SETTLE)
                self._states.pop(name, None)
        state = self._state(name)
        if state.active == "failed" or state.sub == "auto-restart":
            raise failure(name, f"it does not stay up ({state.active}, {state.sub})", self._systemd, began - 1)
        self._stamps.write(name, Stamp(state.invocation, restart_on, reload_on))
