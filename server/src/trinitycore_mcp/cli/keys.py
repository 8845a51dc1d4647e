"""keys: API keys in our own database."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from trinitycore_mcp.cli.options import config_option
from trinitycore_mcp.config_error import ConfigError

if TYPE_CHECKING:
    from trinitycore_mcp.access.key_store import KeyInfo
    from trinitycore_mcp.cli.options import Commands
    from trinitycore_mcp.store import Connection

_DUPLICATE = 1062


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    keys = commands.add_parser("keys", help="make, list and revoke API keys in our own database")
    actions = keys.add_subparsers(required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="list them, newest first, revoked ones too")
    listing.add_argument("--json", action="store_true", help="one JSON document")
    listing.set_defaults(run=_list)

    create = actions.add_parser("create", help="make a key and print it, this once")
    create.add_argument("name", help="who it is for, as logs and limits name the caller")
    create.add_argument(
        "--scope",
        action="append",
        choices=("read", "players", "admin"),
        help="what it opens, may stand several times (default: read)",
    )
    create.add_argument("--expires", type=_expiry, metavar="TIME", help="2027-01-31 (that day included, UTC) or a time")
    create.add_argument("--rate", type=_rate, metavar="N/SECONDS", help="limit of its own, e.g. 600/60")
    create.add_argument(
        "--burst", type=int, metavar="N", help="requests at once after a quiet time (default: N of --rate)"
    )
    create.set_defaults(run=_create)

    revoke = actions.add_parser("revoke", help="end a key; it stays listed")
    revoke.add_argument("name")
    revoke.set_defaults(run=_revoke)

    for action in (listing, create, revoke):
        config_option(action)


def _expiry(text: str) -> datetime:
    from trinitycore_mcp.access.keys import end_of_day

    try:
        if len(text) == len("2027-01-31"):
            return end_of_day(date.fromisoformat(text))
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a day nor a time, as 2027-01-31T12:00:00Z is") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _rate(text: str) -> tuple[int, float]:
    requests, _, period = text.partition("/")
    try:
        rate = int(requests), float(period or 60)
    except ValueError:
        rate = 0, 0.0
    if rate[0] < 1 or not 0 < rate[1] <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is no REQUESTS/SECONDS, as 600/60 is")
    return rate


def _connect(options: argparse.Namespace) -> tuple[Connection, str]:
    from trinitycore_mcp import config_load, store

    loaded = config_load.load(options.config, auth_needed=False)
    return store.connect(loaded), loaded.config.database.databases.mcp


def _create(options: argparse.Namespace) -> int:
    from trinitycore_mcp.access import key_store
    from trinitycore_mcp.access.principal import Rate
    from trinitycore_mcp.store import StoreError

    if options.burst is not None and (options.rate is None or options.burst < 1):
        raise ConfigError(f"--burst: {options.burst} is not allowed: needs --rate, and is 1 or more")
    rate = None
    if options.rate is not None:
        requests, period = options.rate
        rate = Rate(requests, period, options.burst or requests)
    plain, sha256 = key_store.generate_key()
    connection, schema = _connect(options)
    with closing(connection):
        try:
            connection.execute(
                *key_store.insert_statement(
                    options.name, sha256, options.scope or ["read"], options.expires, rate, schema=schema
                )
            )
        except ValueError as error:
            raise ConfigError(str(error)) from None
        except StoreError as error:
            if error.code == _DUPLICATE:
                raise ConfigError(f"name {options.name!r}: there is a key of this name (revoked ones count)") from None
            raise
    print("trinitycore-mcp: this is the key; it is stored as a digest only and can't be shown again", file=sys.stderr)
    print(plain)
    return 0


def _revoke(options: argparse.Namespace) -> int:
    from trinitycore_mcp.access import key_store

    connection, schema = _connect(options)
    with closing(connection):
        ended = connection.execute(*key_store.revoke_statement(options.name, schema=schema))
    if not ended:
        print(f"trinitycore-mcp: no valid key is called {options.name!r}", file=sys.stderr)
        return 1
    print(f"revoked: {options.name}")
    return 0


def _list(options: argparse.Namespace) -> int:
    from trinitycore_mcp.access import key_store

    connection, schema = _connect(options)
    with closing(connection):
        keys = [key_store.key_info(row) for row in connection.fetch(key_store.list_statement(schema=schema))]
    if options.json:
        print(json.dumps([_as_dict(key) for key in keys], indent=2))
    else:
        for line in _table(keys):
            print(line)
    return 0


def _as_dict(key: KeyInfo) -> dict[str, Any]:
    rate = {"requests": key.rate.requests, "period": key.rate.period, "burst": key.rate.burst} if key.rate else None
    return {
        "name": key.name,
        "state": _state(key),
        "scopes": list(key.scopes),
        "rate": rate,
        "created_at": _time(key.created_at),
        "expires_at": _time(key.expires_at),
        "revoked_at": _time(key.revoked_at),
        "last_used_at": _time(key.last_used_at),
    }


def _state(key: KeyInfo) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= datetime.now(UTC) else "valid"


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at is not None else None


def _table(keys: list[KeyInfo]) -> list[str]:
    rows: list[tuple[str, ...]] = [("NAME", "STATE", "SCOPES", "CREATED", "EXPIRES", "LAST USED")]
    for key in keys:
        times = (_time(key.created_at), _time(key.expires_at), _time(key.last_used_at))
        rows.append((key.name, _state(key), ",".join(key.scopes), *(at or "-" for at in times)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
