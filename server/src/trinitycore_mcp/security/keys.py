"""API keys counted, without a digest of any."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Struct

from trinitycore_mcp.access.key_store import list_keys
from trinitycore_mcp.access.keys import ApiKey, read_keys
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.database.errors import DatabaseError
from trinitycore_mcp.database.writer import Writer
from trinitycore_mcp.toolkit.fields import doc

SOON_DAYS = 14.0


class EndingKey(Struct, frozen=True):
    """A key that ends soon or has ended."""

    name: str
    expires_at: Annotated[str, doc("UTC, ISO 8601")]
    days_left: Annotated[float, doc("negative: it has ended")]


class KeySource(Struct, frozen=True):
    """The API keys of one place."""

    source: Annotated[str, doc("file or database")]
    keys: Annotated[int, doc("keys that are neither ended nor revoked")]
    by_scope: dict[str, int]
    without_end: Annotated[int, doc("keys that never end")]
    admin_without_end: list[str]
    ending: Annotated[list[EndingKey], doc(f"keys that end within {SOON_DAYS:g} days, or have ended")]
    error: Annotated[str | None, doc("why they can't be read")]


Key = tuple[str, Iterable[str], datetime | None]
"""Name, scopes, end."""


def of_file(loaded: Loaded) -> KeySource | None:
    """Return the keys of the configured file; None: none is configured."""
    name = loaded.config.auth.api_keys_file
    if name is None:
        return None
    path = loaded.path(name)
    try:
        keys = read_keys(path)
    except ConfigError as error:
        return _broken("file", str(error))
    return _counted("file", [(key.name, key.scopes, _end(key)) for key in keys])


def _end(key: ApiKey) -> datetime | None:
    expires = key.principal().expires
    return datetime.fromtimestamp(expires, UTC) if expires is not None else None


async def of_database(loaded: Loaded, writer: Writer | None) -> KeySource | None:
    """Return the keys of our own database; None: they are not in use."""
    config = loaded.config
    if not config.auth.api_keys_in_database or writer is None:
        return None
    try:
        keys = await list_keys(writer, schema=config.database.databases.mcp)
    except DatabaseError as error:
        return _broken("database", str(error))
    return _counted("database", [(key.name, key.scopes, key.expires_at) for key in keys if key.revoked_at is None])


def _broken(source: str, error: str) -> KeySource:
    return KeySource(source, 0, {}, 0, [], [], error)


def _counted(source: str, keys: list[Key]) -> KeySource:
    now = datetime.now(UTC)
    by_scope: dict[str, int] = {}
    admin, ending = [], []
    valid = endless = 0
    for name, scopes, end in keys:
        left = (end - now).total_seconds() / 86400 if end is not None else None
        if end is not None and left is not None and left < SOON_DAYS:
            ending.append(EndingKey(name, end.isoformat(timespec="seconds"), round(left, 2)))
        if left is not None and left <= 0:
            continue
        valid += 1
        for scope in scopes:
            by_scope[scope] = by_scope.get(scope, 0) + 1
        if end is None:
            endless += 1
            if "admin" in scopes:
                admin.append(name)
    return KeySource(source, valid, by_scope, endless, admin, ending, None)
