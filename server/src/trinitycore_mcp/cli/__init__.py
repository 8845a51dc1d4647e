"""The command line. Each command imports what it needs when it runs, so that none pays for another's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from trinitycore_mcp import __version__
from trinitycore_mcp.cli import call, keys, migrate_config, migrate_db, serve
from trinitycore_mcp.config_error import ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 fine, 1 a "no" of what was asked, 2 it could not be asked.

    migrate-db --check has 3 for "pending" besides.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ConfigError as error:
        for line in str(error).splitlines():
            print(f"trinitycore-mcp: {line}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trinitycore-mcp", description="MCP server over a game database")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (serve, migrate_config, migrate_db, keys, call):
        module.add_commands(commands)
    commands.add_parser("version", help="print the version").set_defaults(run=_version)
    return parser


def _version(_options: argparse.Namespace) -> int:
    print(__version__)
    return 0
