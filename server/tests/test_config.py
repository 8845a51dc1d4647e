"""Configuration: what is accepted, what is refused and how that is said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trinitycore_mcp import cli
from trinitycore_mcp.auth import load_keys
from trinitycore_mcp.config_load import ConfigError, load

Write = Callable[[str], Path]
MINIMAL = "auth: {enabled: false}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "config.yml"
        path.write_text(text)
        return path

    return to_file


def refused(path: Path, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environment or {})
    return str(caught.value)


def test_defaults_are_the_documented_ones(write: Write) -> None:
    config = load(write(MINIMAL), {}).config
    assert (config.server.host, config.server.port, config.metrics.port) == ("127.0.0.1", 8001, 9464)
    assert config.database.pool.query_timeout == 5.0


def test_an_unknown_key_is_refused_with_the_near_one_named(write: Write) -> None:
    assert refused(write(MINIMAL + "server: {prot: 8001}")) == "server.prot: unknown key, did you mean port?"


def test_an_unknown_key_near_to_nothing_lists_the_allowed_ones(write: Write) -> None:
    message = refused(write(MINIMAL + "database: {tls: {zzzz: 1, ca_file: x}}"))
    assert message == "database.tls.zzzz: unknown key, allowed are ca_file"


def test_every_error_is_told_at_once_with_key_value_and_what_is_allowed(write: Write) -> None:
    message = refused(write("server: {port: 99999}\nlogging: {level: LOUD}\ndatabase: {hosts: [{host: a b}]}\n"))
    assert "server.port: 99999 is not allowed: should be less than or equal to 65535" in message
    assert "logging.level: 'LOUD' is not allowed: should be 'DEBUG', 'INFO', 'WARNING', 'ERROR' or 'FATAL'" in message
    assert "database.hosts.0.host: 'a b' is not allowed" in message
    assert "auth: is missing" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auth: {enabled: true}", "auth: api_keys_file, api_keys_in_database or jwt is needed unless"),
        (MINIMAL + "metrics: {port: 8001}", "configuration: server and metrics listen on the same host and port"),
        (
            MINIMAL + "database: {hosts: [{host: a}, {host: a}]}",
            "database: the same host stands twice in a:3306, a:3306",
        ),
        (MINIMAL + "database: {databases: {world: 'w`x'}}", "database.databases.world: 'w`x' is not allowed"),
    ],
)
def test_contradictions_are_refused(write: Write, text: str, message: str) -> None:
    assert message in refused(write(text))


def test_files_that_are_no_configuration_are_refused(write: Write, tmp_path: Path) -> None:
    assert "not valid YAML" in refused(write("server: [unclosed"))
    assert "allowed is a mapping" in refused(write("- a\n"))
    assert "no such file" in refused(tmp_path / "absent.yml")


def test_the_environment_overrides_the_file(write: Write) -> None:
    environment = {"TRINITYCORE_MCP__DATABASE__POOL__SIZE": "5", "TRINITYCORE_MCP__DATABASE__HOSTS__1__HOST": "db2"}
    config = load(write(MINIMAL + "database: {hosts: [{host: db1}], pool: {size: 3}}"), environment).config
    assert config.database.pool.size == 5
    assert [host.host for host in config.database.hosts] == ["db1", "db2"]


def test_a_wrong_value_from_the_environment_is_named_by_its_key(write: Write) -> None:
    message = refused(write(MINIMAL), {"TRINITYCORE_MCP__SERVER__PORT": "high"})
    assert message.startswith("server.port: 'high' is not allowed")


def test_names_of_version_1_work_and_are_said_to_be_deprecated(write: Write) -> None:
    environment = {
        "TRINITY_DB_HOST": "old-db",
        "TRINITY_DB_PORT": "3307",
        "MCP_PORT": "9000",
        "METRICS_ENABLED": "false",
    }
    loaded = load(write(MINIMAL), environment)
    [host] = loaded.config.database.hosts
    assert (host.host, host.port, loaded.config.server.port) == ("old-db", 3307, 9000)
    assert not loaded.config.metrics.enabled
    assert len(loaded.notices) == 4
    assert "TRINITY_DB_HOST is deprecated: set database.hosts.0.host" in loaded.notices[0]


def test_file_names_start_from_the_credentials_or_from_the_file(write: Write, tmp_path: Path) -> None:
    path = write(MINIMAL)
    assert load(path, {}).path("key") == tmp_path / "key"
    assert load(path, {"CREDENTIALS_DIRECTORY": "/run/c"}).path("key") == Path("/run/c/key")
    assert load(path, {}).path("/etc/key") == Path("/etc/key")


def test_an_instance_has_ports_and_name_of_its_own(write: Write) -> None:
    config = load(write(MINIMAL + "server: {instance_name: app1}"), {}).config
    third = config.for_instance(3, "host")
    assert (third.server.port, third.metrics.port, third.server.instance_name) == (8003, 9466, "app1-3")
    with pytest.raises(ValueError, match="instance 0"):
        config.for_instance(0, "host")
    with pytest.raises(ValueError, match="below 65536"):
        config.for_instance(60000, "host")


def test_check_config_says_all_and_exits_2(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-config", "--config", str(write("server: {prot: 1, port: 0}"))]) == 2
    errors = capsys.readouterr().err
    assert "did you mean port?" in errors
    assert "server.port: 0" in errors


def test_check_config_looks_at_files_only_when_asked(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("auth: {api_keys_file: absent}\ndatabase: {password_file: absent}\n")
    assert cli.main(["check-config", "--config", str(path)]) == 0
    assert cli.main(["check-config", "--config", str(path), "--files"]) == 2
    assert "absent: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([{"name": "a", "sha256": "xyz"}], "0.sha256"),
        ([{"name": "a", "sha256": "0" * 64, "scopes": ["write"]}], "0.scopes.0"),
        ([{"name": "a", "sha256": "0" * 64}, {"name": "a", "sha256": "1" * 64}], "each name once"),
        ([], "at least one key"),
        ("text", "list"),
    ],
)
def test_a_wrong_api_keys_file_is_refused_without_quoting_it(tmp_path: Path, keys: object, message: str) -> None:
    (tmp_path / "keys").write_text(json.dumps(keys))
    with pytest.raises(ConfigError, match=message) as caught:
        load_keys(tmp_path / "keys")
    assert "000000" not in str(caught.value)


def test_a_key_is_found_by_its_digest_alone(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"secret").hexdigest().upper()
    (tmp_path / "keys").write_text(json.dumps([{"name": "a", "sha256": digest, "scopes": ["admin"]}]))
    keys = load_keys(tmp_path / "keys")
    principal = keys.find("secret")
    assert principal is not None
    assert (principal.name, principal.may("read"), principal.may("players")) == ("a", True, True)
    assert keys.find("Secret") is None
    assert keys.find("") is None
