# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wheelhouses: a Python package with everything it needs, in one archive per target, made on the controller."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# What the package is built from, beside src/. Other files of the folder (tests, notes) change no release.
BUILD_FILES = ("pyproject.toml", "requirements.txt")
SKIPPED_STARTS = (".", "__pycache__")
SKIPPED_SUFFIXES = (".pyc", ".egg-info")


class WheelhouseError(Exception):
    """The wheelhouse cannot be made; the message says why."""


@dataclass(frozen=True)
class Target:
    """What wheels must fit: ``python`` as ``3.11``, ``machine`` as ``x86_64``, ``glibc`` as ``2.36``."""

    python: str
    machine: str
    glibc: str

    @property
    def key(self) -> str:
        """A name for files and dictionaries, such as ``cp311-glibc2.36-x86_64``."""
        return f"cp{self.python.replace('.', '')}-glibc{self.glibc}-{self.machine}"

    def pip_options(self) -> list[str]:
        """Return the options that make pip choose wheels for this target instead of for itself."""
        abi = "cp" + self.python.replace(".", "")
        newest = int(self.glibc.split(".")[1])
        # pip takes explicit platforms literally: every older glibc that the target can run has to be named.
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in range(newest, 4, -1)]
        platforms += [f"manylinux2014_{self.machine}"]
        return [
            *("--implementation", "cp", "--python-version", self.python),
            *(word for name in (abi, "abi3", "none") for word in ("--abi", name)),
            *(word for name in platforms for word in ("--platform", name)),
        ]


def source_files(source: Path) -> list[Path]:
    """Return the files that a release is built from, sorted.

    :raises WheelhouseError: the folder holds no package.
    """
    if not (source / "pyproject.toml").is_file() or not (source / "src").is_dir():
        raise WheelhouseError(f"{source} holds no Python package: pyproject.toml and src/ are expected there")
    files = [source / name for name in BUILD_FILES if (source / name).is_file()]
    for path in (source / "src").rglob("*"):
        parts = path.relative_to(source).parts
        if any(part.startswith(SKIPPED_STARTS) or part.endswith(SKIPPED_SUFFIXES) for part in parts):
            continue
        if path.is_file():
            files.append(path)
    return sorted(files)


def project_version(source: Path) -> str:
    """Return the version that pyproject.toml states, or the file that it names for hatchling.

    :raises WheelhouseError: no version is found.
    """
    settings = tomllib.loads((source / "pyproject.toml").read_text())
    stated = settings.get("project", {}).get("version")
    if stated is None:
        named = settings.get("tool", {}).get("hatch", {}).get("version", {}).get("path")
        text = (source / named).read_text() if named and (source / named).is_file() else ""
        found = re.search(r"^__version__\s*(?::.*)?=\s*[\"']([^\"']+)", text, re.MULTILINE)
        stated = found and found[1]
    if not stated:
        raise WheelhouseError(f"{source / 'pyproject.toml'} neither states a version nor names the file of it")
    return str(stated)


def project_extras(source: Path) -> list[str]:
    """Return the names of the project's optional dependencies, which are deployed too."""
    settings = tomllib.loads((source / "pyproject.toml").read_text())
    return sorted(settings.get("project", {}).get("optional-dependencies", {}))


def source_version(source: Path) -> str:
    """Return the release that a package's sources make: its version and a hash of its content.

    The same sources and pinned requirements always give the same name, so a release directory of that name
    never has to be looked into.

    :raises WheelhouseError: the folder holds no package, or no version is found.
    """
    digest = hashlib.sha256()
    for path in source_files(source):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(source)}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{project_version(source)}-{digest.hexdigest()[:8]}"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def default_cache() -> Path:
    """Return where wheelhouses are kept: ``$XDG_CACHE_HOME/trinitycore-mcp/wheelhouse``."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "trinitycore-mcp" / "wheelhouse"


class Wheelhouse:
    """The archives of one package's sources, in a cache folder that several runs may share."""

    def __init__(self, source: Path, cache: Path, installer: str, version: str = "") -> None:
        """Name what to build.

        :param source: folder of the package: pyproject.toml, requirements.txt (pinned), src/.
        :param cache: folder that keeps archives and downloaded wheels between runs.
        :param installer: requirement of PyPA's `installer`, which hosts take from the archive.
        :param version: release that is wanted; empty for the one that the sources make.
        :raises WheelhouseError: as :func:`source_version`.
        """
        self.source = source
        self.cache = cache
        self.installer = installer
        made = source_version(source)
        self.version = version or made
        self.can_build = self.version == made

    def archive(self, target: Target) -> Path:
        """Return where the archive of a target is, or will be once built."""
        name = hashlib.sha256(f"{self.installer}".encode()).hexdigest()[:4]
        return self.cache / f"{self.version}-{target.key}-{name}.tar"

    def build(self, targets: Sequence[Target], keep: int) -> list[Target]:
        """Make the archives that are missing; return the targets for which one was made.

        Of another release than the sources make, none can be made.

        :param keep: how many archives of each target stay in the cache.
        :raises WheelhouseError: pip could not build the package or find a wheel for a requirement.
        """
        with self._lock():
            missing = [target for target in targets if not self.archive(target).is_file()]
            if not self.can_build:
                return []
            if missing:
                wheel = self._package_wheel()
                for target in missing:
                    self._pack(target, [wheel, *self._dependencies(target, wheel)])
            for target in targets:
                # Archives are dropped by age of last use.
                os.utime(self.archive(target))
                self._prune(target, keep)
            return missing

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one run at a time work in the cache."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _package_wheel(self) -> Path:
        """Build the package's own wheel, from a copy, so that nothing is left in the source folder."""
        with tempfile.TemporaryDirectory(prefix="wheel-", dir=self.cache) as work:
            copy = Path(work) / "source"
            copy.mkdir()
            for path in source_files(self.source) + [path for path in self.source.glob("*.md") if path.is_file()]:
                target = copy / path.relative_to(self.source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            if source_version(copy) != self.version:
                raise WheelhouseError(f"{self.source} was changed while it was being packaged; run again")
            out = Path(work) / "out"
            self._pip("wheel", "--no-deps", "--wheel-dir", str(out), str(copy))
            (built,) = out.glob("*.whl")
            kept = self.cache / "packages" / self.version / built.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            return built.replace(kept)

    def _dependencies(self, target: Target, wheel: Path) -> list[Path]:
        """Return the wheels that the package needs on a target, downloading what the cache lacks.

        They depend on the requirements alone, so a change of our code downloads nothing.
        """
        requirements = self.source / "requirements.txt"
        key = hashlib.sha256(
            b"\0".join([self.installer.encode(), *((self.source / name).read_bytes() for name in BUILD_FILES)])
        ).hexdigest()[:16]
        folder = self.cache / "dependencies" / f"{key}-{target.key}"
        if not folder.is_dir():
            partial = folder.with_name(folder.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            # The wheel takes part, so that pip proves that the pinned set satisfies what the package declares, extras
            # included: they are switched on by configuration, which must not need another installation.
            extras = project_extras(self.source)
            package = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
            self._pip(
                *("download", "--only-binary=:all:", "--dest", str(partial), *target.pip_options()),
                *("--requirement", str(requirements), self.installer, package),
            )
            (partial / wheel.name).unlink(missing_ok=True)
            partial.rename(folder)
        return sorted(folder.glob("*.whl"))

    def _pack(self, target: Target, wheels: Sequence[Path]) -> None:
        """Write the archive of a target; it appears whole or not at all."""
        archive = self.archive(target)
        partial = archive.with_suffix(".partial")
        # Wheels are compressed already.
        with tarfile.open(partial, "w") as tar:
            for path in wheels:
                tar.add(path, arcname=path.name)
        partial.replace(archive)

    def _prune(self, target: Target, keep: int) -> None:
        """Drop all but the most recently used archives of a target."""
        archives = sorted(self.cache.glob(f"*-{target.key}-*.tar"), key=lambda path: path.stat().st_mtime)
        for path in archives[: -max(keep, 1)]:
            path.unlink()

    def _pip(self, command: str, *arguments: str) -> None:
        """Run a command of the controller's pip.

        :raises WheelhouseError: it failed; carries the end of what it said.
        """
        options = ["--quiet", "--disable-pip-version-check", "--no-input"]
        done = subprocess.run(
            [sys.executable, "-m", "pip", command, *options, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
            raise WheelhouseError(f"pip {command} failed with status {done.returncode}:\n{said}")
