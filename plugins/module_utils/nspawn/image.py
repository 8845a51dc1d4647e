# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Base images: one Debian tree per recipe, built once, shared by all hosts as the lower layer of an overlay."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import sources
from .commands import LabError, run
from .files import locked, write_json

# Raised when the steps below change in a way that the recipe's fields do not show.
FORMAT = 1

# A machine as it comes from a provider: systemd, SSH, Python, the tools of every administrator. Nothing that a
# role has to prove it can install.
PACKAGES = (
    "ca-certificates",
    "cron",
    "curl",
    "dbus",
    "debian-archive-keyring",
    "iproute2",
    "iputils-ping",
    "less",
    "libpam-systemd",
    "netbase",
    "nftables",
    "openssh-server",
    "openssl",
    "procps",
    "python3",
    "python3-apt",
    "python3-venv",
    "systemd",
    "systemd-sysv",
    "tzdata",
)

# No hardware, no second copy of the documentation, no fsync per unpacked file: it is a lab.
DPKG_OPTIONS = (
    "force-unsafe-io",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
)

# $1 is the new tree. What must differ from host to host is removed; hosts get their own.
FINISH = r"""
set -eu
for unit in systemd-networkd.service ssh.service cron.service; do
    chroot "$1" systemctl enable --quiet "$unit"
done
# No package run in the background may hold dpkg's lock while a role wants it; no console, so no login on it.
for unit in apt-daily.timer apt-daily-upgrade.timer; do
    chroot "$1" systemctl disable --quiet "$unit"
done
chroot "$1" systemctl mask --quiet console-getty.service systemd-networkd-wait-online.service
mkdir -p "$1/var/log/journal"
rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname" "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"
rm -f "$1/var/lib/mysql/auto.cnf"
: > "$1/etc/machine-id"
"""


@dataclass(frozen=True)
class Kind:
    """A sort of image: its Debian release and what comes on top.

    ``legacy``: what its systemd has to be told to run on cgroup v1; None where it no longer can.
    """

    release: str
    packages: tuple[str, ...] = ()
    legacy: tuple[str, ...] | None = None


KINDS = {
    "bookworm": Kind("bookworm", legacy=()),
    "trixie": Kind("trixie", legacy=("systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")),
    # Debian ships Oracle's MySQL in sid only.
    "mysql": Kind("sid", ("mysql-server", "mysql-router")),
}


def default_cache() -> Path:
    """Where images are kept unless said otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "trinitycore-mcp" / "images"


@dataclass(frozen=True)
class Recipe:
    """All that decides what an image holds."""

    name: str
    release: str
    packages: tuple[str, ...]
    sources: str
    apt_options: tuple[str, ...]
    dpkg_options: tuple[str, ...] = DPKG_OPTIONS
    finish: str = FINISH
    authorities: tuple[tuple[str, str], ...] = field(default=())

    @property
    def identity(self) -> str:
        """Name of the image's directory: another recipe, another directory."""
        known = json.dumps([FORMAT, *(getattr(self, name) for name in self.__dataclass_fields__)])
        return f"{self.name}-{hashlib.sha256(known.encode()).hexdigest()[:12]}"


def recipe(name: str, root: Path = Path("/")) -> Recipe:
    """The recipe of an image on this machine.

    :param name: one of :data:`KINDS`
    :raises LabError: no such kind
    """
    if name not in KINDS:
        raise LabError(f"image {name!r}: one of {', '.join(KINDS)} wanted")
    kind = KINDS[name]
    origin = sources.for_release(kind.release, sources.of_machine(root), sources.codename_of_machine(root))
    own = sorted((root / "usr/local/share/ca-certificates").glob("*.crt"))
    return Recipe(
        name=name,
        release=kind.release,
        packages=tuple(sorted({*PACKAGES, *kind.packages})),
        sources="\n".join(source.text() for source in origin),
        apt_options=(*sources.apt_options(), 'Acquire::Languages "none";'),
        # Mirrors behind a company's own authority stay reachable from inside.
        authorities=tuple((path.name, path.read_text()) for path in own),
    )


def is_built(wanted: Recipe, cache: Path) -> bool:
    """Whether the finished image is there. Only a finished one ever bears the name."""
    return (cache / wanted.identity / "image.json").is_file()


def tree(wanted: Recipe, cache: Path) -> Path:
    """The image's file tree, the lower layer of its hosts."""
    return cache / wanted.identity / "tree"


def clear_unfinished(cache: Path, wanted: Recipe) -> None:
    """Remove what killed builds of this image left; to be called with its lock held."""
    for left in cache.glob(f".building-{wanted.identity}*"):
        shutil.rmtree(left, ignore_errors=True)


def build(wanted: Recipe, cache: Path) -> Path:
    """Build an image unless it is there; return its tree.

    The tree grows under another name and is renamed when complete, in mount and process namespaces of its own:
    a killed build leaves a directory that the next one clears, and nothing else.

    :raises LabError: mmdebstrap failed; its last lines are in the text
    """
    with locked(cache / f".{wanted.identity}.lock", timeout=1800) as lock:
        if is_built(wanted, cache):
            return tree(wanted, cache)
        clear_unfinished(cache, wanted)
        growing = cache / f".building-{wanted.identity}"
        growing.mkdir(mode=0o755)
        try:
            _bootstrap(wanted, growing, lock)
            write_json(growing / "image.json", describe(wanted))
            os.sync()
            growing.rename(cache / wanted.identity)
        except BaseException:
            shutil.rmtree(growing, ignore_errors=True)
            raise
    return tree(wanted, cache)


def describe(wanted: Recipe) -> dict[str, Any]:
    """What ``image.json`` says."""
    return {
        "name": wanted.name,
        "release": wanted.release,
        "packages": list(wanted.packages),
        "format": FORMAT,
    }


def _bootstrap(wanted: Recipe, growing: Path, lock: int) -> None:
    origin = growing / "debian.sources"
    origin.write_text(wanted.sources)
    finish = growing / "finish.sh"
    finish.write_text("#!/bin/sh\n" + wanted.finish)
    finish.chmod(0o755)
    # Ends with this process, and its namespace's processes with it.
    argv = ["setpriv", "--pdeathsig", "KILL"]
    argv += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
    argv += ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"]
    # Indexes stay in the image: a new host then installs without fetching and sorting them once more.
    argv += ["--skip=cleanup/apt/lists", f"--include={','.join(wanted.packages)}"]
    argv += [f"--aptopt={option}" for option in wanted.apt_options]
    argv += [f"--dpkgopt={option}" for option in wanted.dpkg_options]
    if wanted.authorities:
        authorities = growing / "authorities"
        authorities.mkdir()
        for name, text in wanted.authorities:
            (authorities / name).write_text(text)
        argv.append(
            f'--customize-hook=cp {_quoted(authorities)}/* "$1/usr/local/share/ca-certificates/"'
            ' && chroot "$1" update-ca-certificates >/dev/null'
        )
    argv += [f'--customize-hook={_quoted(finish)} "$1"', wanted.release, str(growing / "tree"), str(origin)]
    try:
        # The lock goes with the children: nobody starts a second build beside one that is still ending.
        run(argv, timeout=1500, pass_fds=(lock,))
    except LabError as error:
        raise LabError(f"image {wanted.name}: {error}") from error
    for name in ("debian.sources", "finish.sh"):
        (growing / name).unlink()
    shutil.rmtree(growing / "authorities", ignore_errors=True)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"


def remove(wanted: Recipe, cache: Path) -> None:
    """Remove an image; hosts made of it cannot start again."""
    with locked(cache / f".{wanted.identity}.lock", timeout=60):
        clear_unfinished(cache, wanted)
        target = cache / wanted.identity
        doomed = cache / f".building-{wanted.identity}-removed"
        with contextlib.suppress(FileNotFoundError):
            target.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        (cache / f".{wanted.identity}.lock").unlink(missing_ok=True)
