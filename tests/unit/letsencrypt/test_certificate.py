"""What makes a certificate fit to be served."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509

from roles.letsencrypt.files.trinitycore_certificates.certificate import (
    _renewal_id,
    describe,
    judge,
    key_pem,
    new_key,
    read_chain,
    request_pem,
)
from roles.letsencrypt.files.trinitycore_certificates.errors import CertificateError

from .conftest import DAY, NOW, PublicAuthority


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "ecdsa-p384", "rsa-2048"])
def test_a_good_certificate_passes(public: PublicAuthority, key_type: str) -> None:
    pair = public.pair(("mcp.test", "Other.test"), key_type=key_type)
    certificate = judge(pair.chain, pair.key, ("MCP.test",), NOW)
    assert certificate.names == {"mcp.test", "other.test"}
    assert certificate.key_type == key_type
    assert certificate.lifetime == 90 * DAY


def refused(chain: str, key: str, name: str = "mcp.test", now: datetime.datetime = NOW) -> str:
    with pytest.raises(CertificateError) as error:
        judge(chain, key, (name,), now)
    return str(error.value)


def test_bad_ones_are_refused_with_the_reason(public: PublicAuthority) -> None:
    pair, other = public.pair(), public.pair()
    assert refused(pair.chain, other.key) == "the certificate does not belong to its private key"
    assert refused(pair.chain, "rubbish").startswith("the private key is unreadable: ")
    assert refused("rubbish", pair.key) == "not a PEM certificate"
    assert refused(pair.chain, pair.key, "www.test") == "the certificate is not for www.test"
    assert refused(pair.chain, pair.key, now=NOW + 80 * DAY).startswith("the certificate expired on ")
    assert refused(pair.chain, pair.key, now=NOW - 11 * DAY).startswith("the certificate is valid from ")


def test_a_chain_of_strangers_is_refused(public: PublicAuthority) -> None:
    pair, stranger = public.pair(), PublicAuthority().pair()
    leaf, end = pair.chain.split("-----END CERTIFICATE-----\n")[0], "-----END CERTIFICATE-----\n"
    intermediate = stranger.chain.split(end)[1] + end
    assert "the chain is broken" in refused(leaf + end + intermediate, pair.key)


def test_a_request_asks_for_the_names_and_no_more() -> None:
    request = x509.load_pem_x509_csr(request_pem(new_key("ecdsa-p256"), ("a.test", "*.b.test")).encode())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.test", "*.b.test"]
    assert not list(request.subject)
    assert request.is_signature_valid


def test_the_renewal_id_is_that_of_rfc_9773() -> None:
    """The example of its section 4.1."""
    example = (
        "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFtcGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAx"
        "MDEwMDAwMDBaMBYxFDASBgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu7cbpAYNXZLbbh8rNIzuOoqOOtm"
        "xA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf4jpYFXcswYJVn5ab96MjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4ByNQwCgYI"
        "KoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK"
    )
    pem = f"-----BEGIN CERTIFICATE-----\n{example}\n-----END CERTIFICATE-----\n"
    assert _renewal_id(read_chain(pem)[0]) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


def test_keys_are_written_as_pem() -> None:
    assert "BEGIN PRIVATE KEY" in key_pem(new_key("rsa-2048"))
    assert describe(read_chain(PublicAuthority().pair().chain)[0]).renewal_id.count(".") == 1
