"""API keys of a file: a YAML list, kept as SHA-256 only.

    - name: claude-desktop
      sha256: 5f1c...          # of the key
      scopes: [read, players]  # default: [read]
      expires: 2027-01-31      # optional; a day (UTC, the key still works on it) or a time
      rate: {requests: 600, period: 60, burst: 100}  # optional; instead of limits.default

Keys are long random strings, so a plain digest keeps them safe at rest: there is nothing to guess that a slow hash
would have to slow down.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from trinitycore_mcp import config
from trinitycore_mcp.access.principal import Principal, Rate, Scope
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.config_load import StrictLoader

KEY_PREFIX = "tcmcp_"
"""What keys that we make begin with, so that scanners of source code and people know one when they see it."""

KeyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")]


def end_of_day(day: date) -> datetime:
    """Return when a day is over, by UTC; 9999-12-31, which often stands for "never", ends a second early."""
    if (day.year, day.month, day.day) == (9999, 12, 31):
        return datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _end(value: object) -> object:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return end_of_day(value)
    return value


Expiry = Annotated[datetime, BeforeValidator(_end)]
"""A time without zone is UTC; a day means its end."""


class ApiKey(BaseModel):
    """One key's entry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: KeyName
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
    scopes: list[Scope] = Field(default=["read"])
    expires: Expiry | None = None
    rate: config.Rate | None = None

    def principal(self) -> Principal:
        """Return whom the key stands for."""
        expires = None
        if self.expires is not None:
            known = self.expires if self.expires.tzinfo else self.expires.replace(tzinfo=UTC)
            expires = known.timestamp()
        rate = Rate.of(self.rate) if self.rate else None
        return Principal(self.name, frozenset(self.scopes), "api_key", rate, expires, bytes.fromhex(self.sha256))


def digest_of(raw: bytes) -> bytes:
    """Return a credential's SHA-256."""
    return hashlib.sha256(raw).digest()


class ApiKeys:
    """The known keys, by digest.

    The digest is looked up in a dict, not compared in constant time: what such a look-up's time can tell is how far
    the digest of the guess agrees with a known one, and nobody can choose a guess by the beginning of its SHA-256
    better than by trying, nor get from there to the key.
    """

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._known = {bytes.fromhex(key.sha256): key.principal() for key in keys}

    def find(self, digest: bytes) -> Principal | None:
        """Return whom the key with this digest belongs to; None: it is unknown or has ended."""
        principal = self._known.get(digest)
        if principal is not None and principal.expires is not None and principal.expires <= time.time():
            return None
        return principal


def load_keys(path: Path) -> ApiKeys:
    """Read an API keys file.

    :raises ConfigError: see read_keys.
    """
    return ApiKeys(read_keys(path))


def read_keys(path: Path) -> list[ApiKey]:
    """Return the entries of an API keys file.

    :raises ConfigError: it can't be read or an entry is wrong; never quotes a digest.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), StrictLoader)
    except OSError as error:
        raise ConfigError(f"auth.api_keys_file: {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a day that is none, no UTF-8
        why = str(getattr(error, "problem", None) or "not YAML, or a day in it is none")
        raise ConfigError(f"auth.api_keys_file: {path}: {why}") from None
    try:
        keys = TypeAdapter(list[ApiKey]).validate_python(data)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise ConfigError(f"auth.api_keys_file: {path}: {wrong}") from None
    names = [key.name for key in keys]
    if len(set(names)) != len(names) or not keys:
        raise ConfigError(f"auth.api_keys_file: {path}: needs at least one key, and each name once")
    digests = [key.sha256.lower() for key in keys]
    if len(set(digests)) != len(digests):
        raise ConfigError(f"auth.api_keys_file: {path}: two names have the same sha256")
    return keys
