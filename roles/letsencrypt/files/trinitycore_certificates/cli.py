"""The command line."""
# ruff: noqa: T201 - this is a command-line program

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from .client import Client
from .clock import now
from .config import CONFIG, Config
from .errors import CertificateError
from .peers import PeerServer
from .run import Report, Run, prepare
from .store import Store


def command_check(config: Config, arguments: argparse.Namespace) -> int:
    """Say whether the configuration, which made sense when it was read, fits this host's certbot."""
    del arguments
    Client(config).check()
    return 0


def command_prepare(config: Config, arguments: argparse.Namespace) -> int:
    """Have something to serve before there is a public certificate."""
    missing = prepare(config, arguments.check)
    print(json.dumps({"changed": bool(missing), "stand_ins": missing}))
    return 0


def command_run(config: Config, arguments: argparse.Namespace) -> int:
    """Look after the certificates."""
    run = Run(config, at_once=arguments.now, forced=frozenset(arguments.force))
    report = run.plan() if arguments.check else run.run()
    _tell(report, arguments.json)
    return int(report.failed)


def _tell(report: Report, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**asdict(report), "changed": report.changed, "failed": report.failed}))
        return
    for notice in report.notices:
        print(f"notice: {notice}")
    for one in report.outcomes:
        news = f"new, from {one.source}" if one.source else "unchanged"
        valid = f", valid until {one.not_after}" if one.not_after else ", a stand-in is served"
        print(f"{one.name}: {news}{valid} ({one.why})")
        if one.error:
            serves = "the one before is served on" if one.not_after else "the stand-in is served on"
            print(f"trinitycore-certificates: {one.name}: {one.error}; {serves}", file=sys.stderr)


def command_list(config: Config, arguments: argparse.Namespace) -> int:
    """List the certificates, one JSON object a line."""
    del arguments
    store = Store.of(config)
    for wanted in config.certificates:
        installed = store.installed(wanted.name)
        told: dict[str, object] = {"name": wanted.name, "path": str(store.live(wanted.name)), "stand_in": not installed}
        if installed:
            current = installed.certificate
            left = current.not_after - now()
            told |= {
                "names": sorted(current.names),
                "key_type": current.key_type,
                "serial": f"{current.serial:x}",
                "not_after": current.not_after.isoformat(),
                "days_left": round(left.total_seconds() / 86400, 2),
                "directory_url": installed.pair.directory_url,
            }
        print(json.dumps(told))
    return 0


def command_serve(config: Config, arguments: argparse.Namespace) -> int:
    """Tell peers of the certificates, for ever."""
    del arguments
    PeerServer(config).serve_forever()
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    top = argparse.ArgumentParser(
        prog="trinitycore-certificates", description="Public certificates of the load balancers."
    )
    top.add_argument("--config", type=Path, default=CONFIG)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("run", help="take newer certificates from peers, renew what is due, tell of it")
    one.add_argument("--now", action="store_true", help="keep no pause after failed attempts")
    one.add_argument("--force", action="append", default=[], metavar="NAME", help="renew this one whatever its age")
    one.add_argument("--check", action="store_true", help="only say what would be done")
    one.add_argument("--json", action="store_true", help="tell as one JSON object")
    one.set_defaults(command=command_run)

    commands.add_parser("list", help="list the certificates").set_defaults(command=command_list)

    one = commands.add_parser("prepare", help="have something to serve before there is a public certificate")
    one.add_argument("--check", action="store_true", help="only say what is missing")
    one.set_defaults(command=command_prepare)

    commands.add_parser("check", help="check the configuration").set_defaults(command=command_check)
    commands.add_parser("serve", help="tell peers of the certificates").set_defaults(command=command_serve)
    return top


def main() -> int:
    """Run a command; 0 done, 1 refused or failed."""
    os.umask(0o027)
    arguments = parser().parse_args()
    try:
        code: int = arguments.command(Config.read(arguments.config), arguments)
    except (CertificateError, OSError) as error:
        print(f"trinitycore-certificates: {error}", file=sys.stderr)
        return 1
    return code
