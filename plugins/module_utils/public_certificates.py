# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The program that looks after a host's public certificates: how it is run, and what its answers mean."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import Any


class PublicCertificatesError(Exception):
    """A certificate is missing, or the program failed; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What came of it.

    :ivar changes: what changed, or in check mode would, a line each.
    :ivar certificates: what became of each certificate.
    :ivar warnings: what failed without harm so far.
    """

    changes: list[str] = field(default_factory=list)
    certificates: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def prepared(command: str, check_mode: bool) -> Answer:
    """See to it that a server has something to serve.

    :raises PublicCertificatesError: the program failed.
    """
    loaded = _run([command, "prepare"], check_mode)
    if loaded is None:
        return Answer(["a stand-in for each certificate (the program is not installed yet)"])
    return Answer([f"{name}: a stand-in of the internal CA" for name in loaded["stand_ins"]])


def current(command: str, check_mode: bool) -> Answer:
    """Take newer certificates from other hosts, renew what is due.

    :raises PublicCertificatesError: the program failed, or a certificate is neither there nor to be had.
    """
    loaded = _run([command, "run", "--json", "--now"], check_mode)
    if loaded is None:
        return Answer(["each certificate is got (the program is not installed yet)"])
    outcomes = loaded["outcomes"]
    if not check_mode:
        missing = [
            f"{one['name']}: {one['error'] or one['why']}"
            + (f" (the one that is served expired, {one['not_after']})" if one["not_after"] else "")
            for one in outcomes
            if not one["usable"]
        ]
        if missing:
            raise PublicCertificatesError("; ".join([*missing, *loaded["notices"]]))
    return Answer(
        [f"{one['name']}: a new one from {one['source']} ({one['why']})" for one in outcomes if one["source"]],
        [{key: one[key] for key in ("name", "source", "why", "not_after")} for one in outcomes],
        [f"{one['name']}: {one['error']}; valid until {one['not_after']}" for one in outcomes if one["error"]]
        + loaded["notices"],
    )


def _run(argv: list[str], check_mode: bool) -> dict[str, Any] | None:
    """Run the program; None when it or its configuration is not there yet, in check mode."""
    argv = [*argv, *(["--check"] if check_mode else [])]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        if check_mode:
            return None
        raise PublicCertificatesError(f"{argv[0]}: {error.strerror}") from error
    try:
        loaded = json.loads(done.stdout)
    except ValueError as error:
        if check_mode:
            return None
        raise PublicCertificatesError(done.stderr.strip() or done.stdout.strip() or "no answer") from error
    return dict(loaded)
