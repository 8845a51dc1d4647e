"""check-config --files: whatever is wrong with the files is said, all of it at once and without quoting them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.certificates import Authority
from trinitycore_mcp import cli
from trinitycore_mcp.config import Config
from trinitycore_mcp.config_check import check_files, check_tools
from trinitycore_mcp.config_load import Loaded, load
from trinitycore_mcp.tools import catalogue, every_tool

DIGEST = "0" * 64


def loaded(folder: Path, **sections: Any) -> Loaded:
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump({"auth": {"enabled": False}, **sections}))
    return load(path, {})


def private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def everything(folder: Path) -> dict[str, Any]:
    """Write a good file of every kind and return the configuration that names them."""
    authority = Authority(folder)
    pair = authority.issue("host")
    pair.key.chmod(0o600)
    private(folder / "keys.yml", yaml.safe_dump([{"name": "a", "sha256": DIGEST}]))
    private(folder / "secret", "s" * 32)
    private(folder / "state", f"{'k' * 32}\n{'l' * 32}\n")
    private(folder / "headers", "authorization: Bearer x\n\nx-team: y\n")
    private(folder / "dsn", "https://key@sentry.example.org/1\n")
    private(folder / "password", "p\n")
    tls = {"certificate_file": "host.crt", "key_file": "host.key", "client_ca_file": "ca.crt"}
    return {
        "server": {"tls": tls},
        "metrics": {"tls": tls},
        "database": {
            "password_file": "password",
            "writer": {"password_file": "password"},
            "tls": {"ca_file": "ca.crt"},
        },
        "redis": {
            "sentinel": {"master_name": "m", "hosts": [{"host": "s"}], "password_file": "password"},
            "password_file": "password",
            "tls": {"ca_file": "ca.crt", "certificate_file": "host.crt", "key_file": "host.key"},
        },
        "auth": {"api_keys_file": "keys.yml", "jwt": {"secret_file": "secret", "audience": "a"}},
        "state": {"request_state_key_file": "state"},
        "tracing": {"headers_file": "headers"},
        "sentry": {"dsn_file": "dsn"},
    }


def test_files_that_are_right_raise_nothing(tmp_path: Path) -> None:
    findings = check_files(loaded(tmp_path, **everything(tmp_path)))
    assert findings == ([], [])


@pytest.mark.parametrize(
    ("file", "content", "keys", "said"),
    [
        ("host.crt", "no certificate", ["server.tls", "metrics.tls", "redis.tls"], "no certificate and its key in PEM"),
        (
            "ca.crt",
            "none",
            ["server.tls.client_ca_file", "metrics.tls.client_ca_file", "database.tls.ca_file", "redis.tls.ca_file"],
            "no certificate in PEM",
        ),
        (
            "password",
            "\n",
            [
                *("database.password_file", "database.writer.password_file"),
                *("redis.password_file", "redis.sentinel.password_file"),
            ],
            "is empty",
        ),
        ("keys.yml", "[]", ["auth.api_keys_file"], "at least one key"),
        ("secret", "hunter2", ["auth.jwt.secret_file"], "has 7 bytes"),
        ("state", f"{'k' * 32}\nhunter2", ["state.request_state_key_file"], "line 2 has 7 characters, allowed are 32"),
        ("headers", "hunter2", ["tracing.headers_file"], "line 1 is not of the form Name: value"),
        ("dsn", "hunter2", ["sentry.dsn_file"], "not a Sentry DSN"),
    ],
)
def test_each_wrong_file_is_told_for_each_key_that_names_it(
    tmp_path: Path, file: str, content: str, keys: list[str], said: str
) -> None:
    sections = everything(tmp_path)
    (tmp_path / file).write_text(content)
    errors = check_files(loaded(tmp_path, **sections)).errors
    assert sorted(error.partition(": ")[0] for error in errors) == sorted(keys)
    for error in errors:
        assert said in error
        assert "hunter2" not in error


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("hunter2", "not JSON"),
        ([{"kty": "EC"}], "not a JWK Set"),
        ({"keys": []}, "not a JWK Set"),
        ({"keys": [{"kty": "EC", "d": "hunter2"}]}, "holds a private or shared key"),
        ({"keys": [{"kty": "oct", "k": "hunter2"}]}, "holds a private or shared key"),
        ({"keys": [{"kty": "EC", "x": "x"}]}, None),
    ],
)
def test_a_file_of_signing_keys_holds_public_ones(tmp_path: Path, keys: object, said: str | None) -> None:
    (tmp_path / "jwks").write_text(keys if isinstance(keys, str) else json.dumps(keys))
    auth = {"jwt": {"jwks_file": "jwks", "issuer": "i", "audience": "a"}}
    errors = check_files(loaded(tmp_path, auth=auth)).errors
    assert errors == ([] if said is None else errors)
    assert len(errors) == (said is not None)
    assert all(str(said) in error and "hunter2" not in error for error in errors)


def test_all_absent_files_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sections = everything(tmp_path)
    path = tmp_path / "config.yml"
    loaded(tmp_path, **sections)
    for file in tmp_path.iterdir():
        if file != path:
            file.unlink()
    assert cli.main(["check-config", "--config", str(path)]) == 0
    assert cli.main(["check-config", "--config", str(path), "--files"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "No such file" in line]) == 19


def test_secrets_that_everybody_may_read_are_told(tmp_path: Path) -> None:
    sections = everything(tmp_path)
    (tmp_path / "password").chmod(0o644)
    (tmp_path / "host.key").chmod(0o604)
    (tmp_path / "host.crt").chmod(0o644)
    findings = check_files(loaded(tmp_path, **sections))
    assert not findings.errors
    told = {warning.partition(":")[0] for warning in findings.warnings}
    assert told == {
        *("database.password_file", "database.writer.password_file", "redis.password_file"),
        *("redis.sentinel.password_file", "server.tls.key_file", "metrics.tls.key_file", "redis.tls.key_file"),
    }
    assert "mode 0644" in findings.warnings[0] + findings.warnings[-1] + "".join(findings.warnings)


def test_tools_that_do_not_exist_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = every_tool()[0].name
    near = f"{known}x"
    loaded(
        tmp_path,
        cache={"tools": {near: {"ttl": 1}, known: {"ttl": 1}}, "warm": [{"tool": near}, {"tool": known}]},
        limits={"tools": {near: {"requests": 1}, known: {"requests": 1}}},
    )
    assert cli.main(["check-config", "--config", str(tmp_path / "config.yml")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        f"cache.tools.{near}",
        f"limits.tools.{near}",
        "cache.warm.0.tool",
    ]
    assert all(f"did you mean {known}" in line for line in lines)


def test_check_config_says_all_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yml").write_text("server: {prot: 1, port: 0}")
    assert cli.main(["check-config", "--config", str(tmp_path / "config.yml")]) == 2
    errors = capsys.readouterr().err
    assert "did you mean port?" in errors
    assert "server.port: 0" in errors
    assert "auth: is missing" in errors


def test_tools_are_chosen_by_patterns() -> None:
    def config(**patterns: list[str]) -> Config:
        return Config.model_validate({"auth": {"enabled": False}, "tools": patterns})

    names = {tool.name for tool in catalogue(config(include=["creature_*", "item_get"], exclude=["*_loot"]))}
    assert {"creature_get", "creature_search", "item_get"} <= names
    assert not names & {"creature_loot", "item_search", "quest_get"}
    assert check_tools(config(include=["creature_*"], exclude=["sql_*"])) == []
    [wrong] = check_tools(config(exclude=["creatur_*"]))
    assert wrong.startswith("tools.exclude: no tool is called 'creatur_*'; did you mean creature_")
