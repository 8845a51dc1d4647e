"""Which server is the primary, decided from what all of them say; never from the inventory once they run.

Pure functions: every host computes the same answer from the same states.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from . import gtid_set
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
    begins_group: bool = False
    """Whether the servers are set up for a group, none runs, and it is the one to begin it."""


def decide(
    members: list[Member], bootstrap_primary: str, *, recover: str = "", give_up: Collection[str] = ()
) -> Decision:
    """Say which member is the primary.

    A writable server is; else the one that the others follow (all were restarted); else, when nothing was ever
    replicated, the one the inventory names for the very first time. Servers that form a group have chosen one.

    :param recover: the one that is to begin the group anew, when no member of it runs any more.
    :param give_up: members that did not answer, of which somebody knows that they don't run the group either.

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
    if any(state.group is not None for state in known.values()):
        return _of_group(members, known, silent, bootstrap_primary, recover, give_up)

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


def _of_group(
    members: list[Member],
    known: dict[str, ServerState],
    silent: list[str],
    bootstrap_primary: str,
    recover: str,
    give_up: Collection[str],
) -> Decision:
    """Return the primary that a running group has, or the server that begins the group."""
    groups = {name: state.group for name, state in known.items() if state.group is not None}
    by_address = {member.address: member.name for member in members}
    chosen = {name: by_address.get(group.primary, group.primary) for name, group in groups.items() if group.runs}
    if len(set(chosen.values())) > 1:
        said = ", ".join(f"{name} is in a group led by {primary or 'nobody'}" for name, primary in chosen.items())
        raise TopologyError(f"{said}: more than one group, or one that is choosing its primary just now. Run again")
    if chosen:
        [primary] = set(chosen.values())
        if primary not in known:
            raise TopologyError(f"the group is led by {primary or 'nobody'}, which does not answer. Run again")
        return Decision(primary, False, f"the group has chosen it ({', '.join(chosen)} say(s) so)")
    if not any(_ever_grouped(state) for state in known.values()):
        alone = [
            replace(member, state=replace(member.state, group=None)) if member.state else member for member in members
        ]
        decision = decide(alone, bootstrap_primary)
        return replace(decision, reason=f"there never was a group, and {decision.reason}", begins_group=True)
    return _of_ended_group(known, silent, recover, give_up)


def _of_ended_group(
    known: dict[str, ServerState], silent: list[str], recover: str, give_up: Collection[str]
) -> Decision:
    whole = [
        name for name in known if not any(_lacks(_all_of(known[name]), _all_of(state)) for state in known.values())
    ]
    missing = [name for name in silent if name not in give_up]
    why = "no member of the group runs, so nobody can write"
    if not whole:
        raise TopologyError(f"{why}, and no server holds all that the others hold: {', '.join(known)}")
    if missing:
        raise TopologyError(
            f"{why}, and {', '.join(missing)} did not answer: the group may run there, or a write that was confirmed "
            "may be there alone. Start it; or, where it is gone for good and what only it holds is to be given up, say "
            f"-e mysql_group_recover={whole[0]} -e mysql_group_give_up={','.join(missing)}"
        )
    if not recover:
        raise TopologyError(
            f"{why}; {' and '.join(whole)} hold(s) all that any server holds. To have the group begin anew with it, "
            f"say site.yml --tags mysql -e mysql_group_recover={whole[0]}"
        )
    if recover not in whole:
        what = "lacks transactions that others hold" if recover in known else "does not answer"
        raise TopologyError(f"mysql_group_recover is {recover!r}, which {what}; allowed is {' or '.join(whole)}")
    return Decision(recover, False, f"{why}, and it holds all that any server holds", begins_group=True)


def _ever_grouped(state: ServerState) -> bool:
    """Whether a transaction of the group is known to a server: the group's name is where they come from."""
    group = state.group
    return group is not None and f"{group.name.lower()}:" in f"{state.gtid_state},{group.received}"


def _all_of(state: ServerState) -> ServerState:
    """Return a state with what was received and not applied yet, since that is applied before anything else."""
    received = state.group.received if state.group is not None else ""
    if not received:
        return state
    return replace(state, gtid_state=gtid_set.union(state.gtid_state, received))


def lost_by_restart(members: list[Member], name: str, bootstrap_primary: str) -> str:
    """Return why a primary, restarted now and then read-only, would not be opened again; empty: it would be.

    A replica that holds what the primary lacks makes it look like one that a crash has taken confirmed writes from,
    though as long as it is open it is known to have them all.

    :param name: the server that is to be restarted; its state was read after the others'.
    """
    try:
        if decide(members, bootstrap_primary).primary != name:
            return ""
    except TopologyError:  # there is no primary yet that could be lost
        return ""
    closed = [
        replace(member, state=replace(member.state, read_only=True))
        if member.name == name and member.state is not None
        else member
        for member in members
    ]
    try:
        other = decide(closed, bootstrap_primary).primary
        why = "" if other == name else f"{other} would take its place"
    except TopologyError as error:
        why = f"none would be opened then: {error}"
    primary = next(member.state for member in members if member.name == name)
    extra = {
        member.name: more
        for member in members
        if primary is not None and member.state is not None and (more := _lacks(primary, member.state))
    }
    if why and extra:
        said = "; ".join(f"{holder} holds {', '.join(more)}" for holder, more in extra.items())
        why = (
            f"{said}, which it lacks, and after a restart it could not be told from one that has lost them. "
            f"rejoin.yml -e host={next(iter(extra))} saves them and says what to do about them"
        )
    return f"{name}, the primary, was not restarted, and takes writes as before: {why}" if why else ""


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
