"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trinitycore_mcp.config_error import ConfigError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_CONFIG = Path("/etc/trinitycore-mcp/config.yml")


def config_option(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default: {DEFAULT_CONFIG}, which may be absent")


def read_secret(option: str, path: Path) -> str:
    """Return a file's text without the line break at its end.

    :raises ConfigError: it can't be read.
    """
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option}: {path}: {getattr(error, 'strerror', None) or 'not text'}") from None
