"""What we tell about ourselves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from trinitycore_mcp.config.types import SecretFile, Section, Share, UnitPattern, Url


class Logging(Section):
    """Logs: one JSON object a line on standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "FATAL"] = "INFO"
    """The least that is logged."""
    journal_units: list[UnitPattern] = Field(default=["trinitycore-mcp@*.service"], min_length=1)
    """Units whose journal the tool query_logs may read; * stands for anything."""


class Tracing(Section):
    """OpenTelemetry traces; costs nothing while there is no endpoint."""

    otlp_endpoint: Url | None = None
    """Where spans go by OTLP over HTTP, e.g. http://127.0.0.1:4318/v1/traces; None: nowhere."""
    sample_ratio: Share = 1.0
    """Share of the traces that begin here which is recorded; one that a client began is as it says."""
    headers_file: SecretFile | None = None
    """File with HTTP headers for the endpoint, one `Name: value` a line."""


class Sentry(Section):
    """Errors of ours, reported to Sentry; costs nothing while there is no DSN."""

    dsn_file: SecretFile | None = None
    """File with the DSN; None: no reports."""
    environment: Annotated[str, StringConstraints(pattern=r"^[^\s/]{1,64}$")] = "production"
    """What Sentry groups reports by."""
    sample_rate: Share = 1.0
    """Share of the errors that is reported."""
