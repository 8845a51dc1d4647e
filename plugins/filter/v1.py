# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter that turns the settings of version 1 into variables of this collection's roles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

# Where a key of the server's configuration is a variable of a role. The rest is the cluster's own matter.
_VARIABLES: dict[tuple[str, ...], str] = {
    ("database", "databases"): "cluster_databases",
    ("database", "pool", "size"): "mcp_server_pool_size",
    ("server", "allowed_origins"): "mcp_server_allowed_origins",
    ("server", "port"): "nginx_v1_port",
    ("limits",): "mcp_server_limits",
    ("cache",): "mcp_server_cache",
    ("auth", "jwt"): "mcp_server_jwt",
    ("logging", "level"): "mcp_server_log_level",
    ("tracing", "otlp_endpoint"): "mcp_server_otlp_endpoint",
    ("sentry", "environment"): "mcp_server_sentry_environment",
}
_SECRETS = {"jwt_secret": "mcp_server_jwt_secret", "sentry_dsn": "mcp_server_sentry_dsn"}
# Keys of the configuration that say where a secret lies.
_FILES = {"password_file", "secret_file", "dsn_file", "api_keys_file"}
_OWN = {
    "database": "the cluster has its own database servers and accounts (group database, docs/MIGRATION_V2.md)",
    "redis": "the cluster has its own Redis (group redis)",
    "metrics": "metrics are at mcp_server_metrics_port, for the group monitoring",
    "server": "the server listens where the load balancers look for it",
    "auth": "this cluster always asks who calls: see nginx_v1_anonymous",
}
_DEFAULT_PORT = 3000


def v1_variables(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{variables, secrets, notices}`` of what the module ``v1_settings`` found.

    ``variables`` and ``secrets`` are role variables by name, ``notices`` say what is not carried over, and why.
    """
    config, files = yaml.safe_load(found["config"]), found["secrets"]
    variables: dict[str, Any] = {"nginx_v1_port": _DEFAULT_PORT}
    left = _leaves(config)
    for keys, variable in _VARIABLES.items():
        value = _at(config, keys)
        if value is not None:
            variables[variable] = _without_files(value)
            left = [each for each in left if each[: len(keys)] != keys]
    if "cluster_databases" in variables:
        usual = {name: name for name in ("world", "characters", "auth")}
        variables["cluster_databases"] = {**usual, **variables["cluster_databases"]}
    callers = yaml.safe_load(files.get("api_keys", "")) or []
    if callers:
        variables["mcp_server_api_keys"] = callers
    variables["nginx_v1_anonymous"] = _at(config, ("auth", "enabled")) is False
    notices = list(found["notices"])
    for section, reason in _OWN.items():
        names = [".".join(each) for each in left if each[0] == section and each[-1] not in _FILES]
        if names:
            notices.append(f"{', '.join(names)}: not carried over: {reason}")
    secrets = {variable: files[name].strip() for name, variable in _SECRETS.items() if files.get(name)}
    return {"variables": variables, "secrets": secrets, "notices": notices}


def _at(config: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        config = config.get(key) if isinstance(config, Mapping) else None
    return config


def _leaves(config: Mapping[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in config.items():
        found += _leaves(value, (*above, key)) if isinstance(value, Mapping) else [(*above, key)]
    return found


def _without_files(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_files(each) for key, each in value.items() if key not in _FILES}
    return value


class FilterModule:
    """Registers the filter under ``trinitycore.mcp``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by name."""
        return {"v1_variables": v1_variables}
