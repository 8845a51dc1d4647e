"""What `make lab` ends with: where things are, and a real tool call: `python -m tools.lab_report`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from trinitycore_mcp.client import Target, ToolCaller

ROOT = Path(__file__).parents[1]
TOOL, ARGUMENTS = "creature_get", {"id": 6}
CALLS = 30


def endpoints_file(environment: dict[str, str]) -> Path:
    """Return the path of ``endpoints.json`` of the lab that ``LAB_NAME`` names."""
    name = environment.get("LAB_NAME") or "lab"
    return ROOT / (".lab" if name == "lab" else f".lab-{name}") / "endpoints.json"


def table(endpoints: dict[str, Any]) -> str:
    """Return the endpoints as aligned lines."""
    rows = [
        ("MCP", f"{endpoints['mcp_url']}  (connect to {endpoints['edge_address']})"),
        ("CA", endpoints["ca_file"]),
        ("Prometheus", endpoints["prometheus_url"] or "none in this profile"),
        ("a host", f"ssh -F {endpoints['ssh_config']} {next(iter(endpoints['hosts']))}"),
        ("hosts", " ".join(f"{name} {address}" for name, address in endpoints["hosts"].items())),
    ]
    return "\n".join(f"  {label:<11} {value}" for label, value in rows)


def main() -> int:
    """Print the table, call the tool, print its answer and who served.

    :return: 0 when every call was answered; a tool's own error (such as a missing table) is an answer too.
    """
    endpoints = json.loads(endpoints_file(dict(os.environ)).read_text())
    target = Target(
        endpoints["mcp_url"],
        ca_file=Path(endpoints["ca_file"]),
        address=endpoints["edge_address"],
        key=endpoints["api_key"],
    )
    print(f"\nENDPOINTS {'*' * 69}\n{table(endpoints)}\n")
    answers = asyncio.run(ToolCaller(target).call(TOOL, ARGUMENTS, CALLS))
    served = Counter(str(answer.instance) for answer in answers)
    print(f"{TOOL} {json.dumps(ARGUMENTS)}{' (tool error)' if answers[0].is_error else ''}:")
    print(json.dumps(answers[0].result, ensure_ascii=False, indent=2))
    print(f"{CALLS} calls served by: " + ", ".join(f"{name} {count}" for name, count in sorted(served.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
