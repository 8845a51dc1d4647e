"""API keys in our own database: made, listed and revoked there, followed by every instance.

Each instance holds all valid keys in memory and reads the table anew every few seconds, so a revocation is effective
within POLL_INTERVAL everywhere. A key that isn't known makes it read at once, but at most once in MIN_INTERVAL
whatever comes, so made-up keys cost the database nothing and need no memory. While the database is away, the keys
that were read last stay good: there is nowhere that one could have been revoked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from trinitycore_mcp.access.keys import KEY_PREFIX, KeyName
from trinitycore_mcp.access.principal import SCOPES, Principal, Rate, Scope

_log = logging.getLogger(__name__)
POLL_INTERVAL = 3.0
MIN_INTERVAL = 0.5
FETCH_TIMEOUT = 2.0
USED_INTERVAL = 60.0
_COLUMNS = "id, name, sha256, scopes, expires_at, rate_requests, rate_period_s, rate_burst"


class Reader(Protocol):
    """Reads rows, with %s for each parameter."""

    async def fetch(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows."""
        ...


class Writer(Protocol):
    """Runs one statement on the primary and commits it."""

    async def execute(self, kind: str, sql: str, parameters: Sequence[object] = ()) -> int:
        """Return the number of rows changed."""
        ...


@dataclass(frozen=True)
class KeyInfo:
    """A key as an operator sees it. Times are UTC."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    rate: Rate | None
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def generate_key() -> tuple[str, str]:
    """Return a new key (256 random bits) and its SHA-256 in hex; only the digest is ever stored."""
    plain = KEY_PREFIX + secrets.token_urlsafe(32)
    return plain, hashlib.sha256(plain.encode()).hexdigest()


def insert_statement(
    name: str,
    sha256: str,
    scopes: Sequence[Scope],
    expires: datetime | None = None,
    rate: Rate | None = None,
    *,
    schema: str = "mcp",
) -> tuple[str, tuple[object, ...]]:
    """Return statement and parameters that store a new key.

    :param expires: with zone.
    :raises ValueError: the name, the scopes or the time can't be that way.
    """
    try:
        TypeAdapter(KeyName).validate_python(name)
    except ValidationError:
        raise ValueError(f"name {name!r}: allowed are 1 to 64 of A-Z a-z 0-9 _ . @ -") from None
    if not scopes or set(scopes) - set(SCOPES):
        raise ValueError(f"scopes {', '.join(scopes) or 'none'}: allowed are {', '.join(SCOPES)}, at least one")
    if expires is not None and expires.tzinfo is None:
        raise ValueError(f"expires {expires}: has no time zone")
    numbers = (rate.requests, rate.period, rate.burst) if rate else (None, None, None)
    ordered = ",".join(scope for scope in SCOPES if scope in scopes)
    ends = expires.astimezone(UTC).replace(tzinfo=None) if expires else None
    sql = (
        f"INSERT INTO `{schema}`.api_keys (name, sha256, scopes, expires_at, rate_requests, rate_period_s, rate_burst, "
        "created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))"
    )
    return sql, (name, sha256, ordered, ends, *numbers)


def revoke_statement(name: str, *, schema: str = "mcp") -> tuple[str, tuple[object, ...]]:
    """Return statement and parameters that end every valid key of that name."""
    sql = f"UPDATE `{schema}`.api_keys SET revoked_at = UTC_TIMESTAMP(6) WHERE name = %s AND revoked_at IS NULL"
    return sql, (name,)


def list_statement(*, schema: str = "mcp") -> str:
    """Return the statement whose rows `key_info` understands: all keys, newest first."""
    return f"SELECT {_COLUMNS}, created_at, revoked_at, last_used_at FROM `{schema}`.api_keys ORDER BY id DESC"


def key_info(row: Mapping[str, Any]) -> KeyInfo:
    """Return what one row of `list_statement` says."""
    return KeyInfo(
        name=row["name"],
        scopes=tuple(_scopes(row["scopes"])),
        expires_at=_utc(row["expires_at"]),
        rate=_rate(row),
        created_at=row["created_at"].replace(tzinfo=UTC),
        revoked_at=_utc(row["revoked_at"]),
        last_used_at=_utc(row["last_used_at"]),
    )


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None else None


async def create_key(
    writer: Writer,
    name: str,
    scopes: Sequence[Scope],
    expires: datetime | None = None,
    rate: Rate | None = None,
    *,
    schema: str = "mcp",
) -> str:
    """Store a new key and return it; it can't be shown again.

    :raises ValueError: see insert_statement.
    """
    plain, sha256 = generate_key()
    await writer.execute("api_keys", *insert_statement(name, sha256, scopes, expires, rate, schema=schema))
    return plain


async def revoke_key(writer: Writer, name: str, *, schema: str = "mcp") -> int:
    """End the valid keys of that name and return how many there were."""
    return await writer.execute("api_keys", *revoke_statement(name, schema=schema))


async def list_keys(reader: Reader, *, schema: str = "mcp") -> list[KeyInfo]:
    """Return all keys, newest first, revoked ones too."""
    return [key_info(row) for row in await reader.fetch("api_keys", list_statement(schema=schema))]


@dataclass(frozen=True, slots=True)
class _Entry:
    id: int
    principal: Principal


class DatabaseKeys:
    """The valid keys of the table, as read last."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer | None = None,
        *,
        schema: str = "mcp",
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """:param writer: notes when keys were used last; None: nobody does.
        :param on_change: called when a key came, went or changed.
        """
        self._reader = reader
        self._writer = writer
        self._schema = schema
        self._on_change = on_change
        self._known: dict[bytes, _Entry] = {}
        self._used: set[int] = set()
        self._noted = time.monotonic()
        self._begun = float("-inf")
        self._refreshing: asyncio.Task[bool] | None = None
        self._failing = False
        self.loaded = False
        """Whether the table was ever read."""

    def find(self, digest: bytes) -> Principal | None:
        """Return whom the key with this digest belongs to; None: it is unknown or has ended."""
        entry = self._known.get(digest)
        if entry is None:
            return None
        if entry.principal.expires is not None and entry.principal.expires <= time.time():
            return None
        self._used.add(entry.id)
        return entry.principal

    async def look_again(self, digest: bytes) -> Principal | None:
        """Return whom a key belongs to that `find` did not know: it may be new."""
        running = self._refreshing
        if running is not None and not running.done():
            await asyncio.shield(running)
            principal = self.find(digest)
            if principal is not None:
                return principal
        # That one may have begun before the key was made.
        if time.monotonic() - self._begun >= MIN_INTERVAL:
            await self.refresh()
        return self.find(digest)

    async def refresh(self) -> bool:
        """Read the table now and return whether that worked."""
        if self._refreshing is None or self._refreshing.done():
            self._begun = time.monotonic()
            self._refreshing = asyncio.create_task(self._read())
        return await asyncio.shield(self._refreshing)

    async def watch(self) -> None:
        """Follow the table; never returns."""
        while True:
            await self.refresh()
            if time.monotonic() - self._noted >= USED_INTERVAL:
                self._noted = time.monotonic()
                await self.note_used()
            await asyncio.sleep(POLL_INTERVAL)

    async def note_used(self) -> None:
        """Write down which keys were used since the last time; what can't be written is forgotten."""
        ids, self._used = sorted(self._used), set()
        if self._writer is None or not ids:
            return
        marks = ", ".join(["%s"] * len(ids))
        sql = f"UPDATE `{self._schema}`.api_keys SET last_used_at = UTC_TIMESTAMP(6) WHERE id IN ({marks})"
        with suppress(Exception):  # a convenience for the operator, no part of access
            async with asyncio.timeout(FETCH_TIMEOUT):
                await self._writer.execute("api_keys", sql, ids)

    async def _read(self) -> bool:
        sql = (
            f"SELECT {_COLUMNS} FROM `{self._schema}`.api_keys "
            "WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > UTC_TIMESTAMP(6))"
        )
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                rows = await self._reader.fetch("api_keys", sql)
        except Exception as error:  # whatever keeps us from reading: the keys read last stay good
            if not self._failing:
                reason = type(error).__name__
                _log.warning("API keys can't be read from the database", extra={"fields": {"reason": reason}})
            self._failing = True
            return False
        if self._failing:
            _log.info("API keys are read from the database again")
        self._failing, self.loaded = False, True
        known = dict(entry for row in rows if (entry := _entry(row)) is not None)
        if known != self._known:
            self._known = known
            self._on_change()
        return True


def _entry(row: Mapping[str, Any]) -> tuple[bytes, _Entry] | None:
    """Return a key's digest and what it stands for; None when the row can't be understood."""
    try:
        digest = bytes.fromhex(row["sha256"])
        expires = row["expires_at"]
        principal = Principal(
            str(row["name"]),
            frozenset(_scopes(row["scopes"])),
            "api_key",
            _rate(row),
            expires.replace(tzinfo=UTC).timestamp() if expires is not None else None,
            digest,
        )
        return digest, _Entry(int(row["id"]), principal)
    except (ValueError, TypeError, KeyError, AttributeError):
        _log.warning("API key ignored: its row can't be understood", extra={"fields": {"id": row.get("id")}})
        return None


def _scopes(text: str) -> list[str]:
    """Return the scopes of a column: separated by commas, or a JSON list."""
    parts = json.loads(text) if text.startswith("[") else text.split(",")
    return [scope for part in parts if (scope := str(part).strip()) in SCOPES]


def _rate(row: Mapping[str, Any]) -> Rate | None:
    if row["rate_requests"] is None:
        return None
    requests = int(row["rate_requests"])
    period, burst = row["rate_period_s"], row["rate_burst"]
    rate = Rate(requests, float(period) if period is not None else 60.0, int(burst) if burst is not None else requests)
    if rate.requests < 1 or rate.period <= 0 or rate.burst < 1:
        raise ValueError("rate")
    return rate
