# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Release directories of a Python program on a host: installed beside each other, one of them current."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKER = "RELEASE.json"

# Run by the new environment's Python: the first argument is the wheel of PyPA's `installer`, the rest is installed.
# Measured on 35 wheels: 0.8 s of CPU, pip takes 2.5 s for the same.
INSTALL = """
import sys, sysconfig
sys.path.insert(0, sys.argv[1])
from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
there = SchemeDictionaryDestination(sysconfig.get_paths(), interpreter=sys.executable, script_kind="posix")
for path in sys.argv[2:]:
    with WheelFile.open(path) as wheel:
        install(source=wheel, destination=there, additional_metadata={"INSTALLER": b"trinitycore.mcp"})
"""


class ReleaseError(Exception):
    """A release cannot be installed or activated; the message says why."""


@dataclass
class Wanted:
    """What a host should hold."""

    version: str
    interpreter: str
    keep: int
    activate: str  # never | first | always
    instances: list[str] | None = None  # all that there are; None: the program has none, or nothing is said of them


@dataclass
class Plan:
    """What has to be done to get there."""

    install: bool
    activate: bool
    remove: list[str] = field(default_factory=list)
    switch: dict[str, str] = field(default_factory=dict)
    """Instances whose link has to be set, and the version that it leads to."""
    drop: list[str] = field(default_factory=list)
    """Instances that there are no more."""

    def __bool__(self) -> bool:
        """Whether anything has to be done."""
        return self.install or self.activate or bool(self.remove or self.switch or self.drop)


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Unpack an archive of wheels; return them sorted.

    :raises ReleaseError: it holds anything but wheels side by side.
    """
    files = []
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is None or Path(member.name).name != member.name or not member.name.endswith(".whl"):
                raise ReleaseError(f"{archive} is no archive of wheels: it holds {member.name}")
            files.append(folder / member.name)
            with files[-1].open("wb") as copy:
                shutil.copyfileobj(content, copy)
    return sorted(files)


class Releases:
    """The folder that holds ``releases/<version>/`` and the links ``current``, ``previous`` and ``instances/<name>``.

    An instance is started with what its own link leads to, so one of them can have another release than the rest, and
    keeps it when it crashes or the host boots. While a set of them stands by with another release than the current one,
    the link ``standby`` names that, and links of instances are only changed by ``arrange``.
    """

    def __init__(self, path: Path) -> None:
        """Look at the folder ``path``; it need not exist."""
        self.path = path
        self.folder = path / "releases"

    def linked(self, name: str) -> str | None:
        """Return the version that a link such as ``current`` leads to, None without one."""
        link = self.path / name
        return Path(os.readlink(link)).name if link.is_symlink() else None

    def instances(self) -> dict[str, str]:
        """Return the version of each instance that has a link."""
        folder = self.path / "instances"
        names = sorted(link.name for link in folder.iterdir() if link.is_symlink()) if folder.is_dir() else []
        return {name: self.linked(f"instances/{name}") or "" for name in names}

    def marker(self, version: str) -> dict[str, Any] | None:
        """Return what was noted when a release was completed, None if it is absent or incomplete."""
        try:
            noted: dict[str, Any] = json.loads((self.folder / version / MARKER).read_text())
        except (OSError, ValueError):
            return None
        return noted

    def installed(self) -> list[str]:
        """Return the versions that are there, complete or not, the oldest first."""
        if not self.folder.is_dir():
            return []
        entries = [entry for entry in self.folder.iterdir() if entry.is_dir()]
        return [entry.name for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime)]

    def plan(self, wanted: Wanted) -> Plan:
        """Return what has to be done for ``wanted``.

        A release counts as installed when it was completed with the interpreter that the host has now: after an
        upgrade of the operating system its virtual environment leads nowhere.

        :raises ReleaseError: another release would become current while a set stands by.
        """
        noted = self.marker(wanted.version)
        install = noted is None or noted.get("interpreter") != os.path.realpath(wanted.interpreter)
        current = self.linked("current")
        activate = wanted.activate == "always" or (wanted.activate == "first" and current is None)
        activate = activate and current != wanted.version
        standby = self.linked("standby")
        if activate and standby:
            raise ReleaseError(
                f"{wanted.version} can't become the current release while instances stand by with {standby}: "
                "blue_green.yml -e step=end first"
            )
        had = self.instances()
        switch, drop = self._instances_plan(wanted, had, wanted.version if activate else current, standby)
        kept = {wanted.version, wanted.version if activate else current, standby, *had.values()}
        kept.add(current if activate else self.linked("previous"))
        others = [version for version in self.installed() if version not in kept]
        spare = max(wanted.keep - len(kept - {None}), 0)
        return Plan(install, activate, others[: max(len(others) - spare, 0)], switch, drop)

    @staticmethod
    def _instances_plan(
        wanted: Wanted, had: dict[str, str], current: str | None, standby: str | None
    ) -> tuple[dict[str, str], list[str]]:
        """Return which links have to be set and which to be removed.

        Those that are there stay, but for ``always``, and then too while a set stands by.
        """
        if wanted.instances is None or current is None:
            return {}, []
        all_follow = wanted.activate == "always" and not standby
        switch = {
            name: current for name in wanted.instances if name not in had or (all_follow and had[name] != current)
        }
        return switch, [name for name in had if name not in wanted.instances]

    def install(self, wanted: Wanted, archive: Path, sha256: str) -> None:
        """Install a release from a wheelhouse archive, without any network.

        It is made where it will stay, since scripts carry its path, and counts from the moment its marker is
        written. What an interrupted run left is replaced.

        :raises ReleaseError: the environment could not be made or a wheel could not be installed.
        """
        target = self.folder / wanted.version
        shutil.rmtree(target, ignore_errors=True)
        os.umask(0o022)
        target.mkdir(parents=True)
        self._run(wanted.interpreter, "-m", "venv", "--without-pip", str(target))
        python = str(target / "bin" / "python")
        with tempfile.TemporaryDirectory(prefix="wheels-", dir=self.path) as wheels:
            files = unpack(archive, Path(wheels))
            installer = [str(path) for path in files if path.name.startswith("installer-")]
            if not installer:
                raise ReleaseError(f"{archive} holds no installer")
            others = [str(path) for path in files if str(path) not in installer]
            self._run(python, "-c", INSTALL, *installer, *others)
        # Compiled here and not by the service, which may not write to this place.
        self._run(python, "-m", "compileall", "-q", "-j", "0", str(target / "lib"))
        note = {
            "version": wanted.version,
            "archive_sha256": sha256,
            "interpreter": os.path.realpath(wanted.interpreter),
            "installed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        partial = target / f".{MARKER}"
        partial.write_text(json.dumps(note, indent=2) + "\n")
        os.sync()
        partial.replace(target / MARKER)

    def activate(self, version: str) -> None:
        """Point ``current`` at an installed release and ``previous`` at the one that was current.

        :raises ReleaseError: the release is not installed.
        """
        if self.marker(version) is None:
            raise ReleaseError(f"release {version} is not installed in {self.folder}")
        replaced = self.linked("current")
        if replaced is not None and replaced != version:
            self._link("previous", replaced)
        self._link("current", version)

    def switch(self, instance: str, version: str) -> None:
        """Have an instance started with an installed release from its next start on.

        :raises ReleaseError: the release is not installed.
        """
        if self.marker(version) is None:
            raise ReleaseError(f"release {version} is not installed in {self.folder}")
        (self.path / "instances").mkdir(mode=0o755, exist_ok=True)
        self._link(f"instances/{instance}", version)

    def links(self) -> dict[str, str]:
        """Return all links and the versions that they lead to."""
        named = {name: self.linked(name) for name in ("current", "previous", "standby")}
        instances = {f"instances/{name}": version for name, version in self.instances().items()}
        return {name: version for name, version in named.items() if version} | instances

    def arranged(self, current: str, standby: str, instances: dict[str, str]) -> dict[str, str]:
        """Return all links as they are after ``arrange``."""
        links = self.links()
        after = {name: version for name, version in links.items() if name != "standby"}
        after |= {"standby": standby} if standby else {}
        if current and current != links.get("current"):
            after |= {"current": current, **({"previous": links["current"]} if "current" in links else {})}
        return after | {f"instances/{name}": version for name, version in instances.items()}

    def arrange(self, current: str, standby: str, instances: dict[str, str]) -> None:
        """Say which instances are started with which release, which is current, and which stands by.

        Cut short anywhere, the link ``standby`` is there, so that nobody else changes links of instances.

        :param current: none leaves it as it is.
        :param standby: none: no set stands by.
        :raises ReleaseError: a release is not installed; nothing was changed then.
        """
        for version in dict.fromkeys([current, standby, *instances.values()]):
            if version and self.marker(version) is None:
                raise ReleaseError(f"release {version} is not installed in {self.folder}")
        if standby:
            self._link("standby", standby)
        for name, version in instances.items():
            self.switch(name, version)
        if current:
            self.activate(current)
        if not standby:
            (self.path / "standby").unlink(missing_ok=True)

    def drop(self, instances: list[str]) -> None:
        """Remove the links of instances."""
        for name in instances:
            (self.path / "instances" / name).unlink()

    def remove(self, versions: list[str]) -> None:
        """Delete releases; the marker goes first, so that a half deleted one never counts as installed."""
        for version in versions:
            (self.folder / version / MARKER).unlink(missing_ok=True)
            shutil.rmtree(self.folder / version)

    def _link(self, name: str, version: str) -> None:
        """Set a link so that it leads somewhere at every moment."""
        link = self.path / name
        partial = self.path / f".{link.name}.new"
        partial.unlink(missing_ok=True)
        partial.symlink_to(os.path.relpath(self.folder / version, link.parent))
        partial.replace(link)

    @staticmethod
    def _run(*command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
            raise ReleaseError(f"{' '.join(command[:2])} ... failed with status {done.returncode}:\n{said}")
