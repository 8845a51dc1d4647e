"""Several members get and lose calls in one step: NGINX reads their states as one file, so no call sees half of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import states as edge_states
from .control import Control
from .states import EdgeError


@dataclass(frozen=True)
class Wish:
    """Who gets calls afterwards, and who no more; everybody else stays as they are.

    :ivar force: whether to do it although some of ``active`` are not up.
    """

    active: Sequence[str]
    drained: Sequence[str]
    force: bool = False

    def changed(self, states: Mapping[str, str], members: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the states afterwards.

        :raises EdgeError: a name is nobody's, or stands in both lists.
        """
        after = dict(states)
        for state, names in (("drained", self.drained), ("active", self.active)):
            for name in names:
                after = edge_states.changed_to(after, name, state, members)
        both = set(self._ids(self.active, members)) & set(self._ids(self.drained, members))
        if both:
            raise EdgeError(f"{', '.join(sorted(both))} can't be active and drained")
        return after

    def members(self, members: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the wanted state of each instance that is named, by itself or by its host."""
        wanted = dict.fromkeys(self._ids(self.drained, members), "drained")
        return wanted | dict.fromkeys(self._ids(self.active, members), "active")

    @staticmethod
    def _ids(names: Sequence[str], members: Sequence[Mapping[str, Any]]) -> list[str]:
        return [each for name in names for each in edge_states.members_of(name, members)]


def refuse_silence(
    wish: Wish, members: Sequence[dict[str, Any]], before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Refuse to leave nobody who answers, where there is somebody now.

    :raises EdgeError: nobody who is active would be up.
    """
    if edge_states.silences(members, before, after):
        left = edge_states.serving(members, after)
        reasons = [f"{each['id']} is {each['health']}" for each in left] or ["nobody else is active"]
        raise EdgeError(
            f"nobody would answer calls without {', '.join(wish.drained)}: {', '.join(reasons)}; nothing was changed"
        )


def switch(
    path: str, control: Control, wish: Wish, timeout: float, drain_timeout: float, *, dry: bool
) -> dict[str, Any]:
    """Bring members to their states in one step, and return the module's result.

    :param path: the file of states.
    :param timeout: seconds in which those that get calls must be up, and then in which NGINX must do as told.
    :param drain_timeout: seconds to wait for calls that drained ones work on; 0 waits for none.
    :param dry: say what would change, and change nothing.
    :raises EdgeError: it can't be done, or NGINX does not do it.
    """
    everybody = control.status()["members"]
    wanted = wish.members(everybody)
    wish.changed({}, everybody)  # names are looked at before anybody waits
    if not wish.force:
        getting = [name for name, state in wanted.items() if state == "active"]
        control.wait_until_up(getting, 0 if dry else timeout)
    with edge_states.locked(path):
        before = edge_states.read(path)
        everybody = control.status()["members"]
        after = wish.changed(before, everybody)
        refuse_silence(wish, everybody, before, after)
        began = time.monotonic()
        if after != before and not dry:
            edge_states.write(path, after)
    result = edge_states.change(before, after)
    if dry:
        return result
    control.wait_until(wanted, timeout, up=not wish.force)
    result["seconds"] = round(time.monotonic() - began, 2)
    drained = [name for name, state in wanted.items() if state != "active"]
    if drained and drain_timeout > 0:
        control.wait_for_idle(drained, drain_timeout)
    return result
