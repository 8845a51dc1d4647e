"""How this server is guarded: get_security_status."""

from __future__ import annotations

import asyncio
import platform
import ssl
from importlib.metadata import version
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp import __version__
from trinitycore_mcp.config_check import permission_warnings
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.health.certificates import Certificate, certificates
from trinitycore_mcp.security import backups, keys
from trinitycore_mcp.security.backups import BackupAge
from trinitycore_mcp.security.findings import SecurityFinding, findings
from trinitycore_mcp.security.keys import KeySource
from trinitycore_mcp.security.rights import DatabaseRights, database_rights
from trinitycore_mcp.toolkit import NONE, Call, Tool, doc, tool


class ListenerSecurity(Struct, frozen=True):
    """One of our listeners."""

    name: str
    address: str
    tls: bool
    client_certificates: Annotated[bool, doc("a client must show a certificate of ours")]


class AccessSecurity(Struct, frozen=True):
    """Who is let in."""

    enabled: bool
    api_keys: list[KeySource]
    jwt: Annotated[str | None, doc("where the keys come from that tokens are checked with; null: no tokens")]
    jwt_algorithms: list[str]
    jwt_issuer: str | None
    audience: Annotated[str | None, doc("what a token must be for; null: that is not looked at")]
    rate_limits: bool
    requests_per_minute: Annotated[float, doc("of each caller, unless its key says otherwise")]
    tools_with_own_limit: list[str]


class SecurityStatus(Struct, frozen=True):
    """How this server is guarded now."""

    findings: Annotated[list[SecurityFinding], doc("what should be otherwise, worst first; empty: nothing")]
    listeners: list[ListenerSecurity]
    access: AccessSecurity
    database: DatabaseRights
    database_tls: Annotated[bool, doc("configured; database.tls says what the session really used")]
    redis_tls: Annotated[bool | None, doc("configured; null: there is no Redis")]
    certificates: list[Certificate]
    readable_secrets: Annotated[list[str], doc("secret files that everybody on the host may read")]
    backup: BackupAge
    versions: dict[str, str]
    notices: list[str]


@tool(title="Security of this server", scope="admin", cache=NONE)
async def get_security_status(call: Call) -> SecurityStatus:
    """How this server is guarded, from live facts: TLS of listeners, databases and Redis, authentication, API keys by
    scope and those about to end, certificates with days left, what the reading database account was granted, rate
    limits, secret files that others may read, age of the newest backup, versions. Findings come first, worst first,
    each with what would change it. Shows no secret and no digest."""
    services = call.services
    config, loaded = services.config, services.loaded
    rights, found_keys, files = await asyncio.gather(
        database_rights(call), _keys(call), asyncio.to_thread(_files, loaded, config.backup.textfile_directory)
    )
    found_certificates, readable, backup = files
    jwt = config.auth.jwt
    rate = config.limits.default
    return SecurityStatus(
        findings=findings(config, rights, found_keys, found_certificates, backup, readable),
        listeners=[
            ListenerSecurity(
                name,
                f"{listener.host}:{listener.port}",
                listener.tls is not None,
                listener.tls is not None and listener.tls.client_ca_file is not None,
            )
            for name, listener in (("server", config.server), ("metrics", config.metrics))
            if name == "server" or config.metrics.enabled
        ],
        access=AccessSecurity(
            enabled=config.auth.enabled,
            api_keys=found_keys,
            jwt=("shared secret" if jwt.secret_file else jwt.jwks_url or "file of public keys") if jwt else None,
            jwt_algorithms=list(jwt.algorithms) if jwt else [],
            jwt_issuer=jwt.issuer if jwt else None,
            audience=config.token_audience,
            rate_limits=config.limits.enabled,
            requests_per_minute=round(rate.requests / rate.period * 60, 3),
            tools_with_own_limit=sorted(config.limits.tools),
        ),
        database=rights,
        database_tls=config.database.tls is not None,
        redis_tls=config.redis.tls is not None if config.redis else None,
        certificates=found_certificates,
        readable_secrets=readable,
        backup=backup,
        versions={
            "server": __version__,
            "python": platform.python_version(),
            "openssl": ssl.OPENSSL_VERSION,
            "sdk": version("mcp"),
            "cryptography": version("cryptography"),
        },
        notices=list(loaded.notices) if loaded is not None else [],
    )


async def _keys(call: Call) -> list[KeySource]:
    loaded = call.services.loaded
    if loaded is None:
        return []
    found = [await asyncio.to_thread(keys.of_file, loaded), await keys.of_database(loaded, call.services.writer)]
    return [each for each in found if each is not None]


def _files(loaded: Loaded | None, backup_folder: str | None) -> tuple[list[Certificate], list[str], BackupAge]:
    """Read what stands in files."""
    backup = backups.newest(backup_folder)
    return (certificates(loaded), permission_warnings(loaded), backup) if loaded is not None else ([], [], backup)


TOOLS: tuple[Tool, ...] = (get_security_status,)
