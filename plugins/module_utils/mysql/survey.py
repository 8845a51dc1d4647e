"""Who does what among the database servers, as far as those that answer can tell.

Nothing is changed, and nothing is decided: what could not be seen, and what might be otherwise because of it, is said.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from .connection import Connection
from .errors import DatabaseError
from .flavors import FLAVORS, detect
from .state import SemiSync, ServerState

# Seconds for which a commit may wait for a replica that is there before it counts as hanging.
_HANGS = 2.0
# Part of the time that is for asking all; the rest is for asking one of them again.
_FIRST = 0.7


@dataclass(frozen=True)
class Answer:
    """What one database host said; `silence` is why it said nothing."""

    name: str
    address: str
    state: ServerState | None = None
    semi_sync: SemiSync | None = None
    silence: str = ""


@dataclass
class Finding:
    """What is known of one server."""

    name: str
    address: str
    role: str
    """C(primary), C(writable) where that does not make it the primary, C(replica), C(secondary), C(alone) or C(silent).

    C(secondary) is a member of a group that another one leads.
    """
    silence: str = ""
    state: ServerState | None = None
    semi_sync: SemiSync | None = None
    follows: str = ""
    """Name of the host that it follows, or the address where that is none of ours."""
    lacks: list[str] = field(default_factory=list)
    """What the reference has that it has not applied."""
    errant: list[str] = field(default_factory=list)
    """What it holds and the reference does not."""
    problems: list[str] = field(default_factory=list)


@dataclass
class Survey:
    """All servers, and what follows from them."""

    servers: list[Finding]
    primary: str
    """The one that takes writes; empty when none does, several do, or that can't be known."""
    certain: bool
    """Whether no silent server could make that wrong."""
    reference: str
    """Whom positions and errant transactions were compared with: the primary, else the most advanced."""
    conclusion: str
    """All of it in a sentence."""
    doubts: list[str]
    """What could not be seen, and what that means."""
    problems: list[str]
    """What is not as it should be."""


def ask_all(servers: Mapping[str, tuple[str, Callable[[], Connection]]], timeout: float) -> list[Answer]:
    """Ask all servers at once; one that is silent or frozen costs no more than the timeout.

    The one that the others are compared with is asked again when all have answered, so that it has seen what they have.

    :param servers: by name, the address and what logs in there. Whatever logs in gives up by itself some time.
    :param timeout: seconds for all of it.
    """
    asked = [_Asked(name, address, log_in) for name, (address, log_in) in servers.items()]
    _all_at_once(asked, timeout * _FIRST)
    reference = _reference([one.answer(timeout) for one in asked])
    _all_at_once([one for one in asked if one.name == reference], timeout * (1 - _FIRST))
    for one in asked:
        one.close()
    return [one.answer(timeout) for one in asked]


class _Asked:
    """A server that is being asked, in a thread that may be left behind."""

    def __init__(self, name: str, address: str, log_in: Callable[[], Connection]) -> None:
        self.name, self._address, self._log_in = name, address, log_in
        self._session: Connection | None = None
        self._said: tuple[ServerState, SemiSync] | None = None
        self._silence = ""
        self._busy = False

    def begin(self) -> threading.Thread:
        thread = threading.Thread(target=self._ask, daemon=True)
        self._busy = True
        thread.start()
        return thread

    def _ask(self) -> None:
        try:
            self._session = self._session or self._log_in()
            flavor = detect(self._session)
            self._said = flavor.state(self._session), flavor.semi_sync(self._session)
        except DatabaseError as error:
            self._said, self._silence = None, str(error)
        self._busy = False

    def answer(self, timeout: float) -> Answer:
        if self._busy or self._said is None:
            silence = f"no answer within {timeout:g} s" if self._busy else self._silence
            return Answer(self.name, self._address, silence=silence)
        return Answer(self.name, self._address, *self._said)

    def close(self) -> None:
        if self._session is not None and not self._busy:
            self._session.close()


def _all_at_once(asked: Iterable[_Asked], seconds: float) -> None:
    until = time.monotonic() + seconds
    for thread in [one.begin() for one in asked]:
        thread.join(max(0.0, until - time.monotonic()))


def describe(answers: list[Answer]) -> Survey:
    """Say who does what."""
    return _Describer(answers).survey()


def _known(answers: Iterable[Answer]) -> dict[str, ServerState]:
    return {answer.name: answer.state for answer in answers if answer.state is not None}


def _writable(known: Mapping[str, ServerState]) -> list[str]:
    return [name for name, state in known.items() if not state.read_only]


def _lacks(known: Mapping[str, ServerState], name: str, other: str) -> list[str]:
    """Return what `other` has and a server has not applied; nothing where they are of different kinds."""
    one, state = known[name], known[other]
    if one.flavor != state.flavor:
        return []
    return FLAVORS[one.flavor].not_reached(one.gtid_position, state.gtid_position)


def _extra(state: ServerState, other: ServerState) -> list[str]:
    """Return what a server holds that the other does not; nothing where they are of different kinds."""
    return FLAVORS[state.flavor].errant_transactions(state, other) if state.flavor == other.flavor else []


def _reference(answers: Iterable[Answer]) -> str:
    """Return the one that takes writes, else the most advanced; empty when nobody answers."""
    known = _known(answers)
    writable = _writable(known)
    if len(writable) == 1:
        return writable[0]

    def rank(name: str) -> tuple[int, int, bool]:
        # Among equals the one that holds least of its own, and that follows nobody: it was the primary.
        own = sum(len(_extra(known[name], other)) for other in known.values())
        return sum(len(_lacks(known, name, other)) for other in known), own, known[name].replication is not None

    return min(known, key=rank, default="")


class _Describer:
    def __init__(self, answers: list[Answer]) -> None:
        self._answers = answers
        self._known = _known(answers)
        self._names = {answer.address: answer.name for answer in answers}
        self._silent = [answer.name for answer in answers if answer.state is None]
        self._writable = _writable(self._known)
        self._primary = self._writable[0] if len(self._writable) == 1 else ""
        self._reference = _reference(answers)
        self._follows = {
            name: self._names.get(state.replication.host, state.replication.host)
            for name, state in self._known.items()
            if state.replication is not None
        }
        self._groups = {name: state.group for name, state in self._known.items() if state.group is not None}
        running = [group for group in self._groups.values() if group.runs]
        self._view = running[0] if running else None
        if self._groups:  # one that was cut off may believe to be it
            leader = self._names.get(self._view.primary, "") if self._view is not None else ""
            self._primary = leader if leader in self._known else ""

    def survey(self) -> Survey:
        servers = [self._finding(answer) for answer in self._answers]
        doubts, certain = self._doubts()
        problems = self._of_all() + [f"{one.name} {problem}" for one in servers for problem in one.problems]
        if not self._known:
            certain = False
        return Survey(servers, self._primary, certain, self._reference, self._conclusion(), doubts, problems)

    def _followers(self, name: str) -> list[str]:
        return [follower for follower, source in self._follows.items() if source == name]

    def _conclusion(self) -> str:
        if not self._known:
            return f"No database host answers ({', '.join(self._silent)}); nothing is known."
        if self._groups:
            return self._group_conclusion()
        if len(self._writable) > 1:
            return f"{' and '.join(self._writable)} all take writes: which one is the primary can't be said."
        suspects = self._suspects()
        if self._primary:
            also = f", as far as can be seen: {_and(suspects)} may take writes too" if suspects else ""
            return f"{self._primary} is the primary{also}."
        if suspects:
            followed = "; ".join(
                f"{_and(self._followers(one))} follow(s) {one}" for one in suspects if self._followers(one)
            )
            why = f" ({followed})" if followed else ""
            return f"The primary is unknown: {_and(suspects)} did not answer and may be it{why}."
        heads = [name for name in self._known if name not in self._follows and self._followers(name)]
        followed = f" {_and(self._followers(heads[0]))} follow(s) {heads[0]}." if len(heads) == 1 else ""
        return f"There is no primary: no server takes writes.{followed} site.yml opens the one that holds everything."

    def _group_conclusion(self) -> str:
        if self._view is None:
            silent = f", as far as {_and(list(self._known))} can tell ({_and(self._silent)} did not answer)"
            return (
                f"No group runs, so nobody can write{silent if self._silent else ''}. site.yml says which server holds "
                "everything and how to have the group begin anew."
            )
        leader = self._names.get(self._view.primary, self._view.primary) or "nobody"
        states = {self._names.get(address, address): state for address, state in self._view.members.items()}
        others = [f"{name} {state}" for name, state in states.items() if state != "ONLINE"]
        told = f"{', '.join(others)}" if others else "all ONLINE"
        return f"{leader} is the primary of a group of {len(states)} ({told})."

    def _suspects(self) -> list[str]:
        """Return the silent ones that may take writes: all but those to which the primary sends its binary log.

        Beside a group that has most of its members nobody can confirm a write.
        """
        if self._view is not None:
            return []
        sent_to = self._known[self._primary].followers if self._primary else []
        addresses = {answer.name: answer.address for answer in self._answers}
        return [name for name in self._silent if addresses[name] not in sent_to]

    def _doubts(self) -> tuple[list[str], bool]:
        suspects = self._suspects()
        doubts = []
        for answer in self._answers:
            name, followers = answer.name, self._followers(answer.name)
            if answer.state is not None:
                continue
            unseen = f"{name} is silent ({answer.silence}), so its position, lag and errant transactions are unknown"
            if name not in suspects:
                why = "the group has chosen another" if self._view else f"{self._primary} sends it its binary log"
                doubts.append(f"{unseen}; {why}, so it is {'not the primary' if self._view else 'a replica'}")
                continue
            may = "may take writes too" if self._primary else "may be the primary"
            doubts.append(f"{unseen}; it {may}{': ' * bool(followers)}{self._connected(followers)}")
        if not self._primary and len(self._writable) < 2 and self._silent and self._reference:
            doubts.append(
                f"errant transactions were looked for against {self._reference}, the most advanced that answers: what "
                f"{_and(self._silent)} holds may make others of them errant"
            )
        return doubts, not suspects and len(self._writable) < 2

    def _connected(self, followers: list[str]) -> str:
        """Say whether those that follow a silent server still hear from it."""
        healthy, lost = list[str](), list[str]()
        for name in followers:
            replication = self._known[name].replication
            (healthy if replication is not None and replication.io_running == "Yes" else lost).append(name)
        said = []
        if healthy:
            said.append(f"{_and(healthy)} still receive(s) from it")
        if lost:
            said.append(f"{_and(lost)} follow(s) it and hear(s) nothing from it")
        return ", ".join(said)

    def _of_all(self) -> list[str]:
        problems = []
        if len(self._writable) > 1 and not self._groups:
            problems.append(
                f"{' and '.join(self._writable)} all take writes. Make all but the true primary read-only at once "
                "(SET GLOBAL read_only=1)"
            )
        by_id: dict[int, list[str]] = {}
        for name, state in self._known.items():
            by_id.setdefault(state.server_id, []).append(name)
        problems += [f"{_and(names)} have the same server_id {number}" for number, names in by_id.items() if names[1:]]
        kinds = {state.flavor for state in self._known.values()}
        if len(kinds) > 1:
            problems.append(f"servers of different kinds ({', '.join(sorted(kinds))}), whose positions don't compare")
        return problems

    def _finding(self, answer: Answer) -> Finding:
        name, state = answer.name, answer.state
        if state is None:
            return Finding(name, answer.address, "silent", answer.silence)
        role = "replica" if state.replication is not None else "alone"
        if state.group is not None and state.group.runs:
            role = "secondary"
        if not state.read_only:
            role = "primary" if name == self._primary and state.replication is None else "writable"
        found = Finding(name, answer.address, role, state=state, semi_sync=answer.semi_sync)
        found.follows = self._follows.get(name, "")
        found.lacks = _lacks(self._known, name, self._reference)
        found.errant = self._errant(name, state)
        if state.group is not None:
            found.problems = self._group_problems(found, state)
        else:
            found.problems = [*self._replication_problems(found, state), *self._semi_sync_problems(found)]
        if found.errant:
            compared = [other for other in self._compared_with() if other != name]
            lack = "lacks" if len(compared) == 1 else "lack"
            found.problems.append(f"holds transactions that {_and(compared)} {lack}: {', '.join(found.errant)}")
        return found

    def _compared_with(self) -> list[str]:
        """Return those that take writes, or else the most advanced."""
        return self._writable or [self._reference]

    def _errant(self, name: str, state: ServerState) -> list[str]:
        """Return what a server holds and all lack that it is compared with."""
        lacked = [_extra(state, self._known[other]) for other in self._compared_with() if other != name]
        return [one for one in lacked[0] if all(one in other for other in lacked)] if lacked else []

    def _group_problems(self, found: Finding, state: ServerState) -> list[str]:
        group, problems = state.group, list[str]()
        if group is None:
            return problems
        if group.state != "ONLINE":
            problems.append(f"is {group.state or 'in a state that is not ours to read'} in its group")
        unheard = [
            self._names.get(address, address) for address, said in group.members.items() if said == "UNREACHABLE"
        ]
        if unheard:
            problems.append(f"does not hear {_and(unheard)}")
        if state.replication is not None:
            problems.append(f"is set up to follow {found.follows} beside its group")
        if group.runs and self._view is not None and group.primary != self._view.primary:
            problems.append("is in another group than others")
        if not state.read_only and not group.runs:
            problems.append("does not hear most of its group: it confirms no write")
        return problems

    def _replication_problems(self, found: Finding, state: ServerState) -> list[str]:
        there = state.replication
        if there is None:
            return ["follows nobody"] if self._primary and found.name != self._primary else []
        problems = []
        if not state.read_only:
            problems.append(f"takes writes, and is set up to follow {found.follows}")
        elif self._primary and found.follows != self._primary:
            problems.append(f"follows {found.follows}, not the primary {self._primary}")
        if not there.healthy:
            which = " and ".join(
                what for what, due in (("receive", there.io_running != "Yes"), ("apply", not there.sql_running)) if due
            )
            problems.append(f"does not {which} what {found.follows} sends: {there.error or 'it was stopped'}")
        return problems

    def _semi_sync_problems(self, found: Finding) -> list[str]:
        now = found.semi_sync
        if now is None or found.role not in ("primary", "writable") or len(self._answers) < 2:
            return []
        if not now.wanted:
            return ["lets no write wait for a replica (semi-synchronous replication is off)"]
        if not now.works:
            return [f"goes on without any replica, after {now.timeout:g} s: writes are on it alone"]
        if now.waiting and (now.replicas == 0 or now.longest_wait >= _HANGS):
            return [
                f"has commits that hang: {now.waiting} wait(s), the first for {now.longest_wait:g} s, and "
                f"{now.replicas or 'no'} replica(s) would confirm"
            ]
        return []


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nobody"


def summary(survey: Survey) -> list[str]:
    """Return it for people: the conclusion, a table, problems and doubts."""
    grouped = any(found.state is not None and found.state.group is not None for found in survey.servers)
    heading = ("host", "role", "server", "follows", "position", "lag", "lacks", "errant", "semi-sync")
    if grouped:
        heading = (*heading[:-1], "group")
    rows = [heading, *(_row(finding) for finding in survey.servers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines = [survey.conclusion, *lines]
    lines += [f"Problem: {problem}." for problem in survey.problems]
    lines += [f"Not seen: {doubt}." for doubt in survey.doubts]
    return lines


def _row(found: Finding) -> tuple[str, ...]:
    state = found.state
    if state is None:
        return (found.name, found.role, *["?"] * 7)
    lag = state.replication.lag if state.replication is not None else None
    return (
        found.name,
        found.role,
        f"{state.flavor} {state.version.partition('-')[0]}",
        found.follows or "-",
        state.gtid_position or "-",
        "-" if state.replication is None else "?" if lag is None else f"{lag} s",
        ",".join(found.lacks) or "-",
        ",".join(found.errant) or "-",
        state.group.state or "?" if state.group is not None else _semi_sync_cell(found.semi_sync, found.role),
    )


def _semi_sync_cell(now: SemiSync | None, role: str) -> str:
    if now is None:
        return "?"
    if role not in ("primary", "writable"):
        return "confirms" if now.confirms else "-"
    if not now.wanted:
        return "off"
    return f"{now.replicas} confirm, {now.waiting} wait" if now.works else "given up"
