"""The module that migrates the server's tables: real command, real database."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.trinitycore.mcp.plugins.filter.mcp_server import secret_files
from ansible_collections.trinitycore.mcp.plugins.modules import mcp_migrate

from tests.support.mariadb import MariaDb

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb.start(tmp_path_factory.mktemp("db") / "db") as running:
        running.sql("CREATE USER app_rw@'%' IDENTIFIED BY 'secret-w'; GRANT ALL ON mcp.* TO app_rw@'%'")
        yield running


@pytest.fixture
def command(server: MariaDb, tmp_path: Path) -> Path:
    """What the role installs: the server's program with the service's configuration."""
    config = tmp_path / "config.yml"
    (tmp_path / "password").write_text("secret-w")
    writer = {"user": "app_rw", "password_file": str(tmp_path / "password")}
    hosts = [{"host": "127.0.0.1", "port": server.port}]
    config.write_text(yaml.safe_dump({"database": {"hosts": hosts, "writer": writer}}))
    program = tmp_path / "trinitycore-mcp"
    log = tmp_path / "log"
    program.write_text(
        f'#!/bin/sh\necho "$TRINITYCORE_MCP_RELEASE $*" >> {log}\n'
        f'command=$1; shift\nexec {sys.executable} -m trinitycore_mcp "$command" --config {config} "$@"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(check: bool = False, **options: Any) -> dict[str, Any]:
        with (
            patch_module_args({**options, "_ansible_check_mode": check, "_ansible_diff": True}),
            pytest.raises(SystemExit),
        ):
            mcp_migrate.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run_module


def test_migrates_once_and_foretells_it(run: Run, command: Path, server: MariaDb) -> None:
    options = {"command": str(command), "release": "2.0.0-x"}
    foretold = run(check=True, **options)
    assert foretold["changed"]
    assert foretold["pending"][0] == "0001"
    assert server.sql("SHOW DATABASES LIKE 'mcp'") == []
    done = run(**options)
    assert done["changed"]
    assert (done["before"], done["after"]) == ("base", foretold["after"])
    assert done["diff"] == {"before": "base\n", "after": f"{done['after']}\n"}
    again = run(**options)
    assert not again["changed"]
    assert again["before"] == again["after"] == done["after"]
    assert not run(check=True, **options)["changed"]
    assert (command.parent / "log").read_text().splitlines()[0] == "2.0.0-x migrate-db --check --wait 0"


def test_check_mode_on_a_host_that_has_nothing_yet(run: Run, tmp_path: Path) -> None:
    options = {"command": str(tmp_path / "absent")}
    foretold = run(check=True, **options)
    assert foretold["changed"]
    assert "No such file" in foretold["diff"]["prepared"]
    assert "were not migrated" in run(**options)["msg"]


def test_what_the_command_says_is_what_the_operator_reads(run: Run, command: Path, server: MariaDb) -> None:
    server.sql("SET GLOBAL read_only = 1")
    try:
        failed = run(command=str(command), wait=0)
        assert failed["failed"]
        assert "no database host is writable for account app_rw" in failed["msg"]
        foretold = run(check=True, command=str(command))
        assert foretold["changed"] and "no database host is writable" in foretold["diff"]["prepared"]
    finally:
        server.sql("SET GLOBAL read_only = 0")
    assert "secret-w" not in json.dumps([failed, foretold])
    assert os.environ.get("TRINITYCORE_MCP_RELEASE") is None


def test_an_empty_secret_is_no_file() -> None:
    assert secret_files({"a": "x", "b": ""}, "/etc/s") == {
        "files": [{"dest": "/etc/s/a", "content": "x", "mode": "0600", "secret": True}],
        "absent": ["/etc/s/b"],
    }
