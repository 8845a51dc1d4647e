# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Controller side of host certificates: is a certificate still good, and sign a new one. Needs ``cryptography``."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLOCK_SKEW = datetime.timedelta(hours=1)
USES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


class SigningError(Exception):
    """The authority or what it should sign is unusable; the message says why."""


@dataclass(frozen=True)
class WantedCertificate:
    """What a host's certificate should say.

    ``subject_alt_names`` are strings like ``DNS:app1`` or ``IP:10.0.0.1``.
    """

    common_name: str
    subject_alt_names: tuple[str, ...]
    valid_days: int
    renew_before_days: int

    def __post_init__(self) -> None:
        if not 0 <= self.renew_before_days < self.valid_days:
            raise SigningError(
                f"renew_before_days ({self.renew_before_days}) must be at least 0 and less than valid_days "
                f"({self.valid_days}), or every run would renew"
            )
        for name in self.subject_alt_names:
            general_name(name)


@dataclass(frozen=True)
class Renewal:
    """A newly signed certificate."""

    pem: str
    not_after: datetime.datetime


def general_name(text: str) -> x509.GeneralName:
    """Turn ``DNS:name`` or ``IP:address`` into an X.509 name.

    :raises SigningError: neither of the two, or no address.
    """
    kind, separator, value = text.partition(":")
    if separator and value and kind == "DNS":
        return x509.DNSName(value)
    if separator and value and kind == "IP":
        try:
            return x509.IPAddress(ipaddress.ip_address(value))
        except ValueError as error:
            raise SigningError(f"subject alternative name {text!r}: {error}") from error
    raise SigningError(f"subject alternative name {text!r} must be DNS:<name> or IP:<address>")


def load_certificate(pem: str) -> x509.Certificate:
    """Parse one PEM certificate.

    :raises SigningError: it is none.
    """
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise SigningError(f"not a PEM certificate: {error}") from error


def describe(certificate: x509.Certificate) -> list[str]:
    """Return a certificate's meaning as lines, for a diff."""
    return [
        f"subject: {certificate.subject.rfc4514_string()}",
        f"issuer: {certificate.issuer.rfc4514_string()}",
        f"names: {', '.join(sorted(alt_names(certificate)))}",
        f"not after: {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC",
        f"serial: {certificate.serial_number:x}",
    ]


def alt_names(certificate: x509.Certificate) -> set[str]:
    """Return the subject alternative names as ``DNS:..`` and ``IP:..`` strings."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    names = {f"DNS:{name}" for name in extension.get_values_for_type(x509.DNSName)}
    return names | {f"IP:{address}" for address in extension.get_values_for_type(x509.IPAddress)}


def reasons_to_renew(
    current: str, public_key: str, authority: x509.Certificate, wanted: WantedCertificate, now: datetime.datetime
) -> list[str]:
    """Say why a host needs a new certificate; an empty list means the current one is good.

    :param current: the host's certificate as PEM, empty if it has none.
    :param public_key: PEM of the public half of the host's private key, empty if it has none.
    """
    if not current:
        return ["there is none"]
    if not public_key:
        return ["the private key is new"]
    try:
        certificate = load_certificate(current)
    except SigningError as error:
        return [str(error)]
    reasons = []
    if _public_bytes(certificate.public_key()) != _public_bytes(_load_public_key(public_key)):
        reasons.append("it belongs to another private key")
    if not _issued_by(certificate, authority):
        reasons.append("another authority signed it")
    wanted_names = {_canonical(name) for name in wanted.subject_alt_names}
    if alt_names(certificate) != wanted_names:
        reasons.append(f"its names differ: {', '.join(sorted(alt_names(certificate) ^ wanted_names))}")
    if certificate.subject != _subject(wanted.common_name):
        reasons.append("its subject differs")
    left = certificate.not_valid_after_utc - now
    # A certificate can't outlive its authority: signing again would not win a day.
    could_be_longer = certificate.not_valid_after_utc < authority.not_valid_after_utc
    if left < datetime.timedelta(days=wanted.renew_before_days) and could_be_longer:
        reasons.append("it has expired" if left.total_seconds() < 0 else f"it expires in {left.days} days")
    return reasons


def sign(
    public_key: str,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    wanted: WantedCertificate,
    now: datetime.datetime,
) -> Renewal:
    """Sign a certificate for a host's public key (PEM), for use as server and client.

    :raises SigningError: the authority has expired or its key does not fit its certificate.
    """
    if _public_bytes(authority_key.public_key()) != _public_bytes(authority.public_key()):
        raise SigningError("the authority's private key does not belong to its certificate")
    if authority.not_valid_after_utc <= now:
        raise SigningError(f"the authority expired on {authority.not_valid_after_utc:%Y-%m-%d}; make a new one")
    host_key = _load_public_key(public_key)
    not_after = min(now + datetime.timedelta(days=wanted.valid_days), authority.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(wanted.common_name))
        .issuer_name(authority.subject)
        .public_key(host_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage(USES), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([general_name(name) for name in wanted.subject_alt_names]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(host_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    certificate = builder.sign(authority_key, hashes.SHA256())
    return Renewal(certificate.public_bytes(serialization.Encoding.PEM).decode(), not_after)


def load_authority_key(path: Path, passphrase: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """Read and decrypt the authority's private key.

    :raises SigningError: it can't be read, the passphrase is wrong, or the kind of key is not supported.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase.encode())
    except OSError as error:
        raise SigningError(f"authority key {path}: {error.strerror}") from error
    except (TypeError, ValueError) as error:
        raise SigningError(f"authority key {path} does not open with the passphrase given") from error
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise SigningError(f"authority key {path} is neither an EC nor an RSA key")
    return key


def _load_public_key(pem: str) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise SigningError(f"the host's public key is unreadable: {error}") from error
    if not isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
        raise SigningError("the host's key is neither an EC nor an RSA key")
    return key


def _public_bytes(key: object) -> bytes:
    if not isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
        return b""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _canonical(name: str) -> str:
    parsed = general_name(name)
    return f"IP:{parsed.value}" if isinstance(parsed, x509.IPAddress) else name


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
