"""Settings of a host, as the role writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CertificateError

CONFIG = Path("/etc/trinitycore-certificates/config.json")
KEY_TYPES = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072")
CHALLENGES = ("http-01", "dns-01")


@dataclass(frozen=True)
class Wanted:
    """One certificate that should exist.

    :ivar port: port of this host that serves it under its first name; 0 if none does.
    """

    name: str
    names: tuple[str, ...]
    challenge: str
    key_type: str
    port: int = 0


@dataclass(frozen=True)
class Peer:
    """A host that serves the same certificates; `rank` is its place in the order in which hosts renew."""

    name: str
    address: str
    rank: int


@dataclass(frozen=True)
class Dns:
    """How DNS-01 is answered: a plugin of certbot and the file with its credentials."""

    plugin: str
    credentials: str
    propagation_seconds: int


@dataclass(frozen=True)
class Config:
    """Settings.

    :ivar trusted: whether browsers trust this authority, as they do not a staging one.
    :ivar renew_share: share of a certificate's lifetime, at its end, in which it is renewed.
    :ivar interval: seconds between two scheduled runs at most; a peer that is silent for longer than two of them counts
        as gone.
    :ivar retry_delay: seconds to wait after a failed attempt; doubles with each further one.
    """

    host: str
    rank: int
    peers: tuple[Peer, ...]
    port: int
    listen: str
    certificates: tuple[Wanted, ...]
    directory_url: str
    ca_bundle: str
    email: str
    profile: str
    trusted: bool
    renewal_info: bool
    renew_share: float
    interval: int
    retry_delay: int
    dns: Dns | None
    webroot: Path
    state_directory: Path
    wake_file: Path
    tls_directory: Path
    group: str
    reload_units: tuple[str, ...]
    metrics_file: Path | None

    @classmethod
    def read(cls, path: Path) -> Config:
        """Read the configuration file.

        :raises CertificateError: it can't be read, or says what makes no sense.
        """
        try:
            config = cls._from(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CertificateError(f"{path}: {error}") from error
        config.check()
        return config

    @classmethod
    def _from(cls, values: dict[str, Any]) -> Config:
        key_type, challenge = values.pop("key_type"), values.pop("challenge")
        values["certificates"] = tuple(
            Wanted(
                name=one["name"],
                names=tuple(one["names"]),
                challenge=one.get("challenge", challenge),
                key_type=one.get("key_type", key_type),
                port=one.get("port", 0),
            )
            for one in values["certificates"]
        )
        values["peers"] = tuple(Peer(**one) for one in values["peers"])
        values["reload_units"] = tuple(values["reload_units"])
        values["dns"] = Dns(**values["dns"]) if values["dns"] else None
        values["metrics_file"] = Path(values["metrics_file"]) if values["metrics_file"] else None
        for name in ("webroot", "state_directory", "wake_file", "tls_directory"):
            values[name] = Path(values[name])
        return cls(**values)

    def check(self) -> None:
        """Look at what types can't tell.

        :raises CertificateError: something is contradictory.
        """
        if not 0 < self.renew_share < 1:
            raise CertificateError(f"renew_share is {self.renew_share}: must be between 0 and 1")
        names = [one.name for one in self.certificates]
        if len(set(names)) != len(names):
            raise CertificateError(f"two certificates have one name: {', '.join(names)}")
        for one in self.certificates:
            if not one.names:
                raise CertificateError(f"certificate {one.name}: has no names")
            if one.key_type not in KEY_TYPES:
                raise CertificateError(f"certificate {one.name}: key_type must be one of {', '.join(KEY_TYPES)}")
            if one.challenge not in CHALLENGES:
                raise CertificateError(f"certificate {one.name}: challenge must be one of {', '.join(CHALLENGES)}")
            if one.challenge == "dns-01" and self.dns is None:
                raise CertificateError(f"certificate {one.name}: dns-01 needs letsencrypt_dns_plugin")
            if one.challenge == "http-01" and any(name.startswith("*.") for name in one.names):
                raise CertificateError(f"certificate {one.name}: a wildcard name needs the challenge dns-01")
