"""An authority, certificates of any age, and hosts that share them, in folders."""

from __future__ import annotations

import datetime
import grp
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from roles.letsencrypt.files.trinitycore_certificates.certificate import key_pem, new_key
from roles.letsencrypt.files.trinitycore_certificates.config import Config
from roles.letsencrypt.files.trinitycore_certificates.store import Pair
from tests.support.binaries import free_port
from tests.support.certificates import Authority

DIRECTORY = "https://acme.test/dir"
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


class PublicAuthority:
    """Signs certificates of any age, by an intermediate as public authorities do."""

    def __init__(self) -> None:
        self._root, self._key = new_key("ecdsa-p256"), new_key("ecdsa-p256")
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "intermediate")])
        root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
        self._intermediate = (
            self._builder(self._name, root_name, self._key.public_key(), NOW - 1000 * DAY, 2000 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._root, hashes.SHA256())
        )

    def pair(
        self,
        names: tuple[str, ...] = ("mcp.test",),
        age: datetime.timedelta = 10 * DAY,
        lifetime: datetime.timedelta = 90 * DAY,
        key_type: str = "ecdsa-p256",
        directory_url: str = DIRECTORY,
    ) -> Pair:
        """Issue a certificate that is so old."""
        key = new_key(key_type)
        leaf = (
            self._builder(x509.Name([]), self._name, key.public_key(), NOW - age, lifetime)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        chain = leaf.public_bytes(pem) + self._intermediate.public_bytes(pem)
        return Pair(chain.decode(), key_pem(key), directory_url)

    @staticmethod
    def _builder(
        subject: x509.Name, issuer: x509.Name, key: Any, begin: datetime.datetime, lifetime: datetime.timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + lifetime)
        )


@dataclass
class Hosts:
    """Load balancers as folders below one; their internal CA is a real one, and so is the TLS between them."""

    folder: Path
    authority: Authority
    port: int

    def config(self, name: str, *others: str, **changes: Any) -> Config:
        """Return a host's configuration; hosts are in the order of their names and each has an address of loopback."""
        tls = self.folder / name / "tls"
        if not tls.is_dir():
            tls.mkdir(parents=True)
            pair = self.authority.issue(name, (address(name),))
            (tls / "ca.crt").write_bytes(self.authority.ca.read_bytes())
            (tls / "host.crt").write_bytes(pair.certificate.read_bytes())
            (tls / "host.key").write_bytes(pair.key.read_bytes())
        order = sorted([name, *others])
        values = {
            "host": name,
            "rank": order.index(name),
            "peers": [{"name": one, "address": address(one), "rank": order.index(one)} for one in order if one != name],
            "port": self.port,
            "listen": address(name),
            "certificates": [{"name": "edge", "names": ["mcp.test"]}],
            "directory_url": DIRECTORY,
            "ca_bundle": "",
            "email": "",
            "profile": "",
            "trusted": True,
            "key_type": "ecdsa-p256",
            "challenge": "http-01",
            "dns": None,
            "renewal_info": False,
            "renew_share": 1 / 3,
            "interval": 600,
            "retry_delay": 3600,
            "webroot": str(self.folder / name / "webroot"),
            "state_directory": str(self.folder / name / "state"),
            "wake_file": str(self.folder / name / "wake"),
            "tls_directory": str(tls),
            "group": grp.getgrgid(os.getgid()).gr_name,
            "reload_units": [],
            "metrics_file": str(self.folder / name / "metrics.prom"),
            **changes,
        }
        file = self.folder / name / "config.json"
        file.write_text(json.dumps(values))
        return Config.read(file)


def address(name: str) -> str:
    """Return the loopback address of a host such as ``lb1``."""
    return f"127.0.0.{name.removeprefix('lb')}"


@pytest.fixture
def public() -> PublicAuthority:
    return PublicAuthority()


@pytest.fixture
def hosts(tmp_path: Path) -> Hosts:
    return Hosts(tmp_path, Authority(tmp_path / "internal"), free_port())
