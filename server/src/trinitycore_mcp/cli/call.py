"""call: one tool call, to see what a client would get."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trinitycore_mcp.cli.options import read_secret

if TYPE_CHECKING:
    from trinitycore_mcp.cli.options import Commands


def add_commands(commands: Commands) -> None:
    """Add the command."""
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


def _json_object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return data


def _call(options: argparse.Namespace) -> int:
    key = read_secret("--key-file", options.key_file).strip() if options.key_file else None

    from trinitycore_mcp import client

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
