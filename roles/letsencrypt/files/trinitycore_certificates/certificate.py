"""Certificates and keys: made, read, and judged before anybody is to serve them."""

from __future__ import annotations

import base64
import datetime
import itertools
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from .clock import UTC
from .errors import CertificateError

END = "-----END CERTIFICATE-----"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Certificate:
    """What is asked of a certificate, the first of a chain."""

    names: frozenset[str]
    not_before: datetime.datetime
    not_after: datetime.datetime
    key_type: str
    serial: int
    der: bytes
    renewal_id: str

    @property
    def lifetime(self) -> datetime.timedelta:
        """How long it is valid, all in all."""
        return self.not_after - self.not_before


def new_key(key_type: str) -> Key:
    """Make a private key of a type such as ``ecdsa-p256``."""
    family, _, size = key_type.partition("-")
    if family == "rsa":
        return rsa.generate_private_key(65537, int(size))
    return ec.generate_private_key(ec.SECP384R1() if size == "p384" else ec.SECP256R1())


def key_pem(key: Key) -> str:
    """Return a key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def request_pem(key: Key, names: tuple[str, ...]) -> str:
    """Return a request for a certificate with these names. Authorities ignore its subject: it has none."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def read_chain(pem: str) -> list[x509.Certificate]:
    """Parse a chain, leaf first.

    :raises CertificateError: it is none.
    """
    blocks = [f"{part}{END}\n".encode() for part in pem.split(END)[:-1]]
    try:
        chain = [x509.load_pem_x509_certificate(block) for block in blocks]
    except ValueError as error:
        raise CertificateError(f"not a PEM certificate: {error}") from error
    if not chain:
        raise CertificateError("not a PEM certificate")
    return chain


def describe(leaf: x509.Certificate) -> Certificate:
    """Return what is asked of a certificate."""
    return Certificate(
        names=frozenset(_names(leaf)),
        not_before=_utc(leaf, "not_valid_before"),
        not_after=_utc(leaf, "not_valid_after"),
        key_type=_key_type(leaf.public_key()),
        serial=leaf.serial_number,
        der=leaf.public_bytes(serialization.Encoding.DER),
        renewal_id=_renewal_id(leaf),
    )


def judge(chain_pem: str, private_key_pem: str, names: tuple[str, ...], now: datetime.datetime) -> Certificate:
    """Return the certificate, once it is sure that a server could serve it under these names.

    :raises CertificateError: it belongs to another key, lacks a name, is not valid now, or its chain is broken.
    """
    chain = read_chain(chain_pem)
    leaf = describe(chain[0])
    try:
        key = serialization.load_pem_private_key(private_key_pem.encode(), None)
    except (TypeError, ValueError) as error:
        raise CertificateError(f"the private key is unreadable: {error}") from error
    if _public_bytes(key.public_key()) != _public_bytes(chain[0].public_key()):
        raise CertificateError("the certificate does not belong to its private key")
    lacking = {name.lower() for name in names} - leaf.names
    if lacking:
        raise CertificateError(f"the certificate is not for {', '.join(sorted(lacking))}")
    if now < leaf.not_before:
        raise CertificateError(f"the certificate is valid from {leaf.not_before:%Y-%m-%d %H:%M:%S} UTC only")
    if now >= leaf.not_after:
        raise CertificateError(f"the certificate expired on {leaf.not_after:%Y-%m-%d %H:%M:%S} UTC")
    for certificate, issuer in itertools.pairwise(chain):
        if not _signed_by(certificate, issuer):
            raise CertificateError(
                f"the chain is broken: {issuer.subject.rfc4514_string()} did not sign the certificate before it"
            )
    return leaf


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.get_values_for_type(x509.DNSName)]


def _utc(leaf: x509.Certificate, attribute: str) -> datetime.datetime:
    """Read a time of a certificate; Debian 12's library has it without time zone only."""
    aware: datetime.datetime | None = getattr(leaf, f"{attribute}_utc", None)
    if aware is not None:
        return aware
    naive: datetime.datetime = getattr(leaf, attribute)
    return naive.replace(tzinfo=UTC)


def _key_type(key: Any) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ecdsa-p{key.key_size}"
    return f"rsa-{key.key_size}" if isinstance(key, rsa.RSAPublicKey) else "unknown"


def _renewal_id(leaf: x509.Certificate) -> str:
    """Return the certificate's name in RFC 9773: key identifier of the authority and serial; empty if it has none."""
    try:
        authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return ""
    if authority is None:
        return ""
    serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1, "big")  # as DER has it, with a sign
    return f"{_base64url(authority)}.{_base64url(serial)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _public_bytes(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether an issuer signed a certificate. Debian 12's library has no method for it yet."""
    key, algorithm = issuer.public_key(), certificate.signature_hash_algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return certificate.issuer == issuer.subject
