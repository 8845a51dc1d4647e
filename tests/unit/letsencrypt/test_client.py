"""How certbot is called, and what is made of its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from roles.letsencrypt.files.trinitycore_certificates.client import Client, what_certbot_said
from roles.letsencrypt.files.trinitycore_certificates.config import Config
from roles.letsencrypt.files.trinitycore_certificates.errors import CertificateError

from .conftest import Hosts

DNS = {"plugin": "rfc2136", "credentials": "/etc/dns.ini", "propagation_seconds": 5}


def arguments(hosts: Hosts, **changes: Any) -> str:
    config = hosts.config("lb1", **changes)
    return " ".join(Client(config).arguments(config.certificates[0], Path("/r")))


def test_http_challenges_are_answered_from_the_webroot(hosts: Hosts) -> None:
    line = arguments(hosts)
    assert line.startswith("certbot certonly --non-interactive --agree-tos --server https://acme.test/dir ")
    assert "--csr /r/request.pem" in line and "--fullchain-path /r/fullchain.pem" in line
    assert line.endswith(f"--webroot --webroot-path {hosts.folder}/lb1/webroot")
    assert "--register-unsafely-without-email" in line and "--required-profile" not in line


def test_profile_mail_and_dns_are_passed_on(hosts: Hosts) -> None:
    line = arguments(hosts, profile="shortlived", email="ops@example.com", challenge="dns-01", dns=DNS)
    assert "--required-profile shortlived" in line and "--email ops@example.com --no-eff-email" in line
    assert line.endswith(
        "--authenticator dns-rfc2136 --dns-rfc2136-credentials /etc/dns.ini --dns-rfc2136-propagation-seconds 5"
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"challenge": "dns-01"}, "certificate edge: dns-01 needs letsencrypt_dns_plugin"),
        ({"challenge": "tls-sni"}, "certificate edge: challenge must be one of http-01, dns-01"),
        ({"key_type": "dsa"}, "certificate edge: key_type must be one of ecdsa-p256, "),
        ({"renew_share": 30}, "renew_share is 30: must be between 0 and 1"),
        ({"certificates": [{"name": "edge", "names": []}]}, "certificate edge: has no names"),
        ({"certificates": [{"name": "edge", "names": ["*.a.test"]}]}, "a wildcard name needs the challenge dns-01"),
        ({"certificates": [{"name": "a", "names": ["a.test"]}] * 2}, "two certificates have one name: a, a"),
        ({"unknown": 1}, "unexpected keyword argument 'unknown'"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(hosts: Hosts, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(CertificateError) as error:
        hosts.config("lb1", **changes)
    assert says in str(error.value)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="nothing.json"):
        Config.read(tmp_path / "nothing.json")


@pytest.fixture
def certbot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test's own certbot goes; there is none at first."""
    program = tmp_path / "bin" / "certbot"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent))
    return program


LOG = """2026-11-30 09:59:55,387:DEBUG:certbot._internal.log:Exiting abnormally:
Traceback (most recent call last):
acme.messages.Error: urn:ietf:params:acme:error:accountDoesNotExist :: no such account :: Account 7 not found.

AttributeError: can't set attribute
"""


def test_what_debian_12_s_certbot_can_t_say_is_read_in_its_log() -> None:
    output = (
        "Saving debug log to /x\nAn unexpected error occurred:\nAttributeError: can't set attribute\nAsk for help\n"
    )
    said = what_certbot_said(output, LOG)
    assert said == "urn:ietf:params:acme:error:accountDoesNotExist :: no such account :: Account 7 not found."
    assert what_certbot_said(output, "") == "An unexpected error occurred: AttributeError: can't set attribute"
    assert what_certbot_said("", LOG) == "certbot failed and said nothing"
    assert len(what_certbot_said("x" * 5000, "")) < 700


def test_an_account_that_the_authority_forgot_is_put_aside_and_made_anew(hosts: Hosts, certbot: Path) -> None:
    config = hosts.config("lb1")
    client = Client(config)
    certbot.write_text(
        f'#!/bin/sh\n[ ! -d {client.accounts} ] || {{ echo "{LOG.splitlines()[2]}"; exit 1; }}\n'
        'while [ "$1" != --fullchain-path ]; do shift; done; echo chain > "$2"\n'
    )
    certbot.chmod(0o755)
    client.accounts.mkdir(parents=True)
    assert client.issue(config.certificates[0]).chain == "chain\n"
    assert len(list((client.folder / "former-accounts").iterdir())) == 1


def test_certbot_s_refusal_is_told_with_the_authority(hosts: Hosts, certbot: Path) -> None:
    config = hosts.config("lb1")
    with pytest.raises(CertificateError, match="certbot is not installed"):
        Client(config).issue(config.certificates[0])
    certbot.write_text("#!/bin/sh\necho 'Some challenges have failed.'\nexit 1\n")
    certbot.chmod(0o755)
    with pytest.raises(CertificateError, match=r"https://acme.test/dir: Some challenges have failed\."):
        Client(config).issue(config.certificates[0])


@pytest.mark.parametrize(("version", "good"), [("2.1.0", False), ("4.0.0", True), ("10.2.0", True)])
def test_a_profile_needs_a_certbot_that_knows_them(hosts: Hosts, certbot: Path, version: str, good: bool) -> None:
    certbot.write_text(f"#!/bin/sh\necho certbot {version}\n")
    certbot.chmod(0o755)
    Client(hosts.config("lb1")).check()
    client = Client(hosts.config("lb1", profile="shortlived"))
    if good:
        client.check()
    else:
        with pytest.raises(CertificateError, match=f"letsencrypt_profile is 'shortlived': certbot {version} knows no"):
            client.check()
