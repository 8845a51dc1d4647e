"""What check-config looks at besides the configuration's own shape: the files and the tools that it names."""

from __future__ import annotations

import fnmatch
import json
import ssl
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from trinitycore_mcp.config import Config
from trinitycore_mcp.config.files import named_files
from trinitycore_mcp.config.overrides import FROM_ENVIRONMENT
from trinitycore_mcp.config_error import ConfigError
from trinitycore_mcp.config_load import Loaded
from trinitycore_mcp.tls import load_ca, load_certificate

_STATE_KEY_CHARACTERS = 32


class Findings(NamedTuple):
    """What was found, a line each."""

    errors: list[str]
    """The server would not start, or would fail later."""
    warnings: list[str]
    """It would work and should not be so."""


def check_files(loaded: Loaded) -> Findings:
    """Read every file that the configuration names and look whether it is what it should be."""
    errors: list[str] = []
    readable = set()
    for key, name, _ in named_files(loaded.config):
        if name.startswith(FROM_ENVIRONMENT):
            readable.add(key)
            continue
        try:
            loaded.path(name).read_bytes()
            readable.add(key)
        except OSError as error:
            errors.append(f"{key}: {loaded.path(name)}: {error.strerror}")
    for keys, check in _checks(loaded):
        if readable.issuperset(keys):
            try:
                check()
            except ConfigError as error:
                errors += str(error).splitlines()
    return Findings(list(dict.fromkeys(errors)), permission_warnings(loaded))


def check_tools(config: Config) -> list[str]:
    """Return a line for each name or pattern of tools in the configuration that no tool has."""
    named = [(f"{place}.tools.{name}", name) for place in ("cache", "limits") for name in getattr(config, place).tools]
    named += [(f"cache.warm.{number}.tool", call.tool) for number, call in enumerate(config.cache.warm)]
    patterns = [("tools.include", each) for each in config.tools.include if each != "*"]
    patterns += [("tools.exclude", each) for each in config.tools.exclude]
    if not named and not patterns:
        return []
    from trinitycore_mcp.errors import did_you_mean
    from trinitycore_mcp.tools import every_tool

    known = [tool.name for tool in every_tool()]
    wrong = [(key, name) for key, name in named if name not in known]
    wrong += [(key, pattern) for key, pattern in patterns if not fnmatch.filter(known, pattern)]
    return [f"{key}: no tool is called {name!r}{did_you_mean(name, known)}" for key, name in wrong]


def permission_warnings(loaded: Loaded) -> list[str]:
    """Return a line for each secret file that everybody on this host can read."""
    warnings = []
    for key, name, secret in named_files(loaded.config):
        try:
            mode = loaded.path(name).stat().st_mode & 0o777
        except OSError:
            continue  # told where it is read
        if secret and mode & 0o004:
            warnings.append(
                f"{key}: {loaded.path(name)}: mode {mode:04o} lets everybody on this host read it, 0600 would not"
            )
    return warnings


_Check = tuple[list[str], Callable[[], object]]


def _checks(loaded: Loaded) -> Iterator[_Check]:
    """Return what to look at, with the keys of the files that it takes."""
    config = loaded.config
    for section, listener in (("server", config.server), ("metrics", config.metrics)):
        if listener.tls:
            files = [listener.tls.certificate_file, listener.tls.key_file]
            yield _certificate(loaded, f"{section}.tls", *files)
            if listener.tls.client_ca_file:
                yield _ca(loaded, f"{section}.tls.client_ca_file", listener.tls.client_ca_file)
    if config.database.tls:
        yield _ca(loaded, "database.tls.ca_file", config.database.tls.ca_file)
    if config.redis and config.redis.tls:
        tls = config.redis.tls
        yield _ca(loaded, "redis.tls.ca_file", tls.ca_file)
        if tls.certificate_file and tls.key_file:
            yield _certificate(loaded, "redis.tls", tls.certificate_file, tls.key_file)
    for key, name, secret in named_files(config):
        if secret and not key.endswith(".key_file"):
            yield [key], partial(loaded.secret, key, name)
    yield from _access(loaded)
    if config.state.request_state_key_file:
        yield _text(loaded, "state.request_state_key_file", config.state.request_state_key_file, _state_keys)
    if config.sentry.dsn_file:
        yield _text(loaded, "sentry.dsn_file", config.sentry.dsn_file, _dsn)
    if config.tracing.headers_file:
        yield _text(loaded, "tracing.headers_file", config.tracing.headers_file, _headers)


def _access(loaded: Loaded) -> Iterator[_Check]:
    auth = loaded.config.auth
    if auth.api_keys_file:
        path = loaded.path(auth.api_keys_file)
        yield ["auth.api_keys_file"], lambda: _api_keys(path)
    if auth.jwt and auth.jwt.secret_file:
        yield ["auth.jwt.secret_file"], partial(_shared_secret, loaded, auth.jwt.secret_file, auth.jwt.algorithms)
    if auth.jwt and auth.jwt.jwks_file:
        yield _text(loaded, "auth.jwt.jwks_file", auth.jwt.jwks_file, _jwks)


# check-config without --files needs none of these imports.
def _shared_secret(loaded: Loaded, name: str, algorithms: Iterable[str]) -> None:
    from trinitycore_mcp.access.tokens import checked_secret

    checked_secret(loaded.secret("auth.jwt.secret_file", name).encode(), algorithms)


def _api_keys(path: Path) -> None:
    from trinitycore_mcp.access.keys import load_keys

    load_keys(path)


def _certificate(loaded: Loaded, section: str, certificate: str, key: str) -> _Check:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    check = partial(load_certificate, context, section, loaded, certificate, key)
    return [f"{section}.certificate_file", f"{section}.key_file"], check


def _ca(loaded: Loaded, key: str, name: str) -> _Check:
    return [key], partial(load_ca, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), key, loaded, name)


def _text(loaded: Loaded, key: str, name: str, problem: Callable[[str], str | None]) -> _Check:
    """Check a file's text by a function that returns what is wrong with it, without quoting it."""

    def check() -> None:
        wrong = problem(loaded.secret(key, name))
        if wrong:
            raise ConfigError(f"{key}: {name}: {wrong}")

    return [key], check


def _jwks(text: str) -> str | None:
    try:
        data = json.loads(text)
    except ValueError:
        return "not JSON"
    keys = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) and "kty" in key for key in keys):
        return 'not a JWK Set: {"keys": [{"kty": ...}, ...]} is expected'
    if any({"d", "k"} & key.keys() for key in keys):
        return "holds a private or shared key; only public ones belong there"
    return None


def _state_keys(text: str) -> str | None:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line.strip()) < _STATE_KEY_CHARACTERS:
            return f"line {number} has {len(line.strip())} characters, allowed are {_STATE_KEY_CHARACTERS} or more"
    return None


def _dsn(text: str) -> str | None:
    parts = urlsplit(text.strip())
    good = parts.scheme in ("http", "https") and parts.username and parts.hostname and parts.path.strip("/")
    return None if good else "not a Sentry DSN, which looks like https://KEY@HOST/PROJECT"


def _headers(text: str) -> str | None:
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, value = line.partition(":")
        if line.strip() and not (colon and name.strip() and value.strip()):
            return f"line {number} is not of the form Name: value"
    return None
