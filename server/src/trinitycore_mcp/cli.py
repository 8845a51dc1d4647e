"""The command line: serve, check-config, call."""

from __future__ import annotations

import argparse
import json
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trinitycore_mcp import __version__, logs
from trinitycore_mcp.config_load import DEFAULT_PATH, ConfigError, Loaded, load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 fine, 1 a tool's error, 2 anything else."""
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

    serve = commands.add_parser("serve", help="run the server")
    _config_option(serve)
    serve.add_argument("--instance", type=int, metavar="N", help="this host's N-th instance: ports and name follow")
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check-config", help="say whether the configuration is right")
    _config_option(check)
    check.add_argument("--files", action="store_true", help="also read the keys and certificates that it names")
    check.set_defaults(run=_check)

    call = commands.add_parser("call", help="call a tool with the MCP SDK's client and print its result as JSON")
    call.add_argument("tool")
    call.add_argument("arguments", type=_json_object, nargs="?", default={}, help="JSON object, default {}")
    call.add_argument("--url", required=True, help="e.g. https://mcp.example.org/mcp")
    call.add_argument("--ca", type=Path, metavar="FILE", help="CA that signed the server's certificate")
    call.add_argument("--resolve", metavar="ADDRESS", help="connect here instead of looking the URL's name up")
    call.add_argument("--key-file", type=Path, metavar="FILE", help="file that holds the API key")
    call.add_argument("--cert", type=Path, metavar="FILE", help="client certificate (past the load balancer)")
    call.add_argument("--cert-key", type=Path, metavar="FILE", help="its key")
    call.add_argument("--mode", default="auto", help="auto, legacy, or a protocol revision (default: auto)")
    call.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS")
    call.add_argument("--repeat", type=int, default=1, metavar="N", help="call N times, one line of JSON each")
    call.add_argument("-v", "--verbose", action="store_true", help="also the instance, protocol and time")
    call.set_defaults(run=_call)
    return parser


def _config_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default: {DEFAULT_PATH}, which may be absent")


def _json_object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return data


def _serve(options: argparse.Namespace) -> int:
    from trinitycore_mcp import lifecycle  # noqa: PLC0415 (half a second of imports that `call` does not need)

    loaded = load(options.config)
    if options.instance is not None:
        try:
            config = loaded.config.for_instance(options.instance, socket.gethostname())
        except ValueError as error:
            raise ConfigError(str(error)) from None
        loaded = Loaded(config, loaded.directory, loaded.notices)
    logs.configure(loaded.config.logging.level)
    for notice in loaded.notices:
        logging.getLogger(__name__).warning("%s", notice)
    lifecycle.serve(loaded)
    return 0


def _check(options: argparse.Namespace) -> int:
    loaded = load(options.config)
    if options.files:
        from trinitycore_mcp import lifecycle  # noqa: PLC0415

        lifecycle.check_files(loaded)
    for notice in loaded.notices:
        print(f"trinitycore-mcp: {notice}", file=sys.stderr)
    print("configuration is right")
    return 0


def _call(options: argparse.Namespace) -> int:
    from trinitycore_mcp import client  # noqa: PLC0415

    try:
        key = options.key_file.read_text(encoding="utf-8").strip() if options.key_file else None
    except OSError as error:
        raise ConfigError(f"--key-file: {options.key_file}: {error.strerror}") from None
    target = client.Target(
        url=options.url,
        ca_file=options.ca,
        address=options.resolve,
        key=key,
        certificate_file=options.cert,
        certificate_key_file=options.cert_key,
        mode=options.mode,
        timeout=options.timeout,
    )
    return client.run(target, options.tool, options.arguments, times=options.repeat, verbose=options.verbose)
