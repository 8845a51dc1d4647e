"""Which of a unit's files changed since it last started or was reloaded, across runs.

A stamp per unit in /run keeps the fingerprints of the watched files together with the unit's
invocation: a run that was killed between replacing a file and restarting the unit leaves an old
stamp, and the next run sees it. Without a usable stamp (after a boot, after a restart by hand) a
file counts as changed when it is newer than the unit's start.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from .systemd import UnitState

STAMPS = "/run/trinitycore-ansible"
ABSENT = "absent"


def digest(content: bytes) -> str:
    """Fingerprint of a file's content."""
    return hashlib.sha256(content).hexdigest()


def fingerprint(path: str) -> str:
    """Fingerprint of what is at `path`: a file's content, a link's target, a directory's files."""
    try:
        now = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    if stat.S_ISREG(now.st_mode):
        with open(path, "rb") as stream:
            return digest(stream.read())
    if os.path.islink(path):  # to a directory: the target's name stands for it, it may be huge
        return f"link:{os.readlink(path)}"
    if stat.S_ISDIR(now.st_mode):
        return digest(
            json.dumps({name: fingerprint(os.path.join(path, name)) for name in sorted(os.listdir(path))}).encode()
        )
    return f"special:{stat.S_IFMT(now.st_mode)}"


def changed_at(path: str) -> float:
    """When what is at `path` last changed (seconds since the epoch; 0 if there is nothing).

    The change time, not the modification time: it can't be set back by copying with times kept.
    """
    newest = 0.0
    for look in (os.lstat, os.stat):
        with suppress(FileNotFoundError, NotADirectoryError):
            newest = max(newest, look(path).st_ctime)
    if os.path.isdir(path) and not os.path.islink(path):
        newest = max([newest, *(changed_at(os.path.join(path, name)) for name in os.listdir(path))])
    return newest


@dataclass
class Stamp:
    """Fingerprints that a unit's run (`invocation`) was started and reloaded with."""

    invocation: str = ""
    restart: dict[str, str] = field(default_factory=dict)
    reload: dict[str, str] = field(default_factory=dict)


class Stamps:
    """The stamps of the host's units, one JSON file each below `directory`."""

    def __init__(self, directory: str = STAMPS) -> None:
        self._directory = directory

    def _path(self, unit: str) -> str:
        return os.path.join(self._directory, re.sub(r"[^\w@.:-]", "_", unit) + ".json")

    def read(self, unit: str) -> Stamp:
        """The stamp of `unit`; an empty one when there is none or it can't be read."""
        try:
            with open(self._path(unit), encoding="utf-8") as stream:
                values = json.load(stream)
            return Stamp(str(values["invocation"]), dict(values["restart"]), dict(values["reload"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Stamp()

    def write(self, unit: str, stamp: Stamp) -> None:
        """Keep `stamp` for the next run."""
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        staged = self._path(unit) + ".new"
        with open(staged, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
            json.dump({"invocation": stamp.invocation, "restart": stamp.restart, "reload": stamp.reload}, stream)
        os.replace(staged, self._path(unit))


class Watch:
    """Fingerprints of this call. `foreseen` holds what check mode would have written (path -> fingerprint)."""

    def __init__(self, foreseen: Mapping[str, str] | None = None) -> None:
        self._foreseen = dict(foreseen or {})
        self._known: dict[str, str] = {}

    def fingerprint(self, path: str) -> str:
        """Fingerprint of `path`, as it is or as it would be; each file is read once a call."""
        if path in self._foreseen:
            return self._foreseen[path]
        if path not in self._known:
            self._known[path] = fingerprint(path)
        return self._known[path]

    def fingerprints(self, paths: Iterable[str]) -> dict[str, str]:
        """Path -> fingerprint."""
        return {path: self.fingerprint(path) for path in sorted(set(paths))}

    def pending(self, now: Mapping[str, str], kept: Mapping[str, str], same_run: bool, state: UnitState) -> list[str]:
        """Paths of `now` (path -> fingerprint) that the running unit has not seen yet.

        `kept` are the fingerprints of its stamp, which counts only when it is of the `same_run`.
        """
        changed: list[str] = []
        for path, seen in now.items():
            if same_run and path in kept:
                if kept[path] != seen:
                    changed.append(path)
            elif path in self._foreseen or (state.active_since is not None and changed_at(path) > state.active_since):
                changed.append(path)
        return changed
