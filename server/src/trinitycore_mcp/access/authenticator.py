"""From a request's headers to a principal: API keys of the file, of the database, and tokens, behind one cache."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from trinitycore_mcp import metrics
from trinitycore_mcp.access.credentials import Credential, credential
from trinitycore_mcp.access.jwks import FileKeys, UrlKeys
from trinitycore_mcp.access.key_store import DatabaseKeys, Reader, Writer
from trinitycore_mcp.access.keys import KEY_PREFIX, ApiKeys, digest_of, load_keys
from trinitycore_mcp.access.principal import ANONYMOUS, Principal
from trinitycore_mcp.access.refused import Refused, invalid, scopeless, unavailable
from trinitycore_mcp.access.tokens import PublicKeys, TokenRules, TokenVerifier, checked_secret, looks_like_token
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.tasks import end

MAX_CACHED = 10_000
_PREFIX = KEY_PREFIX.encode()
_OK = {method: metrics.AUTH.labels(method, "ok") for method in ("api_key", "jwt", "none")}
_RESULTS = {400: "malformed", 401: "refused", 403: "refused", 503: "unavailable"}


class _Cache:
    """Verified credentials by SHA-256: the process need not keep them as they are."""

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._entries: dict[bytes, tuple[Principal, float]] = {}
        self.generation = 0

    def get(self, digest: bytes) -> Principal | None:
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if entry[1] <= time.monotonic():
            del self._entries[digest]
            return None
        return entry[0]

    def put(self, digest: bytes, principal: Principal, generation: int) -> None:
        """Remember the outcome of a check that began in `generation`, unless keys changed meanwhile."""
        seconds = self._ttl
        if principal.expires is not None:
            seconds = min(seconds, principal.expires - time.time())
        if seconds <= 0 or generation != self.generation:
            return
        if len(self._entries) >= MAX_CACHED:
            now = time.monotonic()
            self._entries = {key: entry for key, entry in self._entries.items() if entry[1] > now}
            while len(self._entries) >= MAX_CACHED:
                del self._entries[next(iter(self._entries))]
        self._entries[digest] = (principal, time.monotonic() + seconds)

    def clear(self) -> None:
        self._entries.clear()
        self.generation += 1


class Authenticator:
    """Says who calls. One for the process; `running` keeps its keys fresh."""

    def __init__(self, loaded: Loaded, reader: Reader | None = None, writer: Writer | None = None) -> None:
        """:param reader: our own database, for auth.api_keys_in_database; should read where it is written, as a
        replica's lag delays revocations.
        :param writer: notes when keys of the database were used last; None: nobody does.
        :raises ConfigError: a file can't be used.
        """
        options = loaded.config.auth
        self.on_change: Callable[[], None] = lambda: None
        """Called when keys came, went or changed: what `still_known` says may be another thing then."""
        self._enabled = options.enabled
        self._cache = _Cache(options.cache_ttl)
        self._published: UrlKeys | None = None
        if options.jwt and options.jwt.jwks_url:
            self._published = UrlKeys(options.jwt.jwks_url, options.jwt.algorithms, on_change=self.forget)
        self._database: DatabaseKeys | None = None
        if options.api_keys_in_database and reader is not None:
            schema = loaded.config.database.databases.mcp
            self._database = DatabaseKeys(reader, writer, schema=schema, on_change=self.forget)
        self._file, self._tokens = self._read(loaded)

    def _read(self, loaded: Loaded) -> tuple[ApiKeys, TokenVerifier | None]:
        options = loaded.config.auth
        if not self._enabled:
            return ApiKeys(), None
        file = load_keys(loaded.path(options.api_keys_file)) if options.api_keys_file else ApiKeys()
        jwt = options.jwt
        if jwt is None:
            return file, None
        keys: bytes | PublicKeys | None = self._published
        if jwt.secret_file:
            secret = loaded.secret("auth.jwt.secret_file", jwt.secret_file)
            keys = checked_secret(secret.encode(), jwt.algorithms)
        elif jwt.jwks_file:
            keys = FileKeys(loaded.path(jwt.jwks_file), jwt.algorithms)
        if keys is None:
            raise ConfigError("auth.jwt.jwks_url: is new, which needs a restart")
        audience = loaded.config.token_audience
        rules = TokenRules(frozenset(jwt.algorithms), jwt.issuer, audience, jwt.leeway, jwt.scope_claim, jwt.name_claim)
        return file, TokenVerifier(rules, keys)

    def reload(self, loaded: Loaded) -> None:
        """Read the files of API keys, secret and signing keys anew, and forget what the old ones said.

        Changes of auth.enabled, cache_ttl, api_keys_in_database and jwt.jwks_url need a restart; with the first of
        them, so does the whole section.

        :raises ConfigError: a file can't be used; then everything stays as it was.
        """
        options = loaded.config.auth
        if options.enabled is not self._enabled:
            return
        self._file, self._tokens = self._read(loaded)
        if self._published is not None and options.jwt is not None:
            self._published.accept(options.jwt.algorithms)
        self.forget()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the database's keys and the signers' keys while the context is open; waits for neither."""
        sources = [source for source in (self._database, self._published) if source is not None]
        tasks = [asyncio.create_task(source.watch()) for source in sources if self._enabled]
        try:
            yield
        finally:
            await end(*tasks)

    def forget(self) -> None:
        """Check every credential anew from now on."""
        self._cache.clear()
        self.on_change()

    def still_known(self, principal: Principal) -> bool:
        """Return whether a caller that was let in would be now, as the same one, with the key or token it came with."""
        if principal.expires is not None and principal.expires <= time.time():
            return False
        if principal.method == "api_key":
            return self._find_key(principal.proof) == principal
        if principal.method == "jwt":
            return self._tokens is not None and self._tokens.still_checks(principal.proof)
        return True

    def _find_key(self, digest: bytes) -> Principal | None:
        """Return whom an API key belongs to, as far as is known without reading the database."""
        principal = self._file.find(digest)
        if principal is None and self._database is not None:
            principal = self._database.find(digest)
        return principal

    def recall(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """Return whom a bearer credential belongs to that was verified a short while ago; None: ask `verify`.

        :param headers: the request's, names in lower case, none twice.
        """
        if not self._enabled:
            return ANONYMOUS
        authorization = headers.get(b"authorization")
        if authorization is None or b"x-api-key" in headers or authorization[:7].lower() != b"bearer ":
            return None
        return self._cache.get(digest_of(authorization[7:].strip()))

    @staticmethod
    def count(principal: Principal) -> None:
        """Count a caller that was recalled."""
        _OK[principal.method].inc()

    async def verify(self, headers: Iterable[tuple[bytes, bytes]]) -> Principal:
        """Return who calls.

        :param headers: the request's, names in lower case.
        :raises Refused: nobody that we let in, with status and reason.
        """
        if not self._enabled:
            _OK["none"].inc()
            return ANONYMOUS
        method = "none"
        try:
            found = credential(headers)
            method = "jwt" if self._is_token(found) else "api_key"
            principal = await self._check(found)
        except Refused as refused:
            result = "missing" if refused.status == 401 and refused.error is None else _RESULTS[refused.status]
            metrics.AUTH.labels(method, result).inc()
            raise
        _OK[principal.method].inc()
        return principal

    def _is_token(self, found: Credential) -> bool:
        return (
            self._tokens is not None
            and not found.key_only
            and not found.raw.startswith(_PREFIX)
            and looks_like_token(found.raw)
        )

    async def _check(self, found: Credential) -> Principal:
        digest, generation = digest_of(found.raw), self._cache.generation
        principal = self._find_key(digest)
        if principal is None and self._tokens is not None and self._is_token(found):
            principal = await self._tokens.verify(found.raw)
        if principal is None and self._database is not None:
            principal = await self._database.look_again(digest)
            generation = self._cache.generation  # what was found just now is as new as the table
            if principal is None and not self._database.loaded:
                raise unavailable("API keys can not be looked up now")
        if principal is None:
            raise invalid("the API key is unknown or has ended")
        if not principal.scopes:
            raise scopeless()
        self._cache.put(digest, principal, generation)
        return principal
