"""Traces and reports of defects, where the configuration wants them; their libraries are loaded nowhere else."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec
from typing import TYPE_CHECKING

from trinitycore_mcp.config_load import ConfigError, Loaded

if TYPE_CHECKING:
    from trinitycore_mcp.observe.sentry import ErrorReports
    from trinitycore_mcp.observe.tracing import Tracing


def tracing(loaded: Loaded, instance: str, tools: Collection[str]) -> Tracing | None:
    """Return what makes spans and sends them, None when no ``tracing.otlp_endpoint`` is set.

    :param tools: names that spans may have in their own.
    :raises ConfigError: the package's extra is not installed, or a file can't be used.
    """
    if loaded.config.tracing.otlp_endpoint is None:
        return None
    _need("opentelemetry.exporter.otlp.proto.http", "tracing.otlp_endpoint", "otlp")
    from trinitycore_mcp.observe import tracing as made  # noqa: PLC0415 (loads the SDK)

    return made.traced(loaded, instance, tools)


def error_reports(loaded: Loaded, instance: str) -> ErrorReports | None:
    """Return what reports defects, None when no ``sentry.dsn_file`` is set.

    :raises ConfigError: the package's extra is not installed, or the file can't be used.
    """
    if loaded.config.sentry.dsn_file is None:
        return None
    _need("sentry_sdk", "sentry.dsn_file", "sentry")
    from trinitycore_mcp.observe import sentry  # noqa: PLC0415 (loads the SDK)

    return sentry.reporting(loaded, instance)


def _need(module: str, key: str, extra: str) -> None:
    try:
        found = find_spec(module)
    except ModuleNotFoundError:  # a parent of it is missing
        found = None
    if found is None:
        raise ConfigError(f"{key}: needs what is not installed: pip install 'trinitycore-mcp[{extra}]'")
