"""The controller's half of certificates, checked with the openssl program as an outside judge."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import pytest
from ansible_collections.trinitycore.mcp.plugins.module_utils.pki import signing
from cryptography import x509

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
PASSPHRASE = "correct horse"
WANTED = signing.WantedCertificate("app1", ("DNS:app1", "IP:10.0.0.1", "IP:fd00::1"), 365, 30)


def openssl(*arguments: str, code: int = 0, text: str | None = None) -> str:
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


class Authority:
    """A CA made by openssl, as files and loaded."""

    def __init__(self, folder: Path, name: str, days: int = 3650) -> None:
        self.key_file, self.file = folder / f"{name}.key", folder / f"{name}.crt"
        curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        openssl("genpkey", *curve, "-aes256", "-pass", f"pass:{PASSPHRASE}", "-out", str(self.key_file))
        subject = ["-subj", "/CN=CA", "-days", str(days), "-passin", f"pass:{PASSPHRASE}"]
        subject += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        openssl("req", "-x509", "-new", "-key", str(self.key_file), *subject, "-out", str(self.file))
        self.certificate = signing.load_certificate(self.file.read_text())

    def sign(self, public_key: str, wanted: signing.WantedCertificate = WANTED, now: datetime.datetime = NOW) -> str:
        key = signing.load_authority_key(self.key_file, PASSPHRASE)
        return signing.sign(public_key, self.certificate, key, wanted, now).pem


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ca")


def new_key(folder: Path, name: str = "host") -> str:
    path = str(folder / f"{name}.key")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return openssl("pkey", "-in", path, "-pubout")


@pytest.fixture
def public_key(tmp_path: Path) -> str:
    return new_key(tmp_path)


def reasons(
    authority: Authority,
    certificate: str,
    public_key: str,
    wanted: signing.WantedCertificate = WANTED,
    now: datetime.datetime = NOW,
) -> list[str]:
    return signing.reasons_to_renew(certificate, public_key, authority.certificate, wanted, now)


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
@pytest.mark.parametrize("who", [["-verify_hostname", "app1"], ["-verify_ip", "10.0.0.1"], ["-verify_ip", "fd00::1"]])
def test_openssl_accepts_it_for_both_sides_of_tls(
    authority: Authority, public_key: str, tmp_path: Path, purpose: str, who: list[str]
) -> None:
    host = tmp_path / "host.crt"
    host.write_text(authority.sign(public_key))
    openssl("verify", "-x509_strict", "-CAfile", str(authority.file), "-purpose", purpose, *who, str(host))
    openssl("verify", "-CAfile", str(authority.file), "-verify_hostname", "app2", str(host), code=2)


def test_a_new_certificate_is_good(authority: Authority, public_key: str) -> None:
    assert reasons(authority, authority.sign(public_key), public_key) == []


def test_every_reason_to_renew(authority: Authority, public_key: str, tmp_path: Path) -> None:
    good = authority.sign(public_key)
    assert reasons(authority, "", public_key) == ["there is none"]
    assert reasons(authority, good, "") == ["the private key is new"]
    assert reasons(authority, good, new_key(tmp_path, "second")) == ["it belongs to another private key"]
    assert reasons(Authority(tmp_path, "other"), good, public_key) == ["another authority signed it"]
    assert reasons(authority, "rubbish", public_key)[0].startswith("not a PEM certificate")
    other_names = signing.WantedCertificate("app1", ("DNS:app1", "IP:10.0.0.2", "IP:fd00::1"), 365, 30)
    assert reasons(authority, good, public_key, other_names) == ["its names differ: IP:10.0.0.1, IP:10.0.0.2"]
    other_subject = signing.WantedCertificate("app2", WANTED.subject_alt_names, 365, 30)
    assert reasons(authority, good, public_key, other_subject) == ["its subject differs"]


def test_order_and_spelling_of_names_do_not_matter(authority: Authority, public_key: str) -> None:
    same = signing.WantedCertificate("app1", ("IP:fd00:0:0::1", "IP:10.0.0.1", "DNS:app1"), 365, 30)
    assert reasons(authority, authority.sign(public_key), public_key, same) == []


@pytest.mark.parametrize(
    ("days_later", "expected"), [(334, []), (336, ["it expires in 29 days"]), (366, ["it has expired"])]
)
def test_it_is_renewed_in_time(authority: Authority, public_key: str, days_later: int, expected: list[str]) -> None:
    later = NOW + datetime.timedelta(days=days_later)
    assert reasons(authority, authority.sign(public_key), public_key, now=later) == expected


def test_it_never_outlives_its_authority_and_is_not_renewed_in_vain(tmp_path: Path, public_key: str) -> None:
    short = Authority(tmp_path, "short", days=10)
    pem = short.sign(public_key)
    assert signing.load_certificate(pem).not_valid_after_utc == short.certificate.not_valid_after_utc
    assert reasons(short, pem, public_key) == []
    with pytest.raises(signing.SigningError, match="the authority expired"):
        short.sign(public_key, now=NOW + datetime.timedelta(days=11))


def test_serials_differ(authority: Authority, public_key: str) -> None:
    serials = {signing.load_certificate(authority.sign(public_key)).serial_number for _ in range(3)}
    assert len(serials) == 3


def test_it_can_not_sign_others(authority: Authority, public_key: str) -> None:
    extensions = signing.load_certificate(authority.sign(public_key)).extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_wrong_passphrase_and_foreign_key(authority: Authority, tmp_path: Path, public_key: str) -> None:
    with pytest.raises(signing.SigningError, match="does not open with the passphrase"):
        signing.load_authority_key(authority.key_file, "wrong")
    foreign = Authority(tmp_path, "foreign")
    key = signing.load_authority_key(foreign.key_file, PASSPHRASE)
    with pytest.raises(signing.SigningError, match="does not belong to its certificate"):
        signing.sign(public_key, authority.certificate, key, WANTED, NOW)


@pytest.mark.parametrize("name", ["app1", "DNS:", "URI:x", "IP:app1", "IP:10.0.0.0/24"])
def test_unknown_kinds_of_names_are_refused(name: str) -> None:
    with pytest.raises(signing.SigningError, match="subject alternative name"):
        signing.WantedCertificate("x", (name,), 365, 30)


@pytest.mark.parametrize(("valid", "before"), [(30, 30), (10, 20), (10, -1)])
def test_a_life_shorter_than_its_renewal_is_refused(valid: int, before: int) -> None:
    with pytest.raises(signing.SigningError, match="every run would renew"):
        signing.WantedCertificate("x", (), valid, before)
