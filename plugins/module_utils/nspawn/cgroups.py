# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A control group per host: it holds all of the host's processes, its limits, and freezes it.

Membership also is the truth about what runs: a host is found again by its group, even when the state directory is
gone or the process that started it was killed.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from .commands import LabError
from .processes import is_first_of_namespace, kill_member

MOUNTS = Path("/proc/self/mounts")
OWN = Path("/proc/self/cgroup")
TOP = "trinitycore-lab"
# Hierarchies that systemd inside a host makes use of, or that we do.
USED = {"systemd", "freezer", "memory", "pids", "cpu", "cpuacct", "blkio"}


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup tree: where our groups go, its controllers (``unified`` for cgroup v2), its mount point."""

    directory: Path
    controllers: frozenset[str]
    mount: Path


def hierarchies(mounts: str, own: str) -> list[Hierarchy]:
    """The trees in which a host gets a group.

    :param mounts: text of ``/proc/self/mounts``
    :param own: text of ``/proc/self/cgroup``
    """
    own_groups: dict[str, str] = {}
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        own_groups.update(dict.fromkeys(controllers.split(","), path))
    found = []
    for line in mounts.splitlines():
        _, directory, kind, options = line.split()[:4]
        if kind == "cgroup2":
            found.append(Hierarchy(Path(directory), frozenset({"unified"}), Path(directory)))
        elif kind == "cgroup":
            names = {option.removeprefix("name=") for option in options.split(",")} & USED
            if not names:
                continue
            base = Path(directory)
            if "memory" in names:
                # Below our own group, so that a limit set on us holds for the lab too.
                below = base / own_groups.get("memory", "/").lstrip("/")
                base = below if below.is_dir() else base
            found.append(Hierarchy(base, frozenset(names), Path(directory)))
    if not found:
        raise LabError("no control groups are mounted below /sys/fs/cgroup: the lab needs them")
    return found


def of_machine() -> list[Hierarchy]:
    """:func:`hierarchies` of this machine."""
    return hierarchies(MOUNTS.read_text(), OWN.read_text())


class HostCgroups:
    """The control groups of one host."""

    def __init__(self, lab: str, host: str, trees: list[Hierarchy] | None = None) -> None:
        self._trees = of_machine() if trees is None else trees
        self._relative = Path(TOP) / lab / host
        self.pure_v2 = all("unified" in tree.controllers for tree in self._trees)

    def _group(self, *controllers: str) -> Path | None:
        for tree in self._trees:
            if tree.controllers & set(controllers):
                return tree.directory / self._relative
        return None

    def _found(self, *controllers: str) -> list[Path]:
        """The host's groups that exist, in the trees of these controllers or in all.

        A run from another memory group than the one that started the host finds it all the same.
        """
        found = []
        for tree in self._trees:
            if controllers and not tree.controllers & set(controllers):
                continue
            if tree.directory == tree.mount:
                found.append(tree.directory / self._relative)
                continue
            for directory, names, _ in os.walk(tree.mount):
                if TOP in names:
                    names.remove(TOP)
                    found.append(Path(directory) / self._relative)
        return [group for group in found if group.is_dir()]

    @property
    def _member_group(self) -> Path:
        """The group that surely holds every process of the host."""
        group = self._group("unified" if self.pure_v2 else "freezer") or self._group("systemd", "unified")
        if group is None:
            raise LabError("neither a freezer nor a unified control group hierarchy is mounted")
        return group

    def create(self) -> None:
        """Make the groups."""
        for tree in self._trees:
            group = tree.directory / self._relative
            group.mkdir(parents=True, exist_ok=True)
            if self.pure_v2:
                # Processes live in leaves only, so the keeper and the machine get one each.
                for parent in (tree.directory, group.parent.parent, group.parent, group):
                    for controller in ("memory", "pids", "cpu", "io"):
                        with contextlib.suppress(OSError):
                            (parent / "cgroup.subtree_control").write_text(f"+{controller}")
                for leaf in ("keeper", "machine"):
                    (group / leaf).mkdir(exist_ok=True)

    def entrances(self) -> tuple[list[Path], list[Path]]:
        """``cgroup.procs`` files to enter: by the keeper, and by the machine it starts."""
        groups = [tree.directory / self._relative for tree in self._trees]
        if self.pure_v2:
            return [groups[0] / "keeper/cgroup.procs"], [groups[0] / "machine/cgroup.procs"]
        return [group / "cgroup.procs" for group in groups], []

    def limit(self, memory: int | None, cpus: float | None) -> None:
        """Set how much memory (bytes) and how many processors the host has; None for no limit."""
        period = 100_000
        quota = None if cpus is None else int(cpus * period)
        if self.pure_v2:
            settings = [
                (self._member_group / "memory.max", "max" if memory is None else str(memory)),
                (self._member_group / "cpu.max", f"{'max' if quota is None else quota} {period}"),
            ]
        else:
            settings = [
                (group / "memory.limit_in_bytes", str(-1 if memory is None else memory))
                for group in self._found("memory")
            ]
            settings += [
                (group / "cpu.cfs_quota_us", str(-1 if quota is None else quota)) for group in self._found("cpu")
            ]
        for wish, controller in ((memory, "memory"), (cpus, "cpu")):
            if wish is not None and not any(path.name.startswith(controller) for path, _ in settings):
                raise LabError(f"this machine cannot limit a host: it has no {controller} control groups")
        for path, value in settings:
            if path.exists():
                try:
                    path.write_text(value)
                except OSError as error:
                    raise LabError(f"{path}: {value} is refused: {error.strerror}") from error
            elif memory is not None or cpus is not None:
                raise LabError(f"this machine cannot limit a host: {path} is missing")

    def memory_used(self) -> int | None:
        """Bytes of memory the host holds, without the page cache where the kernel says so; None if unknown."""
        if self.pure_v2:
            with contextlib.suppress(OSError, ValueError):
                return int((self._member_group / "memory.current").read_text())
            return None
        used = None
        for group in self._found("memory"):
            with contextlib.suppress(OSError, ValueError):
                fields = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
                used = (used or 0) + int(fields["total_rss"]) + int(fields.get("total_shmem", 0))
        return used

    def processes(self) -> set[int]:
        """Numbers of all processes in the host's group and below."""
        found: set[int] = set()
        for directory, _, _ in os.walk(self._member_group):
            with contextlib.suppress(OSError):
                found.update(int(word) for word in (Path(directory) / "cgroup.procs").read_text().split())
        return found

    def first_process(self) -> int | None:
        """Number of the host's PID 1, as seen from outside; None when there is none."""
        return next((pid for pid in sorted(self.processes()) if is_first_of_namespace(pid)), None)

    def frozen(self) -> bool:
        """Whether the host is frozen or on the way there."""
        try:
            return self._freezer.read_text().strip() not in ("0", "THAWED")
        except FileNotFoundError:
            return False

    @property
    def _freezer(self) -> Path:
        """The file that freezes the host; in a directory that never exists where the machine cannot freeze."""
        if self.pure_v2:
            return self._member_group / "cgroup.freeze"
        return (self._group("freezer") or Path("/sys/fs/cgroup/freezer/none")) / "freezer.state"

    def freeze(self, *, frozen: bool) -> None:
        """Stop or resume all processes of the host at once.

        :raises LabError: the machine has no freezer, or it did not get there within 10 s
        """
        path = self._freezer
        value = str(int(frozen)) if self.pure_v2 else "FROZEN" if frozen else "THAWED"
        if not path.exists():
            raise LabError(f"this machine cannot freeze a host: {path} is missing")
        path.write_text(value)
        deadline = time.monotonic() + 10
        while not self._arrived(value):
            if time.monotonic() > deadline:
                raise LabError(f"{path}: {value} not reached within 10 s")
            time.sleep(0.01)

    def _arrived(self, value: str) -> bool:
        if self.pure_v2:
            return f"frozen {value}" in (self._member_group / "cgroup.events").read_text()
        return self._freezer.read_text().strip() == value

    def kill(self, timeout: float = 10.0) -> None:
        """Kill every process of the host at once, as a power cut does.

        :raises LabError: some are still there after ``timeout`` seconds
        """
        deadline = time.monotonic() + timeout
        first = self.first_process()
        if first is not None:
            # The kernel ends everything else in its namespace with it. Sent while still frozen, so that a frozen
            # host does not come to life for a moment.
            kill_member(first, lambda pid: pid in self.processes())
        if self.frozen():
            self.freeze(frozen=False)
        # What started it ends by itself and tidies up; after that there is no more waiting.
        patience = time.monotonic() + (3.0 if first is not None else 0.0)
        while members := self.processes():
            if time.monotonic() > patience:
                for pid in members:
                    kill_member(pid, lambda pid: pid in self.processes())
            if time.monotonic() > deadline:
                raise LabError(f"processes {sorted(members)} survive SIGKILL")
            time.sleep(0.02)

    def remove(self) -> None:
        """Remove the groups, and the lab's when it was its last.

        :raises LabError: a group is still in use after 5 s
        """
        deadline = time.monotonic() + 5
        for group in self._found():
            while group.is_dir():
                for directory, _, _ in os.walk(group, topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(directory)
                if group.is_dir():
                    if time.monotonic() > deadline:
                        raise LabError(f"{group} is still in use")
                    time.sleep(0.02)
            for parent in (group.parent, group.parent.parent):
                with contextlib.suppress(OSError):
                    parent.rmdir()

    def exist(self) -> bool:
        """Whether any group of the host is there."""
        return bool(self._found())


def hosts_of(lab: str, trees: list[Hierarchy] | None = None) -> set[str]:
    """Names of all hosts of a lab that have a control group, known to the state directory or not."""
    found: set[str] = set()
    for tree in of_machine() if trees is None else trees:
        with contextlib.suppress(FileNotFoundError):
            found.update(path.name for path in (tree.directory / TOP / lab).iterdir() if path.is_dir())
    return found
