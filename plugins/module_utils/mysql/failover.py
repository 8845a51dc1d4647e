"""Make another server the primary because the primary is gone, without losing a write that it confirmed.

The primary confirms a write only when a replica has it (semi-synchronous). So

1. every replica stops receiving: whatever the lost primary still does, frozen or cut off, no replica has its writes any
   more, so it confirms none. That fences it, though it can't be reached.
2. The replica that has received the most applies it all. As each replica was asked, every confirmed write is there.
3. It forgets the lost primary, and is opened.
4. The others follow it.

May be interrupted anywhere: no server is opened before 3, and run again, it goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from .connection import Connection
from .errors import DatabaseError, ServerUnavailableError, TopologyError
from .flavor import Flavor
from .flavors import detect
from .replica import follow_all
from .state import ServerState
from .switchover import Progress, Server, claim_all, unheard


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds."""

    catch_up: float = 60.0
    """For the new primary to apply what it has received."""
    settle: float = 30.0
    """For each of the others to follow it."""


@dataclass
class Result:
    """What was found, and done."""

    lost: str
    """The primary that is gone; empty when there is one already."""
    primary: str
    """The primary now."""
    missing: list[str] = field(default_factory=list)
    """Replicas that could not be asked."""
    actions: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """From the first question to the new primary's opening."""


def fail_over(
    servers: Iterable[Server],
    limits: Limits,
    *,
    target: str = "",
    semi_sync: bool,
    force: Iterable[str] = (),
    dry: bool,
    progress: Progress = unheard,
) -> Result:
    """Make a server that answers the primary.

    :param target: which one; empty: the one that has received the most.
    :param semi_sync: whether the lost primary waited for replicas with every write.
    :param force: replicas that may be missing, and the lost primary where it did not wait: confirmed writes that only
        they have are given up.
    :raises TopologyError: the primary answers, or a confirmed write could be lost, or it is not clear which one was the
        primary; nothing was changed.
    :raises DatabaseError: a step failed; the message says what holds now.
    """
    with ExitStack() as stack:
        return _Failover(stack, list(servers), limits, semi_sync, set(force), progress).run(target, dry)


class _Failover:
    def __init__(
        self,
        stack: ExitStack,
        servers: list[Server],
        limits: Limits,
        semi_sync: bool,
        force: set[str],
        progress: Progress,
    ) -> None:
        self._began = time.monotonic()
        self._servers = {server.name: server for server in servers}
        self._limits, self._semi_sync, self._force, self._progress = limits, semi_sync, force, progress
        self._sessions: dict[str, Connection] = {}
        self._flavors: dict[str, Flavor] = {}
        self._states: dict[str, ServerState] = {}
        self._silent: dict[str, str] = {}
        # All at once: one that is silent costs the others no time.
        self._pool = stack.enter_context(ThreadPoolExecutor(len(servers)))
        self._stack = stack
        list(self._pool.map(self._ask, servers))
        self._states = {name: self._states[name] for name in self._servers if name in self._states}
        if unknown := sorted(self._force - set(self._servers)):
            raise TopologyError(f"force names {', '.join(unknown)}; database hosts are {', '.join(self._servers)}")

    def _ask(self, server: Server) -> None:
        try:
            session = self._stack.enter_context(server.open())
            flavor = detect(session)
            state = flavor.state(session)
        except ServerUnavailableError as error:
            self._silent[server.name] = str(error)
        else:
            self._sessions[server.name], self._flavors[server.name] = session, flavor
            self._states[server.name] = state

    def run(self, target: str, dry: bool) -> Result:
        if not dry:
            claim_all(self._sessions)
        lost = self._lost()
        candidates = [name for name in self._states if name != lost]
        missing = [name for name in self._silent if name != lost]
        self._refuse_to_lose(lost, missing)
        if target and target not in candidates:
            raise TopologyError(
                f"target is {target!r}; it must be one of the replicas that answer: {', '.join(candidates)}"
            )
        received = self._pool.map(lambda name: self._received(name, dry), candidates)
        positions = dict(zip(candidates, received, strict=True))
        new = self._choose(target, positions)
        result = Result(lost, new, missing, [f"make {new} the primary instead of {lost}"])
        if not dry:
            self._open(new, positions[new])
            result.seconds = time.monotonic() - self._began
        self._follow(result, [name for name in self._states if name != new], dry)
        return result

    def _lost(self) -> str:
        """Return the primary that is gone.

        :raises TopologyError: it is not gone, or nobody knows which one it was.
        """
        writable = [name for name, state in self._states.items() if not state.read_only]
        if writable:
            raise TopologyError(
                f"{' and '.join(writable)} answer(s) and take(s) writes, so there is nothing to fail over: "
                "use switchover.yml to move the primary, site.yml to make the others follow it"
            )
        if not self._states:
            raise TopologyError(f"no database host answers: {'; '.join(self._silent.values())}")
        by_address = {server.as_primary.address: name for name, server in self._servers.items()}
        sources = {
            name: by_address.get(state.replication.host, state.replication.host)
            for name, state in self._states.items()
            if state.replication is not None
        }
        # Where a run was interrupted, one that answers follows nobody any more, and perhaps none does.
        heads = set(sources.values()) - set(sources) if sources else set(self._silent)
        if len(heads) != 1:
            who = ", ".join(f"{name} follows {source}" for name, source in sources.items()) or "nobody follows any"
            raise TopologyError(f"which server was the primary is not clear: {who}")
        lost = heads.pop()
        if lost in self._states and not self._lacked_by(lost):
            raise TopologyError(
                f"{lost}, the primary, answers and is read-only, as after a restart: site.yml opens it again with all "
                "that it has. To move the primary all the same, do that first, then switchover.yml"
            )
        return lost

    def _lacked_by(self, lost: str) -> list[str]:
        """Return what replicas hold and a primary that came back lost in its crash: writes that it never confirmed."""
        mine = self._states[lost]
        flavor = self._flavors[lost]
        return [extra for state in self._states.values() for extra in flavor.errant_transactions(state, mine)]

    def _received(self, name: str, dry: bool) -> str:
        """Return the position that a replica has received, and have it receive no more."""
        if dry or self._states[name].replication is None:
            return self._states[name].gtid_position
        self._progress(f"{name} stops receiving")
        return self._flavors[name].stop_receiving(self._sessions[name])

    def _refuse_to_lose(self, lost: str, missing: list[str]) -> None:
        """:raises TopologyError: a confirmed write could be where nobody can ask, and nobody gave it up by name."""
        if not self._semi_sync and lost not in self._force and lost in self._silent:
            raise TopologyError(
                f"{lost} did not wait for replicas (mysql_semi_sync), so writes that it confirmed may be on it alone. "
                f"To give them up, say -e force={','.join([lost, *missing])}"
            )
        given_up = [name for name in missing if name not in self._force]
        if given_up:
            who = ", ".join(f"{name} ({self._silent[name]})" for name in given_up)
            raise TopologyError(
                f"{who} can't be asked, and may be the only one that has a write which {lost} confirmed. Bring it "
                f"back, or give such writes up by -e force={','.join(missing)}"
            )

    def _choose(self, target: str, positions: dict[str, str]) -> str:
        """Return the replica that has received all that any of them has.

        :raises TopologyError: the target lacks something.
        """
        whole = [
            name
            for name, position in positions.items()
            if not any(self._flavors[name].not_reached(position, other) for other in positions.values())
        ]
        if not whole:
            said = ", ".join(f"{name}: {position}" for name, position in positions.items())
            raise TopologyError(f"no replica has all that the others have ({said}); none was opened")
        if target and target not in whole:
            raise TopologyError(
                f"{target} has not received all that {', '.join(whole)} has; take that one, or none by name"
            )
        return target or whole[0]

    def _open(self, new: str, received: str) -> None:
        flavor, session = self._flavors[new], self._sessions[new]
        self._progress(f"{new} applies what it received")
        if not flavor.wait_for(session, received, self._limits.catch_up):
            raise DatabaseError(
                f"{new} has not applied all that it received ({received}) within {self._limits.catch_up:g} s. No "
                "server is open; run again, it goes on applying meanwhile"
            )
        if self._states[new].replication is not None:
            self._progress(f"{new} forgets its source")
            flavor.forget_source(session)
        self._progress(f"open {new}")
        flavor.set_semi_sync(session, self._semi_sync)
        flavor.set_read_only(session, False)

    def _follow(self, result: Result, others: list[str], dry: bool) -> None:
        primary = self._servers[result.primary].as_primary
        done, failed = follow_all(others, primary, self._sessions, self._limits.settle, dry, self._progress)
        result.actions += done
        if failed:
            raise DatabaseError(
                f"{result.primary} is the primary now, but not all of the others follow it: {'; '.join(failed)}. "
                "Run site.yml"
            )
