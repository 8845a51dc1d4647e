"""migrate-config: the .env file of version 1 becomes config.yml."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trinitycore_mcp.cli.options import Commands


def add_commands(commands: Commands) -> None:
    """Add the command."""
    migrate = commands.add_parser("migrate-config", help="make a config.yml of a version 1 .env file")
    migrate.add_argument("env", type=Path, metavar="ENV_FILE")
    migrate.add_argument("--output", type=Path, default=Path("config.yml"), metavar="FILE", help="default: config.yml")
    migrate.add_argument(
        "--secrets-dir",
        type=Path,
        metavar="DIR",
        help="folder for passwords and keys, a file each (default: secrets beside the output)",
    )
    migrate.add_argument("--force", action="store_true", help="overwrite files that are there")
    migrate.set_defaults(run=_migrate)


def _migrate(options: argparse.Namespace) -> int:
    from trinitycore_mcp.v1 import migrate

    done = migrate(options.env, options.output, options.secrets_dir, overwrite=options.force)
    for notice in done.notices:
        print(f"trinitycore-mcp: {notice}", file=sys.stderr)
    for path in done.written:
        print(path)
    return 0
