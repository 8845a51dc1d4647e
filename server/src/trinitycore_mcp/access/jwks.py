"""Signers' public keys: a JWK Set (RFC 7517), from a file or from a URL that is asked in the background."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from trinitycore_mcp.config_error import ConfigError

_log = logging.getLogger(__name__)
MAX_SIZE = 256 * 1024
"""Bytes that a set may have."""
MAX_KEYS = 100
FETCH_TIMEOUT = 5.0
"""Seconds for one fetch, all of it."""
REFRESH_INTERVAL = 300.0
"""Seconds between fetches when all is well: as long a key that was withdrawn is good at most."""
MIN_INTERVAL = 30.0
"""Seconds between fetches that unknown key ids cause, so that made-up ones can't be used against the signer."""
_FIRST_RETRIES = (0.5, 1.0, 2.0, 5.0, 10.0)
# Which kind of key an algorithm takes, and which curve (RFC 7518 section 3.1, RFC 8037).
_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key and the one algorithm it is used with; `digest` tells it from all others."""

    kid: str | None
    algorithm: str
    key: PyJWK
    digest: bytes


class KeySet:
    """The usable keys of a JWK Set."""

    def __init__(self, keys: Iterable[SigningKey] = ()) -> None:
        self._keys = tuple(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key for a token's header.

        A token without `kid` is checked only when one key alone can be meant: trying one after the other would make
        every such token as costly as the set is long.
        """
        fitting = [key for key in self._keys if key.algorithm == algorithm and (kid is None or key.kid == kid)]
        return fitting[0] if len(fitting) == 1 else None

    def has(self, digest: bytes) -> bool:
        """Return whether a key is in the set."""
        return any(key.digest == digest for key in self._keys)


def parse(document: bytes, algorithms: Iterable[str]) -> KeySet:
    """Return the keys of a JWK Set that can check signatures by the given algorithms.

    Left out: keys for encryption, shared secrets (`oct`; a secret that everybody can fetch is none), keys that come
    with their private half, RSA below 2048 bits, and what can't be understood.

    :raises ValueError: it is no JWK Set, or too large.
    """
    if len(document) > MAX_SIZE:
        raise ValueError(f"has more than {MAX_SIZE} bytes")
    try:
        data = json.loads(document)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    entries = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("is not a JWK Set: an object with a list named keys")
    if len(entries) > MAX_KEYS:
        raise ValueError(f"has {len(entries)} keys, allowed are {MAX_KEYS}")
    return KeySet(key for entry in entries for algorithm in sorted(algorithms) for key in _usable(entry, algorithm))


def _usable(entry: dict[str, Any], algorithm: str) -> list[SigningKey]:
    """Return the entry as a key for this algorithm, or nothing."""
    operations = entry.get("key_ops")
    kid = entry.get("kid")
    if (
        entry.get("kty") != _TYPES.get(algorithm[:2])
        or entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or (operations is not None and (not isinstance(operations, list) or "verify" not in operations))
        or (algorithm in _CURVES and entry.get("crv") != _CURVES[algorithm])
        or "d" in entry
        or not (kid is None or isinstance(kid, str))
    ):
        return []
    try:
        key = PyJWK(entry, algorithm)
        short = key.Algorithm.check_key_length(key.key)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return []
    if short:
        return []
    written = json.dumps([algorithm, entry], sort_keys=True)
    return [SigningKey(kid, algorithm, key, hashlib.sha256(written.encode()).digest())]


class FileKeys:
    """Keys from a file, read once."""

    ready = True

    def __init__(self, path: Path, algorithms: Iterable[str]) -> None:
        """:raises ConfigError: the file can't be used."""
        try:
            with path.open("rb") as file:
                self._keys = parse(file.read(MAX_SIZE + 1), algorithms)
        except OSError as error:
            raise ConfigError(f"auth.jwt.jwks_file: {path}: {error.strerror}") from None
        except ValueError as error:
            raise ConfigError(f"auth.jwt.jwks_file: {path}: {error}") from None
        if not len(self._keys):
            raise ConfigError(f"auth.jwt.jwks_file: {path}: has no key for {', '.join(algorithms)}")

    def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key for a token's header."""
        return self._keys.find(kid, algorithm)

    def has(self, digest: bytes) -> bool:
        """Return whether a key is among those that are good now."""
        return self._keys.has(digest)

    async def look_again(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key for a token's header; a file that changed is read on reload."""
        return self.find(kid, algorithm)


class UrlKeys:
    """Keys that a signer publishes. When it can't be reached, those that were fetched last stay good."""

    def __init__(
        self,
        url: str,
        algorithms: Iterable[str],
        *,
        tls: ssl.SSLContext | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """:param tls: None: the system's CAs.
        :param on_change: called when the set changed.
        """
        self._url = url
        self._algorithms = frozenset(algorithms)
        self._tls = tls
        self._on_change = on_change
        self._document = b""
        self._keys = KeySet()
        self._begun = float("-inf")
        self._refreshing: asyncio.Task[bool] | None = None
        self.ready = False
        """Whether the set was ever fetched."""

    def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key for a token's header."""
        return self._keys.find(kid, algorithm)

    def has(self, digest: bytes) -> bool:
        """Return whether a key is among those that are good now."""
        return self._keys.has(digest)

    async def look_again(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key for a token's header after fetching the set, if that may be done again."""
        if self._refreshing is not None and not self._refreshing.done():
            await asyncio.shield(self._refreshing)
        elif time.monotonic() - self._begun >= MIN_INTERVAL:
            await self.refresh()
        return self.find(kid, algorithm)

    def accept(self, algorithms: Iterable[str]) -> None:
        """Look for keys of other algorithms from now on, in the set that is known too."""
        self._algorithms = frozenset(algorithms)
        if self.ready:
            self._keys = parse(self._document, self._algorithms)

    async def refresh(self) -> bool:
        """Fetch the set now and return whether that worked."""
        if self._refreshing is None or self._refreshing.done():
            self._begun = time.monotonic()
            self._refreshing = asyncio.create_task(self._fetch())
        return await asyncio.shield(self._refreshing)

    async def watch(self) -> None:
        """Keep the set fresh; never returns."""
        for delay in _FIRST_RETRIES:
            if await self.refresh():
                break
            await asyncio.sleep(delay)
        while True:
            await asyncio.sleep(REFRESH_INTERVAL if self.ready else MIN_INTERVAL)
            await self.refresh()

    async def _fetch(self) -> bool:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                document = await self._get()
            if document == self._document:
                return True
            keys = parse(document, self._algorithms)
        except (OSError, TimeoutError, ValueError, httpx2.HTTPError) as error:
            reason = str(error) if isinstance(error, ValueError) else type(error).__name__
            fields = {"url": self._url, "reason": reason, "keys": len(self._keys)}
            _log.warning("signing keys can't be fetched: those fetched last stay good", extra={"fields": fields})
            return False
        self._document, self._keys, self.ready = document, keys, True
        fields = {"url": self._url, "keys": len(keys)}
        _log.log(logging.INFO if len(keys) else logging.WARNING, "signing keys fetched", extra={"fields": fields})
        self._on_change()
        return True

    async def _get(self) -> bytes:
        """Return what the URL answers; it is not followed elsewhere, and not read beyond what a set may have.

        :raises ValueError: the answer is no 200, or too large.
        """
        headers = {"accept": "application/jwk-set+json, application/json"}
        verify = self._tls if self._tls is not None else True
        async with (
            httpx2.AsyncClient(verify=verify, timeout=FETCH_TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", self._url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(f"answers {answer.status_code}")
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_SIZE:
                    raise ValueError(f"has more than {MAX_SIZE} bytes")
            return bytes(body)
