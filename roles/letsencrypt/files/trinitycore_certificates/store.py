"""Certificates on this host: each in a folder of its own with its key; a link says which one is served.

``live/<name>`` leads to ``store/<name>/<version>``, with ``fullchain.pem``, ``privkey.pem`` and ``record.json``, so
that certificate and key change together, by one link. As long as there is no public certificate, the version
``stand-in`` leads on to the host's own of the internal CA. A file ``hsts.map`` in a version has NGINX send no HSTS.
"""

from __future__ import annotations

import datetime
import grp
import json
import os
from dataclasses import dataclass
from pathlib import Path

from . import files
from .certificate import Certificate, describe, judge, read_chain
from .config import Config, Wanted
from .errors import CertificateError

STAND_IN = "stand-in"
KEPT_VERSIONS = 3
NO_HSTS = '# Browsers do not trust this certificate: no promise that it will stay.\n"" "";\n'


@dataclass(frozen=True)
class Pair:
    """A certificate chain with its key, as PEM, and the ACME directory that it came from."""

    chain: str
    key: str
    directory_url: str


@dataclass(frozen=True)
class Installed:
    """A public certificate that is in place."""

    pair: Pair
    certificate: Certificate


@dataclass(frozen=True)
class Store:
    """The certificates below one folder, readable for root and one group."""

    folder: Path
    tls_directory: Path
    group: str
    trusted: bool

    @classmethod
    def of(cls, config: Config) -> Store:
        """Return the store of a host."""
        return cls(config.state_directory, config.tls_directory, config.group, config.trusted)

    @property
    def group_id(self) -> int:
        """Number of the group that may read.

        :raises CertificateError: there is no such group.
        """
        try:
            return grp.getgrnam(self.group).gr_gid
        except KeyError as error:
            raise CertificateError(f"group {self.group} does not exist") from error

    def live(self, name: str) -> Path:
        """Return the path under which a certificate is served."""
        return self.folder / "live" / name

    def version(self, name: str) -> str:
        """Return the version that is served, empty if there is none."""
        try:
            return Path(os.readlink(self.live(name))).name
        except OSError:
            return ""

    def prepare(self, name: str) -> bool:
        """See to it that something is served: without a public certificate, the host's own. Tells whether it had to."""
        if self.version(name) and (self.live(name) / "fullchain.pem").exists():
            return False
        self._folders(name)
        version = self.folder / "store" / name / STAND_IN
        files.directory(version, 0o750, self.group_id)
        files.link(version / "fullchain.pem", str(self.tls_directory / "host.crt"))
        files.link(version / "privkey.pem", str(self.tls_directory / "host.key"))
        files.write(version / "hsts.map", NO_HSTS, 0o640, self.group_id)
        self.switch(name, STAND_IN)
        return True

    def installed(self, name: str) -> Installed | None:
        """Return the public certificate that is served; None while a stand-in is, or none."""
        if self.version(name) in ("", STAND_IN):
            return None
        live = self.live(name)
        try:
            chain, key = (live / "fullchain.pem").read_text(), (live / "privkey.pem").read_text()
            record = json.loads((live / "record.json").read_text())
            pair = Pair(chain, key, record["directory_url"])
            return Installed(pair, describe(read_chain(chain)[0]))
        except (OSError, ValueError, KeyError, CertificateError):
            return None

    def install(self, wanted: Wanted, pair: Pair, now: datetime.datetime) -> Certificate:
        """Have a certificate served, if it is fit for it; the one before stays in place otherwise.

        The caller makes the servers read it, or goes back by :meth:`switch`.

        :raises CertificateError: it is not fit.
        """
        certificate = judge(pair.chain, pair.key, wanted.names, now)
        self._folders(wanted.name)
        name = f"{certificate.not_before:%Y%m%dT%H%M%S}-{certificate.serial:x}"
        version = self.folder / "store" / wanted.name / name
        files.directory(version, 0o750, self.group_id)
        files.write(version / "privkey.pem", pair.key, 0o640, self.group_id)
        files.write(version / "fullchain.pem", pair.chain, 0o640, self.group_id)
        record = json.dumps({"directory_url": pair.directory_url})
        files.write(version / "record.json", record, 0o640, self.group_id)
        if not self.trusted:
            files.write(version / "hsts.map", NO_HSTS, 0o640, self.group_id)
        self.switch(wanted.name, name)
        return certificate

    def prune(self, name: str) -> None:
        """Remove old versions; the newest few stay, the one that is served among them."""
        kept = {self.version(name), STAND_IN}
        versions = sorted(path for path in (self.folder / "store" / name).iterdir() if path.name not in kept)
        for path in versions[: max(0, len(versions) - KEPT_VERSIONS + 1)]:
            files.remove(path)

    def _folders(self, name: str) -> None:
        files.directory(self.folder, 0o750, self.group_id)
        for path in ("live", "store", f"store/{name}"):
            files.directory(self.folder / path, 0o750, self.group_id)

    def switch(self, name: str, version: str) -> None:
        """Have a version served that is there."""
        files.link(self.live(name), f"../store/{name}/{version}")
