"""What should be otherwise, worst first, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Annotated, Literal

from msgspec import Struct

from trinitycore_mcp.config import Config
from trinitycore_mcp.health.certificates import SOON_DAYS, Certificate
from trinitycore_mcp.security.backups import BackupAge
from trinitycore_mcp.security.keys import KeySource
from trinitycore_mcp.security.rights import DatabaseRights
from trinitycore_mcp.toolkit import doc

Severity = Literal["high", "medium", "low"]
_ORDER: tuple[Severity, ...] = ("high", "medium", "low")
_OLD_BACKUP = 24 * 3600.0


class SecurityFinding(Struct, frozen=True):
    """Something that should be otherwise."""

    severity: Severity
    what: Annotated[str, doc("the fact")]
    fix: Annotated[str, doc("what would change it")]


def findings(
    config: Config,
    rights: DatabaseRights,
    keys: Iterable[KeySource],
    certificates: Iterable[Certificate],
    backup: BackupAge,
    readable_secrets: Iterable[str],
) -> list[SecurityFinding]:
    """Return all findings, worst first."""
    found = [
        *_access(config),
        *_transport(config, rights),
        *_rights(rights),
        *_keys(keys),
        *_certificates(certificates),
        *_backup(backup),
        *(SecurityFinding("high", each, "chmod 0600, owned by the server's account") for each in readable_secrets),
    ]
    return sorted(found, key=lambda each: _ORDER.index(each.severity))


def is_local(host: str) -> bool:
    """Return whether an address can be reached from its own host only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _access(config: Config) -> Iterator[SecurityFinding]:
    local = is_local(config.server.host)
    if not config.auth.enabled:
        where = "this host" if local else f"whoever reaches {config.server.host}:{config.server.port}"
        yield SecurityFinding(
            "medium" if local else "high",
            f"authentication is off: {where} may call every tool of scope read",
            "set auth.enabled, and auth.api_keys_file or auth.jwt",
        )
    if not config.limits.enabled:
        yield SecurityFinding("medium", "rate limits are off: one caller can take all capacity", "set limits.enabled")


def _transport(config: Config, rights: DatabaseRights) -> Iterator[SecurityFinding]:
    if config.server.tls is None and not is_local(config.server.host):
        yield SecurityFinding(
            "medium",
            f"/mcp is served without TLS on {config.server.host}:{config.server.port}: keys cross the network readable",
            "set server.tls, or listen on 127.0.0.1 behind a proxy on this host",
        )
    far = [host.host for host in config.database.hosts if not is_local(host.host)]
    if far and config.database.tls is None:
        yield SecurityFinding(
            "medium",
            f"no TLS to the databases at {', '.join(far)}",
            "set database.tls, and REQUIRE SSL for the accounts",
        )
    if config.database.tls is not None and rights.error is None and rights.tls is None:
        yield SecurityFinding("high", "the session to the database was not encrypted", "look at database.tls")
    redis = config.redis
    remote = [host.host for host in (redis.hosts if redis else []) if not is_local(host.host)]
    if redis is not None and redis.tls is None and remote:
        yield SecurityFinding("medium", f"no TLS to Redis at {', '.join(remote)}", "set redis.tls")
    if redis is not None and redis.password_file is None:
        yield SecurityFinding("medium", "Redis is used without a password", "set redis.password_file")


def _rights(rights: DatabaseRights) -> Iterator[SecurityFinding]:
    account = rights.account
    for grant in rights.grants:
        if grant.beyond_reading:
            what = f"database account {account} may {', '.join(grant.beyond_reading)} on {grant.object}"
            yield SecurityFinding("high", what, "REVOKE it: reading needs SELECT and SHOW VIEW")
        if grant.object == "*.*" and "SELECT" in grant.rights:
            what = f"database account {account} may read every database of the server"
            yield SecurityFinding("medium", what, "grant SELECT on the game's databases only")
    if rights.personal_columns:
        yield SecurityFinding(
            "high",
            f"database account {account} may read {', '.join(rights.personal_columns)}; sql_select and sql_explain are "
            "refused until it may not",
            "REVOKE SELECT on whole databases and tables with such columns, and grant it on the other columns",
        )
    if rights.own_tables:
        yield SecurityFinding(
            "medium",
            f"database account {account} may read our own tables ({', '.join(rights.own_tables)}), and so may callers "
            "of sql_select",
            "REVOKE its rights on our own database: the account of database.writer uses that",
        )


def _keys(keys: Iterable[KeySource]) -> Iterator[SecurityFinding]:
    for source in keys:
        if source.error is not None:
            yield SecurityFinding("high", f"API keys ({source.source}): {source.error}", "put it right and reload")
        for name in source.admin_without_end:
            yield SecurityFinding(
                "low", f"API key {name} has scope admin and never ends", "give it an end, and renew it"
            )
        for key in source.ending:
            over = key.days_left <= 0
            what = f"API key {key.name} {'ended' if over else 'ends'} {key.expires_at}"
            yield SecurityFinding("low", what, "remove it" if over else "make a new one before")


def _certificates(certificates: Iterable[Certificate]) -> Iterator[SecurityFinding]:
    for each in certificates:
        if each.error is not None:
            yield SecurityFinding("high", f"{each.key}: {each.error}", "put a certificate there and reload")
        elif each.days_left < SOON_DAYS:
            over = each.days_left <= 0
            what = f"{each.key}: {each.subject} {'expired' if over else 'expires'} {each.not_after}"
            yield SecurityFinding("high" if over else "medium", what, "renew it")


def _backup(backup: BackupAge) -> Iterator[SecurityFinding]:
    if backup.error is not None:
        yield SecurityFinding("low", f"the age of the newest backup is unknown: {backup.error}", "see trigger_backup")
    elif backup.age_seconds is None:
        yield SecurityFinding("high", "there is no complete backup", "trigger_backup")
    elif backup.age_seconds > _OLD_BACKUP:
        what = f"the newest backup is {backup.age_seconds / 3600:.0f} hours old"
        yield SecurityFinding("high", what, "trigger_backup, and see why the schedule made none")
    if backup.last_run_succeeded is False:
        yield SecurityFinding("high", "the last run of the backup failed", "see the log of the backup's host")
