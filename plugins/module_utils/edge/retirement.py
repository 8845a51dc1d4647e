"""Members that leave a load balancer for good, since the inventory has them no more."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import states as edge_states
from .control import Control, NotRunning


@dataclass(frozen=True)
class Retirement:
    """Who stays.

    :ivar members: who stays, each with ``id`` and ``host``.
    :ivar states_file: of the operator's wishes.
    """

    control: Control
    members: Sequence[Mapping[str, Any]]
    states_file: str

    def drain(self, timeout: float, drain_timeout: float, *, dry: bool) -> dict[str, Any]:
        """Give no more calls to members that don't stay, and wait until those under way are finished.

        :param timeout: seconds in which NGINX must do as told.
        :param drain_timeout: seconds that calls under way may take.
        :param dry: say what would change, and change nothing.
        :return: the module's result.
        :raises EdgeError: nobody who answers would be left, or NGINX does not do it in time.
        """
        if not os.path.isdir(os.path.dirname(self.states_file)):
            return _result({}, {}, [])  # the very first run
        began = time.monotonic()
        with edge_states.locked(self.states_file):
            before = edge_states.read(self.states_file)
            try:
                known = self.control.status()["members"]
            except NotRunning:
                known = []
            leaving = self._leaving(known)
            active = [one["id"] for one in leaving if edge_states.state_of(one, before) == "active"]
            after = {**before, **dict.fromkeys(active, "drained")}
            remedy = "deploy those that take its place first, and take it out of the inventory then"
            edge_states.refuse_last(", ".join(active), known, before, after, remedy)
            if after != before and not dry:
                edge_states.write(self.states_file, after)
        names = [one["id"] for one in leaving]
        result = _result(before, after, names)
        if active and not dry:
            self.control.wait_until(dict.fromkeys(active, "drained"), timeout)
            self.control.wait_for_idle(active, drain_timeout)
            result["seconds"] = round(time.monotonic() - began, 2)
        return result

    def forget(self, timeout: float, *, dry: bool) -> dict[str, Any]:
        """Drop what was wished for members that don't stay, so that one that returns is as new.

        :param timeout: seconds in which NGINX must know that they are gone.
        :param dry: say what would change, and change nothing.
        :return: the module's result.
        :raises EdgeError: NGINX still knows them.
        """
        if not os.path.isdir(os.path.dirname(self.states_file)):
            return _result({}, {}, [])  # a first run in check mode
        if not dry:
            self.control.until(timeout, self._still_known)
        stay = {one[key] for one in self.members for key in ("id", "host")}
        with edge_states.locked(self.states_file):
            before = edge_states.read(self.states_file)
            after = {name: state for name, state in before.items() if name in stay}
            if after != before and not dry:
                edge_states.write(self.states_file, after)
        return _result(before, after, sorted(set(before) - set(after)))

    def _leaving(self, known: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        stay = {one["id"] for one in self.members}
        return [one for one in known if one["id"] not in stay]

    def _still_known(self, status: Mapping[str, Any]) -> str:
        names = ", ".join(one["id"] for one in self._leaving(status["members"]))
        return f"NGINX still has {names}" if names else ""


def _result(before: Mapping[str, str], after: Mapping[str, str], names: Sequence[str]) -> dict[str, Any]:
    return {**edge_states.change(before, after), "members": list(names)}
