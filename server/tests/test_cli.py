"""The command line: what its commands print and answer, and that none pays for another's imports."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.mariadb import MariaDb
from trinitycore_mcp import __version__, cli

_numbers = itertools.count(1)
Run = Callable[..., tuple[int, str, str]]


def modules_after(*arguments: str) -> set[str]:
    """Return the modules that a process has imported once it ran a command."""
    program = (
        "import sys\n"
        "from trinitycore_mcp import cli\n"
        "try:\n    cli.main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print('\\n' + ' '.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["version"], ["serve", "--help"], ["call", "--help"], ["migrate-db", "--help"], ["keys", "--help"]],
)
def test_help_costs_next_to_nothing(arguments: list[str]) -> None:
    assert not {"asyncio", "pydantic", "yaml", "mcp", "sqlalchemy", "pymysql"} & modules_after(*arguments)


def test_checking_a_configuration_imports_no_server(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("auth: {api_keys_file: keys}")
    loaded = modules_after("check-config", "--config", str(path))
    assert "pydantic" in loaded
    assert not {"mcp", "uvicorn", "asyncmy", "sqlalchemy", "alembic", "pymysql", "redis"} & loaded


def test_the_server_imports_no_migrations() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, trinitycore_mcp.lifecycle\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"sqlalchemy", "alembic", "pymysql", "dotenv"} & set(done.stdout.split())


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_without_configuration_there_is_a_message_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["serve"], ["serve", "--stdio"], ["check-config"], ["migrate-db"], ["keys", "list"]):
        assert cli.main([*command, "--config", "/nonexistent/config.yml"]) == 2
        assert capsys.readouterr().err == "trinitycore-mcp: /nonexistent/config.yml: no such file\n"


@pytest.fixture
def keys(mariadb: MariaDb, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `keys ...` and return its exit code and what it printed."""
    name = f"keys{next(_numbers)}_{os.getpid()}"
    mariadb.account(name, "p", f"ALL PRIVILEGES ON `{name}`.*")
    (tmp_path / "password").write_text("p\n")
    database = {
        "hosts": [{"host": "127.0.0.1", "port": mariadb.port}],
        "databases": {"mcp": name},
        "writer": {"user": name, "password_file": "password"},
    }
    config = tmp_path / "config.yml"
    config.write_text(yaml.safe_dump({"database": database}))
    assert cli.main(["migrate-db", "--config", str(config)]) == 0
    capsys.readouterr()

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["keys", *arguments, "--config", str(config)])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    mariadb.sql(f"DROP DATABASE `{name}`; DROP USER '{name}'@'%'")


def test_a_key_is_made_listed_and_revoked(keys: Run, mariadb: MariaDb) -> None:
    code, plain, warning = keys(
        *("create", "ci", "--scope", "read", "--scope", "admin", "--rate", "600/30", "--expires", "2999-01-31")
    )
    assert code == 0
    assert "can't be shown again" in warning
    key = plain.strip()
    assert len(key) > 40
    [listed] = json.loads(keys("list", "--json")[1])
    created = listed.pop("created_at")
    assert created.endswith("Z")
    assert listed == {
        "name": "ci",
        "state": "valid",
        "scopes": ["read", "admin"],
        "rate": {"requests": 600, "period": 30.0, "burst": 600},
        "expires_at": "2999-02-01T00:00:00Z",
        "revoked_at": None,
        "last_used_at": None,
    }
    table = keys("list")[1]
    assert table.splitlines()[0].split() == ["NAME", "STATE", "SCOPES", "CREATED", "EXPIRES", "LAST", "USED"]
    assert table.splitlines()[1].split()[:3] == ["ci", "valid", "read,admin"]
    assert key not in table
    assert hashlib.sha256(key.encode()).hexdigest() not in table
    assert keys("revoke", "ci")[:2] == (0, "revoked: ci\n")
    assert json.loads(keys("list", "--json")[1])[0]["state"] == "revoked"
    code, _, said = keys("revoke", "ci")
    assert (code, said) == (1, "trinitycore-mcp: no valid key is called 'ci'\n")


def test_what_can_not_be_a_key_is_refused(keys: Run) -> None:
    assert keys("create", "a")[0] == 0
    assert keys("create", "a") == (
        *(2, ""),
        "trinitycore-mcp: name 'a': there is a key of this name (revoked ones count)\n",
    )
    code, _, said = keys("create", "a b")
    assert code == 2
    assert "allowed are 1 to 64 of" in said
    code, _, said = keys("create", "b", "--burst", "5")
    assert code == 2
    assert "--burst: 5 is not allowed" in said
    for wrong in (["--rate", "0/5"], ["--rate", "x"], ["--expires", "soon"], ["--scope", "write"]):
        with pytest.raises(SystemExit) as caught:
            keys("create", "b", *wrong)
        assert caught.value.code == 2
    assert keys("create", "b", "--expires", "2001-01-01T00:00:00")[0] == 0
    states = {key["name"]: key["state"] for key in json.loads(keys("list", "--json")[1])}
    assert states == {"a": "valid", "b": "expired"}


def test_keys_before_the_tables_are_there_say_so(keys: Run, mariadb: MariaDb) -> None:
    [[name]] = mariadb.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'keys%'")
    mariadb.sql(f"DROP TABLE `{name}`.api_keys")
    code, _, said = keys("list")
    assert code == 2
    assert "api_keys' doesn't exist" in said
    assert "migrate-db" in said
