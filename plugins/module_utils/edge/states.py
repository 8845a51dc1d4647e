"""The operator's wishes: which hosts and instances are drained or removed, kept in a file.

Only lb_member, lb_switch and lb_retire write it. A host's wish holds for its instances, also for those that it gets
later; an instance's own goes before its host's.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

STATES = ("active", "drained", "removed")
STATES_FILE: dict[str, dict[str, Any]] = {
    "states_file": {"type": "path", "default": "/var/lib/trinitycore-edge/states.json"}
}
"""Arguments of a module that reads or writes the wishes; documented by the fragment ``edge_states``."""


class EdgeError(Exception):
    """The edge can't be asked, or can't do what is wanted; the message says why."""


def read(path: str) -> dict[str, str]:
    """Return the wishes by name; none when there is no file.

    :raises EdgeError: the file is not as it is written here.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise EdgeError(f"{path} is not JSON: {error}; NGINX goes on with what it read before") from error
    if not isinstance(found, dict) or not all(state in STATES for state in found.values()):
        raise EdgeError(f"{path} must be an object whose values are {', '.join(STATES)}")
    return found


def text(states: Mapping[str, str]) -> str:
    """Return the wishes as they stand in the file."""
    return json.dumps(dict(states), indent=2, sort_keys=True) + "\n"


def write(path: str, states: Mapping[str, str]) -> None:
    """Replace the file of wishes.

    :raises EdgeError: it can't be written.
    """
    replace(path, text(states))


def replace(path: str, content: str) -> None:
    """Replace a file in one step, readable for NGINX's workers.

    :raises EdgeError: it can't be written.
    """
    staged = f"{path}.new"
    try:
        with open(staged, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        os.replace(staged, path)
    except OSError as error:
        raise EdgeError(f"{path} can't be written: {error.strerror}") from error


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep other runs out while the file is read and written.

    :raises EdgeError: its folder is not there.
    """
    try:
        lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise EdgeError(f"{path}: {error.strerror}; is the role nginx deployed on this host?") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def members_of(name: str, members: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the instances that a name stands for: itself, or all of a host."""
    return [member["id"] for member in members if name in (member["id"], member["host"])]


def changed_to(
    states: Mapping[str, str], name: str, state: str, members: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the wishes after a host or an instance was given a state.

    :param members: all that NGINX knows, each with ``id`` and ``host``.
    :raises EdgeError: nobody has that name.
    """
    if not members_of(name, members) and name not in states:
        known = sorted({word for member in members for word in (member["host"], member["id"])})
        raise EdgeError(f"{name!r} is neither an app host nor an instance; there are {', '.join(known) or 'none'}")
    hosts = {member["id"]: member["host"] for member in members}
    new = {key: value for key, value in states.items() if key != name and hosts.get(key) != name}
    inherited = new.get(hosts.get(name, ""), "active")
    if state != inherited:
        new[name] = state
    return new


def state_of(member: Mapping[str, Any], states: Mapping[str, str]) -> str:
    """Return what holds for an instance."""
    return states.get(member["id"], states.get(member["host"], "active"))


def serving(members: Sequence[Mapping[str, Any]], states: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return the members that are active."""
    return [member for member in members if state_of(member, states) == "active"]


def silences(members: Sequence[Mapping[str, Any]], before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Return whether nobody who is active would be up, where somebody is."""
    had, left = (any(member["health"] == "up" for member in serving(members, states)) for states in (before, after))
    return had and not left


def change(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Any]:
    """Return what every module says of new wishes."""
    return {
        "changed": after != before,
        "states": dict(after),
        "diff": {"before": text(before), "after": text(after)},
    }


def refuse_last(
    name: str, members: Sequence[Mapping[str, Any]], before: Mapping[str, str], after: Mapping[str, str], remedy: str
) -> None:
    """Refuse to take out the last one that would answer.

    :param members: all that NGINX knows, each with ``id``, ``host`` and ``health``.
    :param remedy: what helps.
    :raises EdgeError: nobody who is active, or nobody who is up, would be left where there was one.
    """
    left = serving(members, after)
    if serving(members, before) and not left:
        raise EdgeError(f"{name!r} is the last that is active: nobody would answer calls ({remedy})")
    if silences(members, before, after):
        down = ", ".join(f"{member['id']} is {member['health']}" for member in left)
        raise EdgeError(f"{name!r} is the last that is up ({down}): nobody would answer calls ({remedy})")
