"""serve and check-config."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

from trinitycore_mcp.cli.options import config_option
from trinitycore_mcp.config_error import ConfigError

if TYPE_CHECKING:
    from trinitycore_mcp.cli.options import Commands
    from trinitycore_mcp.config_load import Loaded


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    serve = commands.add_parser("serve", help="run the server")
    config_option(serve)
    how = serve.add_mutually_exclusive_group()
    how.add_argument("--instance", type=int, metavar="N", help="this host's N-th instance: ports and name follow")
    how.add_argument("--stdio", action="store_true", help="speak MCP on standard input and output, to one client")
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check-config", help="say whether the configuration is right, with all that is wrong")
    config_option(check)
    check.add_argument("--files", action="store_true", help="also read the keys and certificates that it names")
    check.set_defaults(run=_check)


def _serve(options: argparse.Namespace) -> int:
    from trinitycore_mcp import config_check, lifecycle, logs

    loaded = _load(options)
    logs.configure(loaded.config.logging.level)
    for notice in (*loaded.notices, *config_check.permission_warnings(loaded)):
        logging.getLogger(__name__).warning("%s", notice)
    if options.stdio:
        lifecycle.serve_stdio(loaded)
    else:
        lifecycle.serve(loaded, partial(_load, options))
    return 0


def _load(options: argparse.Namespace) -> Loaded:
    """Read the configuration, as this instance has it.

    :raises ConfigError: as config_load.load.
    """
    from trinitycore_mcp import config_load

    # Whoever starts us on their own terminal is the only one who can call: nobody has to prove who they are.
    loaded = config_load.load(options.config, auth_needed=not options.stdio)
    return loaded if options.instance is None else _instance(loaded, options.instance)


def _instance(loaded: Loaded, number: int) -> Loaded:
    try:
        config = loaded.config.for_instance(number, socket.gethostname())
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return dataclasses.replace(loaded, config=config)


def _check(options: argparse.Namespace) -> int:
    from trinitycore_mcp import config_check, config_load

    loaded = config_load.load(options.config)
    notices, errors = list(loaded.notices), config_check.check_tools(loaded.config)
    if options.files:
        findings = config_check.check_files(loaded)
        notices += findings.warnings
        errors += findings.errors
    if errors:
        raise ConfigError("\n".join(errors))
    for notice in notices:
        print(f"trinitycore-mcp: {notice}", file=sys.stderr)
    print("configuration is right")
    return 0
