"""The .env file of version 1: what each of its names has become."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from dotenv.parser import parse_stream
from pydantic import ValidationError

from trinitycore_mcp.config import Config
from trinitycore_mcp.config.errors import describe
from trinitycore_mcp.config.overrides import HA_ENABLED, JWT_SECRET, V1_KEYS, complete_hosts, ha_notice, put
from trinitycore_mcp.config_error import ConfigError

_NUMBERS = frozenset({"port", "size", "database", "requests", "burst", "ttl", "period"})
# Other spellings that .env files have, and names that version 1's own list left out, by key.
_MORE: dict[tuple[str, ...], tuple[str, ...]] = {
    V1_KEYS["TRINITY_DB_HOST"]: ("DB_HOST", "MYSQL_HOST"),
    V1_KEYS["TRINITY_DB_PORT"]: ("DB_PORT", "MYSQL_PORT"),
    V1_KEYS["PROMETHEUS_PORT"]: ("METRICS_PORT",),
    ("database", "user"): ("TRINITY_DB_USER", "DB_USER", "MYSQL_USER"),
    ("database", "databases", "world"): ("TRINITY_DB_WORLD", "TRINITY_WORLD_DB", "WORLD_DB_NAME", "WORLD_DATABASE"),
    ("database", "databases", "auth"): ("TRINITY_DB_AUTH", "TRINITY_AUTH_DB", "AUTH_DB_NAME", "AUTH_DATABASE"),
    ("database", "databases", "characters"): (
        *("TRINITY_DB_CHARACTERS", "TRINITY_CHARACTERS_DB", "CHARACTERS_DB_NAME", "CHARACTERS_DATABASE"),
    ),
    ("database", "databases", "hotfixes"): ("TRINITY_DB_HOTFIXES", "TRINITY_HOTFIXES_DB", "HOTFIXES_DATABASE"),
    ("database", "pool", "size"): ("TRINITY_DB_POOL_SIZE", "DB_POOL_SIZE", "DB_CONNECTION_LIMIT"),
    ("redis", "username"): ("REDIS_USERNAME", "REDIS_USER"),
    ("redis", "database"): ("REDIS_DB", "REDIS_DATABASE"),
    ("cache", "enabled"): ("CACHE_ENABLED",),
    ("cache", "ttl"): ("CACHE_TTL",),
    ("auth", "jwt", "issuer"): ("JWT_ISSUER",),
    ("auth", "jwt", "audience"): ("JWT_AUDIENCE",),
    ("limits", "default", "requests"): ("RATE_LIMIT_MAX_REQUESTS", "RATE_LIMIT_MAX", "RATE_LIMIT_PER_MINUTE"),
    ("limits", "default", "burst"): ("RATE_LIMIT_BURST",),
    ("sentry", "environment"): ("SENTRY_ENVIRONMENT",),
}
_PLAIN: dict[tuple[str, ...], list[str]] = {keys: [name] for name, keys in V1_KEYS.items()}
for _key, _others in _MORE.items():
    _PLAIN.setdefault(_key, []).extend(_others)
# The key that names the file, and the file.
_SECRETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "db_password": (
        ("database", "password_file"),
        ("TRINITY_DB_PASSWORD", "TRINITY_DB_PASS", "DB_PASSWORD", "DB_PASS", "MYSQL_PASSWORD"),
    ),
    "redis_password": (("redis", "password_file"), ("REDIS_PASSWORD", "REDIS_PASS")),
    "jwt_secret": (("auth", "jwt", "secret_file"), (JWT_SECRET,)),
    "sentry_dsn": (("sentry", "dsn_file"), ("SENTRY_DSN",)),
}
_SECRET_BYTES = 32  # of HS256, RFC 7518 section 3.2
_API_KEYS = ("API_KEY", "MCP_API_KEY", "API_KEYS", "MCP_API_KEYS")
_LEVELS = {
    "fatal": "FATAL", "silent": "FATAL", "error": "ERROR", "warn": "WARNING", "warning": "WARNING",
    "info": "INFO", "notice": "INFO", "http": "INFO",
    "verbose": "DEBUG", "debug": "DEBUG", "silly": "DEBUG", "trace": "DEBUG",
}  # fmt: skip
_GAME_FILES = "the server reads databases, no files of the game"
_DROPPED = {
    "TRINITY_ROOT": _GAME_FILES, "DBC_PATH": _GAME_FILES, "DB2_PATH": _GAME_FILES, "GT_PATH": _GAME_FILES,
    "VMAP_PATH": _GAME_FILES, "MMAP_PATH": _GAME_FILES, "VMAP_DATA_PATH": _GAME_FILES, "MMAP_DATA_PATH": _GAME_FILES,
    "WOW_PATH": _GAME_FILES, "MAPS_PATH": _GAME_FILES,
    "NODE_ENV": "there is no such mode", "NODE_OPTIONS": "there is no Node",
    "JWT_EXPIRES_IN": "tokens are made by an authorization server", "JWT_EXPIRY": "tokens are made by others",
}  # fmt: skip


@dataclass
class Converted:
    """A configuration for `yaml.dump`, secrets by the file they belong in, and what the operator should know."""

    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Done:
    """What was written, and what the operator should know."""

    written: list[Path]
    notices: list[str]


def migrate(env: Path, output: Path, secrets_directory: Path | None = None, *, overwrite: bool = False) -> Done:
    """Write the configuration that an .env file stands for.

    :param output: the configuration file.
    :param secrets_directory: folder for passwords and keys; None: `secrets` beside the output.
    :param overwrite: replace files that are there.
    :raises ConfigError: the file can't be read, gives no valid configuration, or a file is in the way; then nothing
        is written.
    """
    folder = secrets_directory or output.parent / "secrets"
    values, notices = read_env(env)
    done = convert(values, lambda name: _named(folder / name, output.parent))
    try:
        Config.model_validate(done.config)
    except ValidationError as error:
        lines = describe(Config, error)
        raise ConfigError("\n".join([f"{env} gives no valid configuration:", *lines])) from None
    files = {folder / name: text for name, text in done.secrets.items()}
    there = [str(path) for path in (*files, output) if path.exists()]
    if there and not overwrite:
        raise ConfigError(f"{', '.join(there)}: already there; --force overwrites")
    text = f"# Made of {env.name} by trinitycore-mcp migrate-config.\n{yaml.safe_dump(done.config, sort_keys=False)}"
    try:
        if files:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, secret in files.items():
            _write(path, secret, 0o600)
        output.parent.mkdir(parents=True, exist_ok=True)
        _write(output, text, 0o640)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from None
    return Done([*files, output], [*notices, *done.notices])


def read_env(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return the names and values of an .env file, and a notice for each line that isn't one.

    Of a name that stands twice the last value holds. Values are taken as they stand: ``$NAME`` in them is no reference.

    :raises ConfigError: it can't be read.
    """
    values: dict[str, str] = {}
    notices = []
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for part in parse_stream(stream):
                if part.error:
                    notices.append(f"{path.name}, line {part.original.line}: not understood, left out")
                elif part.key is not None and part.value is not None:
                    value = part.value.strip()
                    quoted = len(value) >= 2 and value[0] == value[-1] == "`"  # Node's third kind of quotes
                    values[part.key] = value[1:-1] if quoted else value
                    if "${" in value:
                        notices.append(f"{part.key}: holds ${{...}}, which is taken as it stands")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or 'not text'}") from None
    return values, notices


def convert(values: Mapping[str, str], file_name: Callable[[str], str]) -> Converted:
    """Return what the names of version 1 stand for today. No notice holds a secret.

    :param file_name: gives what the configuration calls a file of secrets.
    """
    return _Converter(values, file_name).convert()


class _Converter:
    """Takes one name after the other away; what is left at the end was not understood."""

    def __init__(self, values: Mapping[str, str], file_name: Callable[[str], str]) -> None:
        self._rest = {name: value for name, value in values.items() if value}
        self._file_name = file_name
        self._done = Converted()

    def convert(self) -> Converted:
        done = self._done
        self._redis_url()
        for keys, names in _PLAIN.items():
            value = self._take(names)
            if value is not None:
                put(done.config, keys, _typed(keys[-1], value))
        complete_hosts(done.config)
        for name, (keys, alike) in _SECRETS.items():
            value = self._take(alike)
            if value is not None:
                self._keep(name, keys, value)
                if name == "jwt_secret" and len(value.encode()) < _SECRET_BYTES:
                    done.notices.append(
                        f"{JWT_SECRET}: is too short to be safe: {_SECRET_BYTES} bytes or more are needed"
                    )
        self._period()
        self._algorithms()
        self._level()
        self._origins()
        self._otlp()
        self._access()
        high_availability = self._take((HA_ENABLED,))
        if high_availability is not None:
            done.notices.append(ha_notice(high_availability, shared="redis" in done.config))
        if "redis" in done.config and "hosts" not in done.config["redis"]:
            del done.config["redis"]
            done.notices.append("REDIS_HOST is not set: nothing else about Redis was carried over")
            done.secrets.pop("redis_password", None)
        for name in sorted(self._rest):
            done.notices.append(f"{name}: not carried over: {_DROPPED.get(name, 'nothing has this name any more')}")
        return done

    def _take(self, names: tuple[str, ...] | list[str]) -> str | None:
        """Return the value of the first of these names that is set; the others say no more than it does."""
        found = [name for name in names if name in self._rest]
        for name in found[1:]:
            self._done.notices.append(f"{name}: not carried over: {found[0]} is set too")
        values = [self._rest.pop(name) for name in found]
        return values[0] if values else None

    def _keep(self, name: str, keys: tuple[str, ...], value: str) -> None:
        put(self._done.config, keys, self._file_name(name))
        self._done.secrets[name] = f"{value}\n"

    def _redis_url(self) -> None:
        url = self._rest.pop("REDIS_URL", None)
        if url is None:
            return
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in ("redis", "rediss") or not host:
            self._done.notices.append("REDIS_URL: not carried over: it is no redis://HOST:PORT/NUMBER")
            return
        if parts.scheme == "rediss":
            self._done.notices.append("REDIS_URL: asks for TLS, which needs redis.tls.ca_file: please add it")
        number = parts.path.strip("/")
        given = {
            "REDIS_HOST": host,
            "REDIS_PORT": str(port or ""),
            "REDIS_USERNAME": unquote(parts.username or ""),
            "REDIS_PASSWORD": unquote(parts.password or ""),
            "REDIS_DB": number,
        }
        self._rest = {name: value for name, value in given.items() if value} | self._rest

    def _period(self) -> None:
        """RATE_LIMIT_WINDOW_MS is a time in milliseconds; without a number of requests it means nothing."""
        window = self._take(("RATE_LIMIT_WINDOW_MS",))
        limits = self._done.config.get("limits", {})
        if "default" in limits and "requests" not in limits["default"]:
            del limits["default"]
            self._done.notices.append("RATE_LIMIT_BURST: not carried over: RATE_LIMIT_MAX_REQUESTS is not set")
        if window is not None and "default" in limits and window.isdigit():
            limits["default"]["period"] = int(window) / 1000
        elif window is not None:
            self._done.notices.append("RATE_LIMIT_WINDOW_MS: not carried over: needs RATE_LIMIT_MAX_REQUESTS")

    def _algorithms(self) -> None:
        given = self._take(("JWT_ALGORITHM", "JWT_ALGORITHMS"))
        if given is not None and "jwt_secret" in self._done.secrets:
            put(self._done.config, ("auth", "jwt", "algorithms"), _words(given))
        elif given is not None:
            self._done.notices.append(f"JWT_ALGORITHM: not carried over: needs {JWT_SECRET}")

    def _level(self) -> None:
        level = self._take(("LOG_LEVEL",))
        if level is not None and level.lower() in _LEVELS:
            put(self._done.config, ("logging", "level"), _LEVELS[level.lower()])
        elif level is not None:
            self._done.notices.append(f"LOG_LEVEL: {level!r} is not carried over: allowed are {', '.join(_LEVELS)}")

    def _origins(self) -> None:
        origins = self._take(("ALLOWED_ORIGINS", "CORS_ORIGINS", "CORS_ORIGIN"))
        if origins is None:
            return
        if "*" in _words(origins):
            self._done.notices.append("CORS_ORIGIN: * is not carried over: server.allowed_origins names origins")
        else:
            put(self._done.config, ("server", "allowed_origins"), [origin.rstrip("/") for origin in _words(origins)])

    def _otlp(self) -> None:
        endpoint = self._take(("OTEL_EXPORTER_OTLP_ENDPOINT",))
        if endpoint is not None:  # that variable's value is the collector's address, ours the one that spans go to
            put(self._done.config, ("tracing", "otlp_endpoint"), f"{endpoint.rstrip('/')}/v1/traces")

    def _access(self) -> None:
        """Whoever could call with version 1 can call now, and nobody besides."""
        done = self._done
        given = self._take(_API_KEYS)
        auth = done.config.setdefault("auth", {})
        if "jwt" in auth and "secret_file" not in auth["jwt"]:
            del auth["jwt"]
            done.notices.append(f"JWT_ISSUER, JWT_AUDIENCE: not carried over: need {JWT_SECRET}")
        keys = _words(given or "")
        if not keys and "jwt" not in auth:
            if "enabled" not in auth:
                auth["enabled"] = False
                done.notices.append(
                    "auth.enabled: false, since nothing says who may call: everybody may who reaches server.host"
                )
            elif auth["enabled"] is True:
                keys = [secrets.token_urlsafe(32)]
                done.secrets["api_key"] = f"{keys[0]}\n"
                done.notices.append(
                    "AUTH_ENABLED without a key or secret: a new API key was made, see the file api_key"
                )
        if keys:
            entries = [
                {
                    "name": f"v1-{number}" if len(keys) > 1 else "v1",
                    "sha256": hashlib.sha256(key.encode()).hexdigest(),
                    "scopes": ["read", "players"],
                }
                for number, key in enumerate(dict.fromkeys(keys), 1)
            ]
            auth["api_keys_file"] = self._file_name("api_keys")
            done.secrets["api_keys"] = yaml.safe_dump(entries, sort_keys=False)
            done.notices.append("API keys have scopes read and players; admin is yours to give")


def _typed(key: str, value: str) -> object:
    if key == "enabled":
        return {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }.get(value.lower(), value)
    return int(value) if key in _NUMBERS and value.isdigit() else value


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


def _named(path: Path, start: Path) -> str:
    """Return how config.yml names a file: relative where it lies below its own folder."""
    absolute, base = path.absolute(), start.absolute()
    return str(absolute.relative_to(base)) if absolute.is_relative_to(base) else str(absolute)


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file that never has wider rights than `mode`, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
