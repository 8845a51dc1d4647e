"""The jobs around serving: what runs once in the fleet, what is kept how long, what operators may do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trinitycore_mcp.config.types import AbsolutePath, SecretFile, Section, ToolPattern


class Leader(Section):
    """One instance of the fleet does the jobs that must run once."""

    lease: Annotated[float, Field(ge=1, le=300)] = 5.0
    """Seconds that an instance leads without renewing it; a leader that is lost is replaced after at most this."""


class Retention(Section):
    """How long our own records are kept."""

    audit_days: Annotated[int, Field(ge=1, le=36500)] = 90
    """Days that audit records are kept."""


class Backup(Section):
    """How the tools trigger_backup, verify_backup and get_security_status reach the backup."""

    socket: AbsolutePath | None = None
    """Unix socket of the backup's interface; None: there is none, and the tools say so."""
    state_directory: AbsolutePath | None = None
    """Folder with the backup program's records of its runs, when they are on this host."""
    textfile_directory: AbsolutePath | None = None
    """Folder with the backup's metrics as node_exporter reads them, when they are on this host."""


class State(Section):
    """What the instances must know in common without Redis."""

    request_state_key_file: SecretFile | None = None
    """File with the keys that seal the state a client carries between requests, one a line, 32 characters or more:
    the first one seals, all of them open. None: a key of this instance's own, made at start."""


class Players(Section):
    """The tools about players and their characters (scope players)."""

    enabled: bool = True
    """Off: these tools do not exist here."""


class Tools(Section):
    """Which tools there are: a model chooses better among few."""

    include: list[ToolPattern] = Field(default=["*"], min_length=1)
    """Names, or patterns such as creature_*; a tool must be like one of them."""
    exclude: list[ToolPattern] = Field(default=[])
    """The same, for tools to leave out, e.g. sql_*."""
