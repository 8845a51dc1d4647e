"""The public judges: the protocol's conformance suite in three settings, and the Inspector in each era."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mariadb import MariaDb
from tests.support.mcp_server import McpServer, database_section

JUDGES = Path(__file__).parent / "conformance"
NODE_MODULES = JUDGES / "node_modules"
NODE = NODE_MODULES / "node/bin/node"
INSPECTOR = NODE_MODULES / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"


@pytest.fixture(scope="module")
def everything(mariadb: MariaDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    """The server with the suite's fixtures beside its own tools."""
    config = {
        "database": database_section(mariadb),
        "auth": {"enabled": False, "api_keys_file": None},
        "limits": {"enabled": False},  # the suite makes more requests than one caller should
    }
    command = (sys.executable, "-m", "server.tests.conformance.everything")
    with McpServer.start(tmp_path_factory.mktemp("everything"), config, command=command) as running:
        running.wait_until_ready()
        yield running


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the judges with their own Node, since the system's may be too old."""
    path = f"{NODE.parent}:{os.environ['PATH']}"
    return subprocess.run(
        [str(NODE), *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("suite", "arguments", "passed"),
    [
        ("conformance-0.1", ["--suite", "active", "--expected-failures"], 26),
        ("conformance-0.2", ["--requirements", "2025-11-25", "--expected-failures"], 63),
        ("conformance-0.2", ["--requirements", "2026-07-28"], 163),
    ],
)
def test_the_conformance_suite_finds_nothing_but_what_a_stateless_server_cannot_serve(
    everything: McpServer, tmp_path: Path, suite: str, arguments: list[str], passed: int
) -> None:
    baseline = [str(JUDGES / "expected-failures.yml")] if arguments[-1] == "--expected-failures" else []
    program = NODE_MODULES / suite / "dist/index.js"
    done = run(str(program), "server", "--url", everything.url, *arguments, *baseline, folder=tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    total = re.search(r"Total: (\d+) passed", done.stdout)
    assert total is not None, done.stdout[-2000:]
    assert int(total[1]) >= passed  # as many checks as when this was written: none was lost on the way


def inspect(server: McpServer, era: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(
        str(INSPECTOR),
        *("--cli", server.url, "--transport", "http", "--protocol-era", era, "--format", "json", "-q"),
        *arguments,
        folder=folder,
    )


@pytest.mark.parametrize("era", ["legacy", "modern", "auto"])
def test_the_inspector_lists_and_calls_tools(everything: McpServer, tmp_path: Path, era: str) -> None:
    listed = inspect(everything, era, "--method", "tools/list", "--strict", folder=tmp_path)
    assert listed.returncode == 0, listed.stdout[-3000:] + listed.stderr[-3000:]
    names = {tool["name"] for tool in json.loads(listed.stdout)["result"]["tools"]}
    assert {"creature_get", "test_simple_text"} <= names
    arguments = ["--tool-name", "creature_get", "--tool-args-json", '{"id": 448}']
    called = inspect(everything, era, "--method", "tools/call", *arguments, folder=tmp_path)
    assert called.returncode == 0, called.stdout[-3000:] + called.stderr[-3000:]
    assert json.loads(called.stdout)["result"]["structuredContent"]["id"] == 448


def test_production_never_loads_the_fixtures() -> None:
    code = (
        "import sys, trinitycore_mcp.cli, trinitycore_mcp.lifecycle; print([m for m in sys.modules if 'conform' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
