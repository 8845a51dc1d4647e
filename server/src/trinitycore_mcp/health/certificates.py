"""How long the certificates that the configuration names are still valid, read from their files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from msgspec import Struct

from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.health.component import HealthComponent, Status

SOON_DAYS = 14.0


class Certificate(Struct, frozen=True):
    """A certificate file: the certificate in it that ends first."""

    key: str
    subject: str
    not_after: str
    days_left: float
    error: str | None


def certificates(loaded: Loaded) -> list[Certificate]:
    """Return every certificate file that the configuration names, whether ours or a CA's."""
    return [_read(loaded, key, name) for key, name in _named(loaded)]


def _named(loaded: Loaded) -> Iterator[tuple[str, str]]:
    config = loaded.config
    for section, tls in (("server", config.server.tls), ("metrics", config.metrics.tls)):
        if tls is not None:
            yield f"{section}.tls.certificate_file", tls.certificate_file
            if tls.client_ca_file is not None:
                yield f"{section}.tls.client_ca_file", tls.client_ca_file
    if config.database.tls is not None:
        yield "database.tls.ca_file", config.database.tls.ca_file
    if config.redis is not None and config.redis.tls is not None:
        yield "redis.tls.ca_file", config.redis.tls.ca_file
        if config.redis.tls.certificate_file is not None:
            yield "redis.tls.certificate_file", config.redis.tls.certificate_file


def _read(loaded: Loaded, key: str, name: str) -> Certificate:
    try:
        found = x509.load_pem_x509_certificates(loaded.path(name).read_bytes())
    except OSError as error:
        return Certificate(key, "", "", 0.0, f"{loaded.path(name)}: {error.strerror}")
    except ValueError:
        return Certificate(key, "", "", 0.0, f"{loaded.path(name)}: no certificate in PEM")
    first = min(found, key=lambda each: each.not_valid_after_utc)
    left = (first.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86400
    ends = first.not_valid_after_utc.isoformat(timespec="seconds")
    return Certificate(key, first.subject.rfc4514_string(), ends, round(left, 2), None)


def component(loaded: Loaded) -> HealthComponent | None:
    """Return the state of all certificates together; None: none is configured."""
    found = certificates(loaded)
    if not found:
        return None
    bad = [f"{each.key}: {each.error}" for each in found if each.error is not None]
    bad += [
        f"{each.key}: {'expired' if each.days_left <= 0 else 'expires'} {each.not_after}"
        for each in found
        if each.error is None and each.days_left < SOON_DAYS
    ]
    over = any(each.error is not None or each.days_left <= 0 for each in found)
    status: Status = "down" if over else "degraded" if bad else "ok"
    details = {f"{each.key}_days_left": each.days_left for each in found if each.error is None}
    return HealthComponent("certificates", status, "; ".join(bad) or None, details=dict(details))
