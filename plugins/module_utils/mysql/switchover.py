"""Make another server the primary, on purpose and without losing anything.

The order is such that it may be interrupted anywhere: no two servers are writable at any time, and none is opened
that lacks a transaction which somebody was told had succeeded.

1. The old primary is closed: from here on nobody is told that a write succeeded.
2. The target applies all that the old primary has. If it can't in time, the old primary is opened again.
3. The target stops following, and
4. is opened: the pause is over.
5. The old primary and the other replicas follow the target.

Interrupted before 4, no server is writable: run again, it goes on, or site.yml opens a server that holds everything.
Interrupted later, the target is the primary: either of them makes the rest follow it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from . import group
from .connection import Connection
from .errors import DatabaseError, ServerUnavailableError, TopologyError
from .flavors import detect
from .replica import Primary, follow_all
from .state import ServerState, release

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """A database host as the switchover reaches it."""

    name: str
    open: Callable[[], Connection]
    """Logs in with an account that switches roles.

    :raises ServerUnavailableError: it can't.
    """
    as_primary: Primary
    """How the others follow it."""


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds."""

    lag: int = 10
    """Behind the primary that the target may be at most when we begin."""
    patience: float = 5.0
    """For the old primary's statements that are under way when it is closed."""
    catch_up: float = 10.0
    """For the target to apply what it lacks then; nobody can write meanwhile."""
    settle: float = 30.0
    """For each of the others to follow the target."""


@dataclass
class Result:
    """What was done."""

    old: str
    """The primary before."""
    actions: list[str] = field(default_factory=list)
    pause: float = 0.0
    """Seconds during which no server took writes, as far as this run made it."""


def unheard(step: str) -> None:
    """Tell nobody."""


def switch_over(
    servers: Iterable[Server],
    target: str,
    limits: Limits,
    *,
    dry: bool,
    semi_sync: bool = False,
    progress: Progress = unheard,
) -> Result:
    """Make the target the primary and the others its replicas.

    Does what an interrupted run has left. Where all is done already, nothing happens.

    :param semi_sync: whether writes wait until a replica has them; the first ones wait until one follows the target.
    :param progress: is told each step before it is begun.
    :raises TopologyError: it would lose or merge data, or a server can't be asked; nothing was changed, or the old
        primary was opened again.
    :raises DatabaseError: a step failed; the message says what holds now and what to do.
    """
    with ExitStack() as stack:
        return _Switchover(stack, list(servers), target, limits, semi_sync, progress, dry=dry).run(dry)


def claim_all(sessions: Mapping[str, Connection]) -> None:
    """Be the only one that changes the servers' roles until the sessions end; always in the same order.

    :raises TopologyError: somebody else does so now.
    """
    for name, session in sorted(sessions.items()):
        if not detect(session).claim(session):
            raise TopologyError(f"another run is changing the role of {name} now; nothing was changed")


class _Switchover:
    def __init__(
        self,
        stack: ExitStack,
        servers: list[Server],
        target: str,
        limits: Limits,
        semi_sync: bool,
        progress: Progress,
        *,
        dry: bool,
    ) -> None:
        self._servers = {server.name: server for server in servers}
        if target not in self._servers:
            raise TopologyError(
                f"target is {target!r}; it must be one of the database hosts: {', '.join(self._servers)}"
            )
        self._target = target
        self._limits = limits
        self._semi_sync = semi_sync
        self._failed: list[str] = []
        self._progress = progress
        self._sessions = self._open_all(stack)
        if not dry:
            claim_all(self._sessions)
        # Replicas before the primary: whatever they hold legitimately is then seen there.
        flavors = {name: detect(session) for name, session in self._sessions.items()}
        states = {name: flavors[name].state(session) for name, session in self._sessions.items()}
        for name in [name for name, state in states.items() if not state.read_only]:
            states[name] = flavors[name].state(self._sessions[name])
        self._flavors, self._states = flavors, states

    def _open_all(self, stack: ExitStack) -> dict[str, Connection]:
        sessions, silent = {}, []
        for name, server in self._servers.items():
            try:
                sessions[name] = stack.enter_context(server.open())
            except ServerUnavailableError as error:
                silent.append(f"{name} ({error})")
        if silent:
            raise TopologyError(
                f"a switchover needs every database host, and can't ask {', '.join(silent)}. Nothing was changed. "
                "When it is gone for good, take it out of the inventory; when it is the primary that is gone, that is "
                "a failover"
            )
        return sessions

    def run(self, dry: bool) -> Result:
        if any(state.group is not None for state in self._states.values()):
            return self._ask_group(dry)
        old, was_open = self._old_primary()
        result = Result(old)
        if old != self._target:
            self._check(old, was_open)
            result.actions.append(f"make {self._target} the primary instead of {old}")
            if not dry:
                result.pause = self._move(old, was_open)
        others = [name for name in self._servers if name != self._target]
        done, failed = follow_all(
            sorted(others, key=lambda name: name != old),  # the old primary first: it has no source now
            self._servers[self._target].as_primary,
            self._sessions,
            self._limits.settle,
            dry,
            self._progress,
        )
        result.actions += done
        failed = self._failed + failed
        if failed:
            raise DatabaseError(
                f"{self._target} is the primary and takes writes, but not all of the others follow it: "
                f"{'; '.join(failed)}. Run again, or site.yml"
            )
        return result

    def _ask_group(self, dry: bool) -> Result:
        """Have the group choose the target, which it does when that has applied everything."""
        groups = {name: state.group for name, state in self._states.items()}
        names = {server.as_primary.address: name for name, server in self._servers.items()}
        leader = ""
        for name, member in groups.items():
            if member is None or not member.runs or member.state != "ONLINE":
                said = "has not loaded the plugin" if member is None else f"is {member.state or 'not to be asked'}"
                raise TopologyError(
                    f"{name} {said} and so no member of a running group: site.yml makes it one. Nothing was changed"
                )
            leader = member.primary
        result = Result(names.get(leader, leader))
        if result.old == self._target:
            return result
        result.actions.append(f"make {self._target} the primary instead of {result.old}")
        if not dry:
            self._progress(f"the group makes {self._target} the primary")
            began = time.monotonic()
            group.lead(
                self._sessions[self._target], self._servers[self._target].as_primary.address, self._limits.patience
            )
            result.pause = time.monotonic() - began
        return result

    def _old_primary(self) -> tuple[str, bool]:
        """Return the primary, and whether it is writable; where none is, a run was interrupted after it was closed."""
        writable = [name for name, state in self._states.items() if not state.read_only]
        if len(writable) > 1:
            raise TopologyError(
                f"{' and '.join(writable)} are both writable; make all but the true primary read-only "
                "(SET GLOBAL read_only=1) and run again"
            )
        if writable:
            return writable[0], True
        heads = [name for name, state in self._states.items() if state.replication is None]
        others = [name for name in heads if name != self._target]
        if len(others) != 1:
            raise TopologyError(
                f"no server is writable, and {', '.join(heads) or 'none'} follow(s) nobody: which one was the primary "
                "is not clear. site.yml opens the server that holds all that any of them holds"
            )
        return others[0], False

    def _check(self, old: str, was_open: bool) -> None:
        """Refuse what would lose data or end in replicas that can't follow; nothing was changed yet.

        :raises TopologyError: why.
        """
        target, primary = self._states[self._target], self._states[old]
        for name, state in self._states.items():
            if state.flavor != target.flavor:
                raise TopologyError(f"{self._target} is {target.flavor}, {name} is {state.flavor}")
            if release(state.version) < release(target.version):
                raise TopologyError(
                    f"{name} runs {state.version}, {self._target} the newer {target.version}, and servers do not "
                    f"follow newer ones: upgrade {name} first"
                )
            if extra := self._flavors[name].errant_transactions(state, primary):
                raise TopologyError(
                    f"{name} holds transactions that the primary {old} lacks: {', '.join(extra)}. Nothing was changed"
                )
        if not target.binlog:
            raise TopologyError(f"{self._target} keeps no binary log, so nobody could follow it")
        self._check_source(old, target, needed=was_open)

    def _check_source(self, old: str, target: ServerState, *, needed: bool) -> None:
        """:param needed: whether the target has to follow the primary; an interrupted run may have stopped that."""
        source = target.replication
        if source is None:
            if needed:
                raise TopologyError(f"{self._target} follows nobody; run site.yml to make it a replica of {old} first")
            return
        if not source.healthy:
            raise TopologyError(f"{self._target} does not replicate: {source.error or 'its threads do not run'}")
        if source.host != self._servers[old].as_primary.address:
            raise TopologyError(f"{self._target} follows {source.host}, not the primary {old}")
        if source.lag is None or source.lag > self._limits.lag:
            raise TopologyError(
                f"{self._target} is {source.lag} s behind {old}, allowed are {self._limits.lag} s: wait until it has "
                "caught up"
            )

    def _move(self, old: str, was_open: bool) -> float:
        """Close the old primary and open the target; return the seconds between."""
        old_flavor, old_session = self._flavors[old], self._sessions[old]
        flavor, session = self._flavors[self._target], self._sessions[self._target]
        began = time.monotonic()
        try:
            self._progress(f"close {old}")
            old_flavor.hold_writes(
                old_session, self._limits.patience, self._limits.patience + self._limits.catch_up + 10
            )
            self._progress(f"{self._target} catches up")
            position = old_flavor.state(old_session).gtid_position
            if not flavor.wait_for(session, position, self._limits.catch_up):
                raise TopologyError(f"{self._target} has not applied {position} within {self._limits.catch_up:g} s")
            if extra := flavor.errant_transactions(old_flavor.state(old_session), flavor.state(session)):
                raise TopologyError(f"{self._target} lacks {', '.join(extra)} of {old}")
        except BaseException as failure:
            if not was_open:
                raise
            self._progress(f"open {old} again")
            old_flavor.let_go(old_session, undo=False)
            old_flavor.set_read_only(old_session, False)
            raise TopologyError(f"{failure}. {old} was opened again and stays the primary") from failure
        self._progress(f"{self._target} stops following")
        flavor.forget_source(session)
        self._progress(f"open {self._target}")
        flavor.set_semi_sync(session, self._semi_sync)
        self._still_closed(old)
        flavor.set_read_only(session, False)
        pause = time.monotonic() - began
        self._progress(f"let go of {old}")
        try:
            old_flavor.let_go(old_session, undo=True)
            old_flavor.end_writers(old_session)
        except DatabaseError as error:  # the others must follow all the same, as writes wait for them
            self._failed.append(f"{old}: {error}")
        return pause

    def _still_closed(self, old: str) -> None:
        """:raises DatabaseError: somebody else has opened the old primary meanwhile, or it is gone."""
        if not self._flavors[old].state(self._sessions[old]).read_only:
            raise TopologyError(
                f"{old} was opened by somebody else meanwhile and stays the primary; run site.yml to make "
                f"{self._target} follow it again"
            )
