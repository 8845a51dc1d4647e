"""migrate-db: our own tables, from release to release."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trinitycore_mcp.cli.options import config_option, read_secret
from trinitycore_mcp.config_error import ConfigError

if TYPE_CHECKING:
    from trinitycore_mcp.cli.options import Commands

_PENDING = 3


def add_commands(commands: Commands) -> None:
    """Add the command."""
    migrate = commands.add_parser(
        "migrate-db",
        help="bring our own database's tables to what this release works with",
        description="Prints changed or unchanged. Runs on several hosts at once wait for one another.",
    )
    config_option(migrate)
    migrate.add_argument("--to", default="head", metavar="REV", help="a revision, head (default) or base (no tables)")
    what = migrate.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="change nothing; exit with 3 when a migration is pending")
    what.add_argument("--sql", action="store_true", help="print the statements from nothing to REV, connect nowhere")
    migrate.add_argument("--user", help="account instead of database.writer, with --password-file")
    migrate.add_argument("--password-file", type=Path, metavar="FILE", help="file with its password")
    migrate.add_argument(
        "--wait",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="for a writable host and for other runs (default: 30)",
    )
    migrate.set_defaults(run=_migrate)


def _migrate(options: argparse.Namespace) -> int:
    from trinitycore_mcp import config_load, store
    from trinitycore_mcp.store import migrate

    loaded = config_load.load(options.config, auth_needed=False)
    if options.sql:
        print(migrate.sql(loaded.config.database.databases.mcp, options.to), end="")
        return 0
    if options.user is None and options.password_file is not None:
        raise ConfigError("--password-file: needs --user")
    account = None
    if options.user is not None:
        password = read_secret("--password-file", options.password_file) if options.password_file else ""
        account = store.Account(options.user, password)
    connection = store.connect(loaded, account, wait=options.wait)
    try:
        if options.check:
            pending = migrate.pending(connection, options.to)
            print(f"pending: {', '.join(pending)}" if pending else "up to date")
            return _PENDING if pending else 0
        done = migrate.run(connection, options.to, wait=options.wait)
    finally:
        connection.close()
    for notice in done.notices:
        print(f"trinitycore-mcp: {notice}", file=sys.stderr)
    print(f"changed: {done.before} -> {done.after}" if done.changed else f"unchanged: {done.after}")
    return 0
