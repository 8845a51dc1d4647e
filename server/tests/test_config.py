"""Configuration: what is accepted, what is refused and how that is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
        (MINIMAL + "database: {databases: {world: mcp}}", "database.databases: world and mcp are both 'mcp'"),
        (MINIMAL + "redis: {database: 1}", "redis: hosts or sentinel is needed"),
        (MINIMAL + "redis: {hosts: [{host: a}, {host: a}]}", "redis: the same host stands twice in a:6379, a:6379"),
        (
            MINIMAL + "redis: {hosts: [{host: a}], tls: {ca_file: ca, key_file: k}}",
            "redis.tls: certificate_file and key_file go together",
        ),
        ("auth: {api_keys_in_database: true}", "configuration: auth.api_keys_in_database needs database.writer"),
        ("auth: {jwt: {}}", "auth.jwt: exactly one of secret_file, jwks_url, jwks_file is needed, not none"),
        (
            "auth: {jwt: {secret_file: s, jwks_file: f}}",
            "auth.jwt: exactly one of secret_file, jwks_url, jwks_file is needed, not secret_file and jwks_file",
        ),
        (
            "auth: {jwt: {jwks_file: f, issuer: i, algorithms: [RS256, HS256]}}",
            "auth.jwt: algorithm HS256 does not go with jwks_file, allowed are those with public keys",
        ),
        (
            "auth: {jwt: {secret_file: f, algorithms: [RS256]}}",
            "auth.jwt: algorithm RS256 does not go with secret_file, allowed are HS256, HS384 and HS512",
        ),
        ("auth: {jwt: {secret_file: f, algorithms: [none]}}", "auth.jwt.algorithms.0: 'none' is not allowed"),
        ("auth: {jwt: {jwks_file: f}}", "auth.jwt: issuer is needed with jwks_file"),
        ("auth: {jwt: {jwks_file: f, issuer: i}}", "configuration: auth.jwt needs an audience"),
        (
            "auth: {api_keys_file: f, authorization_servers: ['https://login.example.org']}",
            "configuration: auth.authorization_servers needs server.public_url",
        ),
        ("auth: {jwt: {jwks_url: 'http://login.example.org/jwks', issuer: i}}", "should be an https:// URL"),
        (MINIMAL + "server: {public_url: 'https://a/mcp?x=1'}", "should be a URL without ?query"),
        (MINIMAL + "server: {public_url: 'https://a/mcp#x'}", "without blanks and without #fragment"),
        (MINIMAL + "server: {allowed_origins: ['https://a/b']}", "should be scheme://host or scheme://host:port"),
        (MINIMAL + "limits: {default: {requests: 0}}", "limits.default.requests: 0 is not allowed"),
        (MINIMAL + "cache: {tools: {get_item: {tll: 1}}}", "cache.tools.get_item.tll: unknown key, did you mean ttl?"),
        (MINIMAL + "cache: {warm: [{tool: x, argumens: {}}]}", "cache.warm.0.argumens: unknown key, did you mean"),
        (
            MINIMAL + "redis: {sentinel: {master_name: m, hosts: [{hots: a}]}}",
            "redis.sentinel.hosts.0.hots: unknown key",
        ),
        (MINIMAL + "backup: {socket: run/x}", "backup.socket: 'run/x' is not allowed"),
    ],
)
def test_contradictions_are_refused(write: Write, text: str, message: str) -> None:
    assert message in refused(write(text))


def test_a_consequence_of_another_error_is_not_told(write: Write) -> None:
    message = refused(write(MINIMAL + "limits: {default: {requests: 0}}"))
    assert message.count("\n") == 0


def test_two_contradictions_are_two_lines(write: Write) -> None:
    message = refused(write("auth: {api_keys_in_database: true}\nmetrics: {port: 8001}"))
    assert [line.partition(":")[0] for line in message.splitlines()] == ["configuration", "configuration"]


def test_a_key_that_stands_twice_is_refused(write: Write) -> None:
    assert "server stands twice" in refused(write(MINIMAL + "server: {port: 1}\nserver: {port: 2}\n"))
    assert "port stands twice" in refused(write(MINIMAL + "server: {port: 1, port: 2}\n"))


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "database: {password_file: [hunter2]}",
        MINIMAL + "database: {password_file: 5551234, password: hunter2}",
        "auth: {jwt: {jwks_url: 'https://me:hunter2@login.example.org/jwks', issuer: i}}",
        MINIMAL + "redis: redis://:hunter2@cache/0",
        MINIMAL + "database: {writer: {password: hunter2}}",
        MINIMAL + "state: {request_state_key_file: {hunter2: 1}}",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(write: Write, text: str) -> None:
    message = refused(write(text))
    assert "hunter2" not in message
    assert "5551234" not in message


def test_defaults_that_follow_from_other_values(write: Write) -> None:
    config = load(write("auth: {jwt: {secret_file: s}}\nlimits: {default: {requests: 7}}"), {}).config
    assert config.auth.jwt is not None
    assert config.auth.jwt.algorithms == ["HS256"]
    assert (config.limits.default.period, config.limits.default.burst) == (60.0, 7)
    url = "https://mcp.example.org/mcp"
    text = f"auth: {{jwt: {{jwks_file: f, issuer: i}}}}\nserver: {{public_url: '{url}'}}"
    config = load(write(text), {}).config
    assert config.auth.jwt is not None
    assert config.auth.jwt.algorithms == ["RS256", "ES256"]
    assert config.token_audience == url
    config = load(write(text.replace("issuer: i", "issuer: i, audience: other")), {}).config
    assert config.token_audience == "other"


def test_a_token_without_audience_is_told_of(write: Write) -> None:
    [notice] = load(write("auth: {jwt: {secret_file: s}}"), {}).notices
    assert "whatever audience" in notice
    assert not load(write("auth: {jwt: {secret_file: s, audience: a}}"), {}).notices


def test_a_public_name_that_would_be_refused_is_told_of(write: Write) -> None:
    text = MINIMAL + "server: {public_url: 'https://MCP.example.org/mcp', allowed_hosts: ["
    [notice] = load(write(text + "localhost]}"), {}).notices
    assert "requests for mcp.example.org are refused" in notice
    assert not load(write(text + "mcp.example.org]}"), {}).notices
    assert not load(write(text.replace("MCP.example.org", "[::1]") + "'[::1]']}"), {}).notices


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
        "MCP_HOST": "0.0.0.0",
        "PROMETHEUS_PORT": "9465",
        "METRICS_ENABLED": "false",
        "AUTH_ENABLED": "true",
        "RATE_LIMIT_ENABLED": "0",
        "REDIS_HOST": "10.5",
        "REDIS_PORT": "6380",
    }
    loaded = load(write("auth: {enabled: false, api_keys_file: keys}"), environment)
    config = loaded.config
    [host] = config.database.hosts
    assert (host.host, host.port) == ("old-db", 3307)
    assert (config.server.host, config.server.port, config.metrics.port) == ("0.0.0.0", 9000, 9465)
    assert (config.metrics.enabled, config.auth.enabled, config.limits.enabled) == (False, True, False)
    assert config.redis is not None
    assert [(host.host, host.port) for host in config.redis.hosts] == [("10.5", 6380)]
    assert len(loaded.notices) == len(environment)
    assert "TRINITY_DB_HOST is deprecated: set database.hosts.0.host" in loaded.notices[0]


def test_a_port_of_version_1_alone_is_for_this_host(write: Write) -> None:
    config = load(write(MINIMAL), {"TRINITY_DB_PORT": "3307", "REDIS_PORT": "6380"}).config
    assert [(host.host, host.port) for host in config.database.hosts] == [("127.0.0.1", 3307)]
    assert config.redis is not None
    assert [(host.host, host.port) for host in config.redis.hosts] == [("127.0.0.1", 6380)]


def test_an_empty_name_of_version_1_says_nothing(write: Write) -> None:
    loaded = load(write(MINIMAL), {"REDIS_HOST": "", "JWT_SECRET": " "})
    assert loaded.config.redis is None
    assert [notice for notice in loaded.notices if "is empty: ignored" in notice] == list(loaded.notices)


def test_the_secret_of_version_1_stays_in_memory(write: Write) -> None:
    loaded = load(write("{}"), {"JWT_SECRET": "hunter2-hunter2"})
    jwt = loaded.config.auth.jwt
    assert jwt is not None
    assert jwt.secret_file is not None
    assert loaded.secret("auth.jwt.secret_file", jwt.secret_file) == "hunter2-hunter2"
    assert jwt.algorithms == ["HS256"]
    assert "JWT_SECRET is deprecated" in loaded.notices[0]
    assert "hunter2" not in f"{loaded!r} {loaded.config.model_dump()}"


def test_only_the_environment_s_own_secret_is_found_there(write: Write) -> None:
    loaded = load(write("auth: {jwt: {secret_file: 'env:HOME'}}"), {"HOME": "/root"})
    with pytest.raises(ConfigError, match="env:HOME: No such file"):
        loaded.secret("auth.jwt.secret_file", "env:HOME")


def test_the_secret_of_version_1_does_not_replace_public_keys(write: Write) -> None:
    text = "auth: {jwt: {jwks_file: f, issuer: i, audience: a}}"
    loaded = load(write(text), {"JWT_SECRET": "hunter2"})
    assert loaded.config.auth.jwt is not None
    assert loaded.config.auth.jwt.secret_file is None
    assert "JWT_SECRET is ignored" in loaded.notices[0]


@pytest.mark.parametrize(("text", "said"), [("", "not configured"), ("redis: {hosts: [{host: r}]}", "is configured")])
def test_high_availability_is_no_switch_any_more(write: Write, text: str, said: str) -> None:
    [notice] = load(write(MINIMAL + text), {"HA_ENABLED": "true"}).notices
    assert "HA_ENABLED" in notice
    assert said in notice


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


@pytest.mark.parametrize(("content", "secret"), [("a b\r\n", "a b"), ("a\n\n", "a"), (" a ", " a ")])
def test_a_secret_file_loses_only_the_line_breaks_at_its_end(
    write: Write, tmp_path: Path, content: str, secret: str
) -> None:
    loaded = load(write(MINIMAL), {})
    (tmp_path / "key").write_bytes(content.encode())
    assert loaded.secret("here", "key") == secret


@pytest.mark.parametrize(("content", "said"), [(b"\n", "is empty"), (b"\xff", "not text"), (None, "No such file")])
def test_a_secret_file_that_holds_none_is_named(write: Write, tmp_path: Path, content: bytes | None, said: str) -> None:
    loaded = load(write(MINIMAL), {})
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(ConfigError, match=f"here: {tmp_path}/key: {said}"):
        loaded.secret("here", "key")


def test_a_server_for_its_own_user_needs_no_auth(tmp_path: Path, write: Write) -> None:
    assert not load(write("{}"), {}, auth_needed=False).config.auth.enabled
    assert load(write("auth: {api_keys_file: f}"), {}, auth_needed=False).config.auth.enabled
