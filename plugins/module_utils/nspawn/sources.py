# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The package sources of an image: the controller's own, turned to the image's release."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from .commands import LabError, run

DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# What makes the controller's mirrors work makes them work in a host too.
CARRIED_OPTIONS = (
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
)
LOOPBACK = re.compile(r"//(localhost|127\.|\[::1\])")


@dataclass(frozen=True)
class Source:
    """One package source: ``uris`` and ``suites`` as apt has them, ``signed_by`` a keyring file or empty."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    def text(self) -> str:
        """The source as a deb822 paragraph."""
        lines = [
            "Types: deb",
            f"URIs: {' '.join(self.uris)}",
            f"Suites: {' '.join(self.suites)}",
            f"Components: {' '.join(self.components)}",
            f"Signed-By: {self.signed_by or DEBIAN_KEYRING}",
        ]
        return "\n".join(lines) + "\n"


def parse_deb822(text: str) -> list[Source]:
    """Enabled binary sources of a ``.sources`` file; keys written into the file itself are left out."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t":
                fields[name] = fields.get(name, "") + "\n" + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        signed_by = fields.get("signed-by", "")
        found.append(
            Source(
                uris=tuple(fields.get("uris", "").split()),
                suites=tuple(fields.get("suites", "").split()),
                components=tuple(fields.get("components", "").split()),
                signed_by=signed_by if signed_by.startswith("/") and "\n" not in signed_by else "",
            )
        )
    return found


def parse_one_line(text: str) -> list[Source]:
    """Binary sources of a ``sources.list``."""
    found = []
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<rest>.*)", line.split("#")[0].strip())
        if not match:
            continue
        uri, _, rest = match["rest"].partition(" ")
        suite, *components = rest.split() or [""]
        if not components:
            continue
        options = dict(part.split("=", 1) for part in (match["options"] or "").split() if "=" in part)
        signed_by = options.get("signed-by", "")
        found.append(
            Source(
                uris=(uri,),
                suites=(suite,),
                components=tuple(components),
                signed_by=signed_by if signed_by.startswith("/") else "",
            )
        )
    return found


def of_machine(root: Path = Path("/")) -> list[Source]:
    """Every enabled source of a machine."""
    directory = root / "etc/apt"
    found = []
    if (directory / "sources.list").is_file():
        found += parse_one_line((directory / "sources.list").read_text())
    for path in sorted(directory.glob("sources.list.d/*")):
        if path.suffix == ".sources":
            found += parse_deb822(path.read_text())
        elif path.suffix == ".list":
            found += parse_one_line(path.read_text())
    return found


def for_release(release: str, machine: list[Source], codename: str) -> list[Source]:
    """The machine's sources of its own release, turned to another one.

    :param release: wanted release, such as ``trixie``
    :param machine: sources of this machine
    :param codename: Debian release of this machine, empty for another system
    :raises LabError: the machine is no Debian or has no sources of its own release
    """
    turned = []
    for source in machine if codename else []:
        suites = []
        for suite in source.suites:
            base, hyphen, rest = suite.partition("-")
            if base != codename or rest not in ("", "updates", "security"):
                continue
            if release == "sid" and rest:
                continue
            suites.append(release + hyphen + rest)
        if suites:
            turned.append(replace(source, suites=tuple(suites), components=("main",)))
    if not any(release in source.suites for source in turned):
        raise LabError(
            f"the apt sources of this machine ({codename or 'no Debian'}) name no Debian mirror for its own release, "
            f"so {release} can't be fetched; the lab runs on Debian"
        )
    return turned


def apt_options() -> list[str]:
    """The controller's apt settings that its mirrors need, as lines of an ``apt.conf``."""
    lines = []
    for line in run(["apt-config", "dump"]).splitlines():
        name = line.split(" ", 1)[0]
        # A proxy on the controller's loopback is out of a host's reach.
        if name in CARRIED_OPTIONS and not LOOPBACK.search(line):
            lines.append(line)
    return lines


def codename_of_machine(root: Path = Path("/")) -> str:
    """The machine's Debian release, empty when it is no Debian."""
    fields = dict(line.split("=", 1) for line in (root / "etc/os-release").read_text().splitlines() if "=" in line)
    return fields.get("VERSION_CODENAME", "").strip('"') if fields.get("ID", "").strip('"') == "debian" else ""
