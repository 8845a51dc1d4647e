"""The edge of a running lab (`make lab`): what it adds to a call, and a thousand connections at a time.

Run: ``make bench-edge``. Latency is measured on the load balancer that does not have the floating address, once through
that address and once at an instance, in turns and at the same rate: what is compared shares machine and moment. Then
wrk calls through the floating address from outside, in both eras of the protocol. ``QUICK=1`` for a short look.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.bench import edge_load  # noqa: E402  (the checkout is not an installed package)
from tests.bench.wrk import LEGACY, MODERN, script  # noqa: E402
from tests.support.lab import Lab  # noqa: E402
from tests.support.mcp_server import tool_request  # noqa: E402

QUICK = bool(os.environ.get("QUICK"))
TURNS = 2 if QUICK else 5
SECONDS = 4 if QUICK else 10
RATE, CONNECTIONS = 100, 16
TOOL: tuple[str, dict[str, object]] = ("creature_get", {"id": 1})
PKI = "/etc/trinitycore-pki"


@dataclass(frozen=True)
class Place:
    """Where calls go to."""

    address: str
    port: int
    name: str
    ca: str
    certificate: str = ""


def request_bytes(lab: Lab, host: str) -> bytes:
    """Return one whole tool call."""
    body, headers = tool_request(*TOOL, MODERN, key=lab.endpoints["api_key"])
    fields = {**headers, "host": host}
    lines = [f"{name}: {value}" for name, value in {**fields, "Content-Length": str(len(body))}.items()]
    return "\r\n".join(["POST /mcp HTTP/1.1", *lines, "", ""]).encode() + body


def latencies(lab: Lab, host: str, place: Place) -> list[float]:
    """Return the latencies of calls that a host makes, in milliseconds.

    :raises RuntimeError: a call failed.
    """
    arguments = [place.address, place.port, place.name, RATE, SECONDS, CONNECTIONS, place.ca]
    if place.certificate:
        arguments += [place.certificate, place.certificate.replace(".crt", ".key")]
    command = shlex.join(["python3", "/root/edge_load.py", *map(str, arguments)])
    done = subprocess.run(
        ["ssh", "-F", str(lab.state / "ssh_config"), host, command],
        input=request_bytes(lab, lab.endpoints["mcp_url"].split("/")[2]),
        capture_output=True,
        timeout=SECONDS + 120,
        check=True,
    )
    found = json.loads(done.stdout)
    if found["errors"]:
        raise RuntimeError(f"{len(found['errors'])} calls failed, such as {found['errors'][0]}")
    return list(found["latencies"])


def added_latency(lab: Lab) -> None:
    """Print what the edge adds."""
    [holder] = [
        host
        for host in lab.hosts("loadbalancers")
        if f"{lab.endpoints['edge_address']}/" in lab.ssh(host, "ip -o -4 address show")
    ]
    others = [host for host in lab.hosts("loadbalancers") if host != holder]
    caller = others[0] if others else holder
    lab.put(Path(edge_load.__file__), caller, "/root/edge_load.py")
    app = lab.hosts("app")[0]
    with Path(lab.endpoints["ca_file"]).open("rb") as roots:
        subprocess.run(
            ["ssh", "-F", str(lab.state / "ssh_config"), caller, "cat > /root/edge_ca.crt"], stdin=roots, check=True
        )
    domain = lab.endpoints["mcp_url"].split("/")[2]
    edge = Place(lab.endpoints["edge_address"], 443, domain, "/root/edge_ca.crt")
    direct = Place(lab.endpoints["hosts"][app], 8001, app, f"{PKI}/ca.crt", f"{PKI}/host.crt")
    try:
        turns = [(latencies(lab, caller, direct), latencies(lab, caller, edge)) for _ in range(TURNS)]
    finally:
        lab.ssh(caller, "rm -f /root/edge_load.py /root/edge_ca.crt")
    print(f"\n{RATE} calls/s over {CONNECTIONS} connections from {caller}, {TURNS} turns of {SECONDS} s each, in ms")
    print(f"{'':28}{'p50':>8}{'p95':>8}{'p99':>8}")
    columns: list[list[float]] = []
    for name, place in (("an instance, directly", 0), ("through the edge", 1)):
        cuts = [statistics.quantiles(turn[place], n=100) for turn in turns]
        columns.append([statistics.median(cut[percent - 1] for cut in cuts) for percent in (50, 95, 99)])
        print(f"{name:28}" + "".join(f"{value:8.2f}" for value in columns[-1]))
    print(f"{'added':28}" + "".join(f"{after - before:8.2f}" for before, after in zip(*columns, strict=True)))


def outside(lab: Lab) -> None:
    """Print rate, latency and errors of calls from outside."""
    domain = lab.endpoints["mcp_url"].split("/")[2]
    print(f"\nwrk from outside, {SECONDS} s each")
    print(f"{'era':14}{'connections':>12}{'calls/s':>10}{'p50 ms':>10}{'p95 ms':>10}{'calls':>9}{'errors':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hosts = folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{lab.endpoints['edge_address']} {domain}\n")
        for era in (MODERN, LEGACY):
            lua = script(folder, era, *TOOL, era, key=lab.endpoints["api_key"])
            for connections in (64, 1000):
                wrk = ["wrk", "-t2", f"-c{connections}", f"-d{SECONDS}", "--timeout", "30", "-s", str(lua)]
                # Names the address by a hosts file of its own, which nobody else sees.
                inner = f"mount --bind {hosts} /etc/hosts && exec {shlex.join([*wrk, lab.endpoints['mcp_url']])}"
                done = subprocess.run(
                    ["unshare", "--mount", "sh", "-c", inner], capture_output=True, text=True, check=True, timeout=300
                )
                found = re.search(r"FIGURES (\S+) (\S+) (\S+) (\S+) (\d+) (\d+)", done.stdout)
                if found is None:
                    raise RuntimeError(done.stdout + done.stderr)
                rate, p50, p95, _, errors, calls = found.groups()
                print(f"{era:14}{connections:12}{float(rate):10.0f}{p50:>10}{p95:>10}{calls:>9}{errors:>8}")


def main() -> None:
    """Measure the lab that LAB_NAME and LAB_PROFILE name."""
    lab = Lab(
        os.environ.get("LAB_NAME", "lab"),
        os.environ.get("LAB_NETWORK", "10.77.0"),
        os.environ.get("LAB_PROFILE") or "full",
    )
    if not (lab.state / "endpoints.json").exists():
        sys.exit(f"{lab.state} has no running lab: `make lab` first")
    added_latency(lab)
    outside(lab)


if __name__ == "__main__":
    main()
