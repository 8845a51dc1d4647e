"""Which server is the primary, decided from what all of them say; never from the inventory once they run.

Pure functions: every host computes the same answer from the same states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import TopologyError
from .flavors import FLAVORS
from .state import ServerState


@dataclass(frozen=True)
class Member:
    """A database host of the inventory. `state` is None when nobody could ask it."""

    name: str
    address: str
    state: ServerState | None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Member:
        """Build a member from ``{name, address, state}``, where the state is a dict or None."""
        state = data.get("state")
        return cls(str(data["name"]), str(data["address"]), ServerState.from_dict(state) if state else None)


@dataclass(frozen=True)
class Decision:
    """The primary and how we know."""

    primary: str
    bootstrap: bool
    reason: str
    takes_over: bool = False
    """Whether it may follow the one that was the primary before, and shall no more."""


def decide(members: list[Member], bootstrap_primary: str) -> Decision:
    """Say which member is the primary.

    A writable server is; else the one that the others follow (all were restarted); else, when nothing was ever
    replicated, the one the inventory names for the very first time.

    :raises TopologyError: two servers are writable, or they contradict each other, or a silent one might be
        the primary.
    """
    names = [member.name for member in members]
    if bootstrap_primary not in names:
        raise TopologyError(
            f"mysql_bootstrap_primary is {bootstrap_primary!r}; it must be one of the database hosts: "
            f"{', '.join(names)}"
        )
    _no_two_alike(members)
    _all_of_one_kind(members)
    known = {member.name: member.state for member in members if member.state is not None and member.state.running}
    silent = [name for name in names if name not in known]

    writable = [name for name, state in known.items() if not state.read_only]
    if len(writable) > 1:
        raise TopologyError(
            f"{' and '.join(writable)} are both writable; make all but the true primary read-only "
            "(SET GLOBAL read_only=1) and run again"
        )
    if writable:
        return _writable_primary(writable[0], known, members)

    following = {name: state.replication for name, state in known.items() if state.replication is not None}
    if following:
        return _followed_primary(members, known, silent)

    if not known:
        return Decision(bootstrap_primary, True, "no server runs yet")
    if silent:
        raise TopologyError(
            f"no server is writable or followed, and {', '.join(silent)} did not answer: one of them may be the "
            "primary. Start it, or take it out of the inventory"
        )
    return _bootstrap(known, bootstrap_primary)


def _no_two_alike(members: list[Member]) -> None:
    seen: dict[int, str] = {}
    for member in members:
        if member.state is None or not member.state.running:
            continue
        other = seen.setdefault(member.state.server_id, member.name)
        if other != member.name:
            raise TopologyError(f"{other} and {member.name} both have server_id {member.state.server_id}")


def _all_of_one_kind(members: list[Member]) -> None:
    kinds = {
        member.name: member.state.flavor for member in members if member.state is not None and member.state.running
    }
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{name} runs {kind}" for name, kind in kinds.items())
        raise TopologyError(f"{said}: all must be of one kind (mysql_flavor)")


def _writable_primary(name: str, known: dict[str, ServerState], members: list[Member]) -> Decision:
    followed = known[name].replication
    if followed is not None:
        raise TopologyError(
            f"{name} is writable, yet set up to follow {_name_of(followed.host, members)}. If it is to be the "
            "primary, run STOP SLAVE; RESET SLAVE ALL on it, else SET GLOBAL read_only=1"
        )
    return Decision(name, False, "it is writable")


def _followed_primary(members: list[Member], known: dict[str, ServerState], silent: list[str]) -> Decision:
    by_address = {member.address: member.name for member in members}
    followed: dict[str, list[str]] = {}
    for name, state in known.items():
        if state.replication is not None:
            host = state.replication.host
            if host not in by_address:
                raise TopologyError(f"{name} follows {host}, which is no database host of the inventory")
            followed.setdefault(by_address[host], []).append(name)
    heads = [name for name in followed if name in known and known[name].replication is None]
    if silent:
        raise TopologyError(
            f"no server is writable, and {', '.join(silent)} did not answer: it may be writable, so none is opened. "
            "Start it, or take it out of the inventory"
        )
    if len(heads) != 1:
        who = "; ".join(f"{', '.join(by)} follow(s) {name}" for name, by in followed.items())
        raise TopologyError(f"no server is writable, and which one to open is not clear: {who}")
    head = heads[0]
    if lacking := [extra for state in known.values() for extra in _lacks(known[head], state)]:
        # After a crash the primary has undone what it had not confirmed, and perhaps a replica has it all the same.
        whole = _whole(known)
        if not whole:
            raise TopologyError(
                f"no server is writable; the others follow {head}, which lacks {', '.join(lacking)}, and none has all "
                "that the others hold"
            )
        return Decision(
            whole[0], False, f"no server is writable, and {head} lacks transactions that it holds", takes_over=True
        )
    return Decision(head, False, f"{', '.join(followed[head])} follow(s) it, and no server is writable")


def _bootstrap(known: dict[str, ServerState], wanted: str) -> Decision:
    if len(known) == 1:
        return Decision(wanted, not known[wanted].gtid_state, "it is the only server")
    holding = [name for name, state in known.items() if state.holds_data and name != wanted]
    if holding and known[wanted].gtid_state and (whole := _whole(known)):
        # A switchover was interrupted after the new primary had stopped following the old one.
        head = wanted if wanted in whole else whole[0]
        return Decision(head, False, f"no server is writable or followed, and {head} holds all that any of them holds")
    if holding:
        raise TopologyError(
            f"no server is writable or followed; mysql_bootstrap_primary is {wanted}, but {', '.join(holding)} "
            "holds data. Nothing is overwritten: name the server whose data counts, and empty or remove the others"
        )
    return Decision(wanted, True, "nothing was replicated before")


def _whole(known: dict[str, ServerState]) -> list[str]:
    """Return the servers that hold every transaction of every other; none where one holds data without history."""
    if any(state.holds_data and not state.gtid_state for state in known.values()):
        return []
    return [name for name, state in known.items() if not any(_lacks(state, other) for other in known.values())]


def _lacks(state: ServerState, other: ServerState) -> list[str]:
    """Return the transactions of `other` that a server lacks."""
    return FLAVORS[state.flavor].errant_transactions(other, state)


def _name_of(address: str, members: list[Member]) -> str:
    return next((f"{member.name} ({address})" for member in members if member.address == address), address)
