"""How many calls of version 1's clients our own server answers: a number in a file that only lb_v1_traffic writes."""

from __future__ import annotations

import json
from typing import Any

from . import states
from .control import Control
from .states import EdgeError


def read(path: str) -> float:
    """Return the share in percent; 0 when there is no file.

    :raises EdgeError: the file is not as lb_v1_traffic writes it.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return 0.0
    except ValueError as error:
        raise EdgeError(f"{path} is not JSON: {error}; NGINX goes on with what it read before") from error
    if not isinstance(found, dict) or not isinstance(found.get("share"), int | float):
        raise EdgeError(f"{path} must be an object with a number `share`")
    return float(found["share"])


def text(share: float) -> str:
    """Return the share as it stands in the file."""
    return f'{{"share": {share:g}}}\n'


def bring(path: str, control: Control, share: float, timeout: float, *, dry: bool) -> dict[str, Any]:
    """Have NGINX give that share of the calls to our own server; return the module's result.

    :param dry: say what would change, and change nothing.
    :raises EdgeError: the load balancer has no address for version 1's clients, nobody could answer them, or NGINX does
        not do as told.
    """
    with states.locked(path):
        before = read(path)
        status = control.status()
        if not status.get("v1", {}).get("listens"):
            raise EdgeError(
                "this load balancer does not listen for clients of version 1: set nginx_v1_host, run site.yml"
            )
        if share > 0 and not status["ready"]:
            raise EdgeError(f"no instance is ready, so share {share:g} is refused; it stays at {before:g}")
        if before != share and not dry:
            states.replace(path, text(share))
    result = {"changed": before != share, "before": before, "diff": {"before": text(before), "after": text(share)}}
    if dry:
        return {**result, "traffic": status["v1"]}

    def complaint(found: dict[str, Any]) -> str:
        has = found["v1"]["share"]
        return "" if has == share else f"not within {timeout:g} s: NGINX has {has:g} % instead of {share:g} %"

    return {**result, "traffic": control.until(timeout, complaint)["v1"]}
