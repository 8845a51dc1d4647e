"""A service manager of our own for the unit logic: real files, units in memory."""

from __future__ import annotations

import grp
import os
import pwd
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.trinitycore.mcp.plugins.module_utils.component import apply as component
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.errors import ComponentError
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.report import Report
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.spec import ARGUMENT_SPEC
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.systemd import UnitState
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.watch import Stamps


class MemorySystemd:
    """Behaves as systemd does towards the unit logic, and remembers what it was asked."""

    def __init__(self) -> None:
        self.units: dict[str, UnitState] = {}
        self.calls: list[str] = []
        self.shows = 0
        self.broken: set[str] = set()
        self._invocations = 0

    def add(self, name: str, **state: Any) -> None:
        """Know the unit `name`, stopped and disabled unless `state` says more."""
        self.units[name] = UnitState(**{"load": "loaded", "file_state": "disabled", **state})

    def run(self, name: str) -> None:
        """Start it as a boot or a person would."""
        self._invocations += 1
        self.units[name] = replace(
            self.units[name],
            active="active",
            sub="running",
            invocation=f"run{self._invocations}",
            active_since=time.time(),
        )

    def show(self, names: Sequence[str]) -> dict[str, UnitState]:
        self.shows += 1
        return {name: self.units.get(name, UnitState()) for name in names}

    def daemon_reload(self) -> None:
        self.calls.append("daemon-reload")
        self.units = {name: replace(state, needs_daemon_reload=False) for name, state in self.units.items()}

    def act(self, verb: str, name: str) -> None:
        self.calls.append(f"{verb} {name}")
        if name not in self.units:
            raise ComponentError(f"{name}: not found")
        if name in self.broken and verb in ("start", "restart"):
            self.units[name] = replace(self.units[name], active="failed", sub="failed")
            raise ComponentError(f"{name}: {verb} failed")
        if verb in ("start", "restart"):
            self.run(name)
        elif verb == "stop":
            self.units[name] = replace(self.units[name], active="inactive", sub="dead", invocation="")
        elif verb in ("enable", "disable"):
            self.units[name] = replace(self.units[name], file_state=verb + "d")
        elif verb == "mask":
            self.units[name] = replace(self.units[name], load="masked", file_state="masked")
        elif verb == "unmask":
            self.units[name] = replace(self.units[name], load="loaded", file_state="disabled")

    def journal(self, name: str, since: float) -> str:
        return f"log of {name}"


@pytest.fixture
def systemd() -> MemorySystemd:
    return MemorySystemd()


@pytest.fixture
def me() -> dict[str, str]:
    """Owner and group that the test may give files to."""
    return {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name}


Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(systemd: MemorySystemd, tmp_path: Path, me: dict[str, str]) -> Call:
    """Apply options as the module does, files and directories owned by who runs the test."""

    def run(check: bool = False, commands: Sequence[str] = (), **options: Any) -> dict[str, Any]:
        for kind in ("files", "directories"):
            options[kind] = [{**me, **entry} for entry in options.get(kind, [])]
        options["check"] = list(commands)
        contents = {entry["dest"]: entry.pop("content", "").encode() for entry in options["files"]}
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(options)
        assert not checked.error_messages, checked.error_messages
        report = Report(check=check)
        component.apply(checked.validated_parameters, contents, systemd, Stamps(str(tmp_path / "stamps")), report)
        return {**report.result(with_diff=True), "warnings": report.warnings}

    return run
