"""The environment's say over the file: our own names for any key, and the names that version 1 had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from trinitycore_mcp.config_error import ConfigError

PREFIX = "TRINITYCORE_MCP__"
# Names of version 1 and the key each one means today.
V1_KEYS = {
    "TRINITY_DB_HOST": ("database", "hosts", "0", "host"),
    "TRINITY_DB_PORT": ("database", "hosts", "0", "port"),
    "MCP_HOST": ("server", "host"),
    "MCP_PORT": ("server", "port"),
    "PROMETHEUS_PORT": ("metrics", "port"),
    "METRICS_ENABLED": ("metrics", "enabled"),
    "AUTH_ENABLED": ("auth", "enabled"),
    "RATE_LIMIT_ENABLED": ("limits", "enabled"),
    "REDIS_HOST": ("redis", "hosts", "0", "host"),
    "REDIS_PORT": ("redis", "hosts", "0", "port"),
}
JWT_SECRET = "JWT_SECRET"
HA_ENABLED = "HA_ENABLED"
FROM_ENVIRONMENT = "env:"
"""What the name of a file begins with whose content came by the environment."""
# Version 1 assumed this host where only a port was given.
_V1_HOST = "127.0.0.1"


@dataclass
class Overrides:
    """What was found: notices for the operator, and the secrets that came as values, by the name they have now."""

    notices: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


def override(data: dict[str, Any], environment: Mapping[str, str]) -> Overrides:
    """Put the environment's values into `data`.

    :raises ConfigError: a name leads to no place.
    """
    found = Overrides()
    for name, keys in V1_KEYS.items():
        value = _v1_value(name, environment, found)
        if value is not None:
            put(data, keys, value)
            new = PREFIX + "__".join(keys).upper()
            found.notices.append(
                f"environment variable {name} is deprecated: set {'.'.join(keys)} in the file, or {new}"
            )
    complete_hosts(data)
    _jwt_secret(data, environment, found)
    for name in sorted(environment):
        if name.startswith(PREFIX):
            text = environment[name]
            try:
                value = yaml.safe_load(text)
            except (yaml.YAMLError, ValueError):  # ValueError: it looks like a day, and is none
                value = text
            put(data, tuple(name.removeprefix(PREFIX).lower().split("__")), value)
    return found


def ha_notice(value: str, *, shared: bool) -> str:
    """Return what has become of HA_ENABLED.

    :param value: what it is set to.
    :param shared: whether Redis is configured.
    """
    now = "which is configured" if shared else "which is not configured: set redis.hosts or redis.sentinel"
    return (
        f"environment variable {HA_ENABLED} ({value!r}) is deprecated and switches nothing: any number of instances "
        f"can serve side by side, and they share cache, limits and the leader's lease by Redis, {now}"
    )


def _v1_value(name: str, environment: Mapping[str, str], found: Overrides) -> str | None:
    value = environment.get(name)
    if value is None:
        return None
    if not value.strip():
        found.notices.append(f"environment variable {name} is empty: ignored")
        return None
    return value.strip()


def complete_hosts(data: dict[str, Any]) -> None:
    """Name the host of a first entry that got only a port."""
    for section in ("database", "redis"):
        match data.get(section):
            case {"hosts": [dict(first), *_]} if set(first) == {"port"}:
                first["host"] = _V1_HOST


def _jwt_secret(data: dict[str, Any], environment: Mapping[str, str], found: Overrides) -> None:
    """Take the secret as if it were a file's content: it stays in memory, and no message shows it."""
    value = environment.get(JWT_SECRET)
    if value is None:
        return
    if not value.strip():
        found.notices.append(f"environment variable {JWT_SECRET} is empty: ignored")
        return
    match data.get("auth"):
        case {"jwt": {"jwks_url": _} | {"jwks_file": _}}:
            found.notices.append(
                f"environment variable {JWT_SECRET} is ignored: the file says in auth.jwt where the signer's keys are"
            )
            return
    found.secrets[JWT_SECRET] = value.strip()
    put(data, ("auth", "jwt", "secret_file"), FROM_ENVIRONMENT + JWT_SECRET)
    found.notices.append(
        f"environment variable {JWT_SECRET} is deprecated: put the secret into a file and name it in "
        "auth.jwt.secret_file"
    )


def put(data: dict[str, Any], keys: tuple[str, ...], value: object) -> None:
    """Set data[k1][k2]... to the value; a number as key means a place in a list, one past its end adds an entry.

    :raises ConfigError: there is no such place.
    """
    node: Any = data
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        fresh: Any = value if following is None else ([] if following.isdigit() else {})
        if isinstance(node, list):
            if not key.isdigit() or int(key) > len(node):
                raise ConfigError(f"{'.'.join(keys)}: the list has {len(node)} entries")
            if int(key) == len(node):
                node.append(fresh)
            elif following is None or not isinstance(node[int(key)], dict | list):
                node[int(key)] = fresh
            node = node[int(key)]
        elif isinstance(node, dict):
            if following is None or not isinstance(node.get(key), dict | list):
                node[key] = fresh
            node = node[key]
        else:
            raise ConfigError(f"{'.'.join(keys)}: there is nothing to set below {key}")
