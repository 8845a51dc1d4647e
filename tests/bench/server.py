"""Our server against the raw ASGI floor, the official SDK and fastmcp: one run, one worker each, on this machine.

Run: ``make bench-server``. Server pinned to one core, load to another, MariaDB to neither. Ours and the floor take
turns, since the machine's speed drifts: ratios are medians over the turns. ``QUICK=1`` for a short look.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.bench.wrk import LEGACY, MODERN, script  # noqa: E402  (the checkout is not an installed package)
from tests.support.binaries import free_port  # noqa: E402  (the checkout is not an installed package)
from tests.support.mariadb import MariaDb  # noqa: E402  (the checkout is not an installed package)
from tests.support.mcp_server import KEY, load_lab_world, tool_request  # noqa: E402

SERVERS = Path(__file__).parent / "servers"
FASTMCP = ("fastmcp==4.1.2", "uvloop==0.23.0", "httptools==0.9.0", "asyncmy==0.2.18")
QUICK = bool(os.environ.get("QUICK"))
SECONDS = 2 if QUICK else 4
TURNS = 2 if QUICK else 3
CONNECTIONS = (1, 64, 1000)


@dataclass(frozen=True)
class Figures:
    """What one run of the load gave; times in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    errors: int
    cpu: float
    """Microseconds of the server's CPU for each request: says more than the rate while others use the machine."""


@dataclass(frozen=True)
class Contender:
    """A server under load."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return its resident memory in MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024  # type: ignore[index]  # Linux always says


def load(contender: Contender, wrk_script: Path, connections: int, seconds: int = SECONDS) -> Figures:
    """Put load on a server, bounded in time."""
    url = f"http://127.0.0.1:{contender.port}/mcp"
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "10"]
    before = contender.cpu()
    done = subprocess.run(
        [*command, "-s", str(wrk_script), url], capture_output=True, text=True, check=True, timeout=seconds + 60
    )
    used = contender.cpu() - before
    found = re.search(r"FIGURES (\S+) (\S+) (\S+) (\S+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    rate, p50, p95, p99 = (float(found[place]) for place in range(1, 5))
    return Figures(rate, p50, p95, p99, int(found[5]), used / max(1, int(found[6])) * 1e6)


@contextlib.contextmanager
def serving(name: str, command: list[str], environment: Mapping[str, str], log: Path, port: int) -> Iterator[Contender]:
    """Start a server on core 0 and stop it when the context ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command], stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        wait_for(port, process, log)
        yield Contender(name, port, process)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers a call.

    :raises RuntimeError: it ended, or did not answer in time.
    """
    body, headers = tool_request("add", {"a": 1, "b": 2}, LEGACY)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", data=body, headers=headers, method="POST")
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
            if json.loads(answer.read())["result"]["structuredContent"] == {"sum": 3}:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{log}: {log.read_text(errors='replace')[-2000:]}")


def our_config(folder: Path, database_port: int, **sections: Any) -> tuple[Path, int]:
    """Write our server's configuration: token cached, metrics and logs on, limits on and far away."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    (folder / "keys").write_text(yaml.safe_dump([{"name": "bench", "sha256": digest, "scopes": ["read"]}]))
    (folder / "password").write_text("app_ro\n")
    far = {"requests": 100_000_000, "period": 60, "burst": 10_000_000}
    config: dict[str, Any] = {
        "server": {"port": port, "instance_name": "bench", "drain_delay": 0},
        "metrics": {"port": free_port()},
        "database": {
            "hosts": [{"host": "127.0.0.1", "port": database_port}],
            "user": "app_ro",
            "password_file": "password",
        },
        "auth": {"api_keys_file": "keys"},
        "limits": {"default": far},
        **sections,
    }
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    return folder / "config.yml", port


def fastmcp_python() -> str:
    """Return the Python of an environment that has fastmcp, made once beside .venv (its pins are not ours)."""
    folder = ROOT / ".cache/bench-fastmcp"
    python = folder / "bin/python"
    if not python.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *FASTMCP], check=True
        )
    return str(python)


class Bench:
    """The table, filled row by row."""

    def __init__(self, folder: Path, database_port: int) -> None:
        self.folder = folder
        self.environment = {"BENCH_DB_PORT": str(database_port)}
        self.database_port = database_port
        self.scripts = {
            (what, version): script(folder, f"{what}-{version}", *call, version)
            for what, call in {
                "trivial": ("add", {"a": 1, "b": 2}),
                "lookup": ("page_text_get", {"id": 3}),
                "cached": ("page_text_cached", {"id": 3}),
            }.items()
            for version in (MODERN, LEGACY)
        }
        self.at_64: dict[tuple[str, str], float] = {}

    def server(self, name: str) -> contextlib.AbstractContextManager[Contender]:
        """Return one of the servers, to be started."""
        port, log = free_port(), self.folder / f"{name}.log"
        if name.startswith("ours"):
            sections = {"cache": {"enabled": False}} if name == "ours, cache off" else {}
            path, port = our_config(self.folder / name.replace(" ", "-"), self.database_port, **sections)
            alone = ["alone"] if name == "ours, one tool" else []
            return serving(name, [sys.executable, str(SERVERS / "ours.py"), str(path), *alone], {}, log, port)
        python = fastmcp_python() if name == "fastmcp" else sys.executable
        program = {"floor": "floor.py", "sdk": "sdk.py", "fastmcp": "fastmcp_server.py"}[name]
        return serving(name, [python, str(SERVERS / program), str(port)], self.environment, log, port)

    def row(self, contender: Contender, what: str, version: str, connections: int) -> Figures:
        """Measure and print one row."""
        found = load(contender, self.scripts[what, version], connections)
        self.print_row(contender.name, what, version, connections, found, contender.memory())
        return found

    @staticmethod
    def print_row(name: str, what: str, version: str, connections: int, found: Figures, memory: float) -> None:
        """Print one row of the table."""
        print(
            f"{name:16} {what:8} {version:10} {connections:5d} {found.rate:9.0f} "
            f"{found.p50:8.2f} {found.p95:8.2f} {found.p99:8.2f} {found.errors:6d} {found.cpu:7.1f} {memory:7.0f}",
            flush=True,
        )

    def against_floor(self, name: str, what: str, version: str, floor: Contender, contender: Contender) -> None:
        """Measure a server and the floor in turns; the median of the ratios is what the aims are about."""
        self.at_64[f"{name} {what}", version] = self.against(name, what, version, floor, contender)

    def against(self, name: str, what: str, version: str, base: Contender, contender: Contender) -> float:
        """Measure a server and one that it is compared with in turns at 64 connections; return the ratios' median.

        :param base: makes the trivial call.
        """
        ratios, by_cpu = [], []
        for _ in range(TURNS):
            other = load(base, self.scripts["trivial", MODERN], 64)
            found = load(contender, self.scripts[what, version], 64)
            ratios.append(found.rate / other.rate)
            by_cpu.append(other.cpu / found.cpu)
        self.print_row(name, what, version, 64, found, contender.memory())
        ratio = statistics.median(ratios)
        turns = ", ".join(f"{each:.2f}" for each in ratios)
        cpu = statistics.median(by_cpu)
        print(f"  {name}, {what}, {version}: {ratio:.2f} of {base.name} (turns: {turns}), by CPU {cpu:.2f}", flush=True)
        return ratio


def main() -> None:
    """Run the whole table."""
    head = f"{'server':16} {'call':8} {'protocol':10} {'conns':>5} {'req/s':>9}"
    print(f"{head} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'errors':>6} {'CPU us':>7} {'RSS MB':>7}")
    with tempfile.TemporaryDirectory(prefix="bench-") as name, MariaDb.start(Path(name) / "db") as database:
        load_lab_world(database)
        bench = Bench(Path(name), database.port)
        with bench.server("floor") as floor:
            for connections in CONNECTIONS:
                bench.row(floor, "trivial", MODERN, connections)
            with bench.server("ours") as ours:
                for version in (MODERN, LEGACY):
                    for connections in CONNECTIONS:
                        bench.row(ours, "trivial", version, connections)
                    bench.against_floor("ours", "trivial", version, floor, ours)
                for connections in CONNECTIONS:  # the first call of each fills the cache, the rest is answered by it
                    bench.row(ours, "lookup", MODERN, connections)
                bench.against_floor("ours", "lookup", MODERN, floor, ours)
                with bench.server("ours, one tool") as alone:  # two ratios to the floor would drift apart by more
                    all_tools = bench.against("ours", "trivial", MODERN, alone, ours)
            with bench.server("ours, cache off") as uncached:
                for connections in CONNECTIONS:
                    bench.row(uncached, "lookup", MODERN, connections)
                bench.against_floor("ours, cache off", "lookup", MODERN, floor, uncached)
            for peer in ("sdk", "fastmcp"):
                with bench.server(peer) as contender:
                    for version in (MODERN, LEGACY):
                        for what in ("trivial", "lookup", "cached"):
                            for connections in (1, 64) if QUICK or what != "trivial" else CONNECTIONS:
                                bench.row(contender, what, version, connections)
                        bench.against_floor(peer, "trivial", version, floor, contender)
    print_aims(bench.at_64, all_tools)


def print_aims(found: Mapping[tuple[str, str], float], all_tools: float) -> None:
    """Print what was aimed at and what came out, at 64 connections.

    :param all_tools: the rate with all tools to that with one.
    """
    ours, legacy = found["ours trivial", MODERN], found["ours trivial", LEGACY]
    aims = [
        ("trivial call / floor", ours, 0.75),
        ("trivial call / SDK, 2026-07-28", ours / found["sdk trivial", MODERN], 5),
        ("trivial call / SDK, 2025-11-25", legacy / found["sdk trivial", LEGACY], 10),
        ("uncached lookup / floor", found["ours, cache off lookup", MODERN], 0.25),
        ("cached lookup / floor", found["ours lookup", MODERN], 0.75),
        ("all tools / one tool", all_tools, 0.95),
    ]
    print("\nratio at 64 connections             measured   aim")
    for what, value, aim in aims:
        print(f"{what:35} {value:8.2f} {aim:5.2f}{'' if value >= aim else '  MISSED'}")


if __name__ == "__main__":
    main()
