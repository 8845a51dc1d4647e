"""Who calls: API keys, kept as SHA-256 only."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from trinitycore_mcp.config_load import ConfigError

Scope = Literal["read", "players", "admin"]


class ApiKey(BaseModel):
    """One entry of the API keys file. Keys are long random strings, so a plain digest keeps them safe at rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
    scopes: list[Scope] = Field(default=["read"])


@dataclass(frozen=True)
class Principal:
    """The caller a key stands for."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: Scope) -> bool:
        """Return whether the caller has the scope; `admin` includes all."""
        return scope in self.scopes or "admin" in self.scopes


ANONYMOUS = Principal("anonymous", frozenset({"read"}))


class ApiKeys:
    """The known keys."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._known = [(bytes.fromhex(key.sha256), Principal(key.name, frozenset(key.scopes))) for key in keys]

    def find(self, key: str) -> Principal | None:
        """Return whom the key belongs to, in a time that does not tell how close a guess was."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        found = None
        for known, principal in self._known:
            if hmac.compare_digest(digest, known):
                found = principal
        return found


def load_keys(path: Path) -> ApiKeys:
    """Read the API keys file: a YAML list of {name, sha256, scopes}.

    :raises ConfigError: it can't be read or an entry is wrong; never quotes a digest.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"auth.api_keys_file: {path}: {getattr(error, 'strerror', None) or 'not YAML'}") from None
    try:
        keys = TypeAdapter(list[ApiKey]).validate_python(data)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise ConfigError(f"auth.api_keys_file: {path}: {wrong}") from None
    names = [key.name for key in keys]
    if len(set(names)) != len(names) or not keys:
        raise ConfigError(f"auth.api_keys_file: {path}: needs at least one key, and each name once")
    return ApiKeys(keys)


def key_from_headers(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the key a request carries as ``Authorization: Bearer`` or ``X-API-Key``."""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip().decode("latin-1")
        if name == b"x-api-key":
            return value.strip().decode("latin-1")
    return None
