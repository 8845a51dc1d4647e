"""A table of the lab's hosts: `python -m tools.lab_status [--json]`, the lab being LAB_NAME's."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import fleet
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.commands import LabError
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.host import Host
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.lab import Lab, load
from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn.processes import start_of

ROOT = Path(__file__).parents[1]
INVENTORIES = {"full": "hosts.yml", "small": "small.yml", "database": "database.yml"}


@dataclass(frozen=True)
class Row:
    """One host: ``uptime`` in seconds and ``memory`` in MiB, both None where it does not run."""

    name: str
    address: str
    release: str
    state: str
    network: str
    uptime: int | None
    memory: int | None


def state_directory(root: Path, name: str) -> Path:
    """Where the lab of this name keeps its state."""
    return root / (".lab" if name == "lab" else f".lab-{name}")


def inventory_hosts(tree: Any) -> Iterator[str]:
    """Host names of an inventory, groups within groups too."""
    for group in (tree or {}).values():
        yield from (group or {}).get("hosts") or {}
        yield from inventory_hosts((group or {}).get("children"))


def expected_hosts(directory: Path, profile: str | None) -> list[str]:
    """Hosts of the profile; without one, those that the lab was rolled out with, else those of the full profile."""
    endpoints = directory / "endpoints.json"
    if profile is None and endpoints.exists():
        return list(json.loads(endpoints.read_text())["hosts"])
    inventory = ROOT / "inventories/lab" / INVENTORIES[profile or "full"]
    return list(dict.fromkeys(inventory_hosts(yaml.safe_load(inventory.read_text()))))


def row(host: Host) -> Row:
    """Look at one host."""
    seen, spec = host.observe(), host.spec
    started = start_of(seen.pid) if seen.pid else None
    uptime = None
    if started is not None:
        uptime = int(time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK"))
    memory = host.cgroups.memory_used() if seen.pid else None
    return Row(
        name=host.name,
        address=spec.address if spec else "",
        release=spec.image if spec else "",
        state=seen.state,
        network=seen.network,
        uptime=uptime,
        memory=None if memory is None else memory // 2**20,
    )


def rows(lab: Lab, expected: list[str]) -> list[Row]:
    """All hosts that are expected or there, in the inventory's order, others after them."""
    names = list(dict.fromkeys([*expected, *(host.name for host in fleet.all_hosts(lab))]))
    return [row(Host(lab, name)) for name in names]


def table(found: list[Row]) -> str:
    """The rows as text, one host a line."""
    lines = [("HOST", "ADDRESS", "RELEASE", "STATE", "NETWORK", "UPTIME", "MEMORY")]
    for item in found:
        uptime = "" if item.uptime is None else f"{item.uptime // 60} min {item.uptime % 60:02d} s"
        memory = "" if item.memory is None else f"{item.memory} MiB"
        lines.append((item.name, item.address, item.release, item.state, item.network, uptime, memory))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in text)


def main() -> int:
    """Print the table; exit status 1 when a host of the inventory does not run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    asked = parser.parse_args()
    name = os.environ.get("LAB_NAME") or "lab"
    profile = os.environ.get("LAB_PROFILE") or None
    directory = state_directory(ROOT, name)
    if profile not in (None, *INVENTORIES):
        print(f"LAB_PROFILE is {profile}: allowed are {', '.join(INVENTORIES)}", file=sys.stderr)
        return 1
    try:
        found = rows(load(directory), expected_hosts(directory, profile))
    except LabError as error:
        print(f"lab {name}: {error}", file=sys.stderr)
        return 1
    print(json.dumps([asdict(item) for item in found], indent=2) if asked.json else table(found))
    return 0 if all(item.state == "running" for item in found) else 1


if __name__ == "__main__":
    sys.exit(main())
