"""Prometheus in a Molecule scenario, as an operator asks it from the controller."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from testinfra.host import Host


def api(host: Host, path: str, **query: str) -> Any:
    """Return the data of an answer of its API."""
    address = host.check_output("ip -4 -o addr show host0 | tr / ' '").split()[3]
    url = f"http://{address}:9090/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


def firing(host: Host) -> set[tuple[str, str]]:
    """Return the alerts that are raised: name and instance."""
    return {
        (alert["labels"]["alertname"], alert["labels"].get("instance", ""))
        for alert in api(host, "alerts")["alerts"]
        if alert["state"] == "firing"
    }


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether `condition` comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
