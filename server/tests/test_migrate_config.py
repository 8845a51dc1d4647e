"""migrate-config: what a version 1 .env file becomes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from trinitycore_mcp import cli
from trinitycore_mcp.config_check import check_files
from trinitycore_mcp.config_load import Loaded, load

Migrate = Callable[..., Loaded]


@pytest.fixture
def migrate(tmp_path: Path) -> Migrate:
    """Migrate an .env of this text; the result must be a right configuration with all files it names."""

    def run(text: str, *options: str) -> Loaded:
        (tmp_path / ".env").write_text(text)
        output = tmp_path / "new" / "config.yml"
        assert cli.main(["migrate-config", str(tmp_path / ".env"), "--output", str(output), *options]) == 0
        loaded = load(output, {})
        assert check_files(loaded) == ([], [])
        return loaded

    return run


def test_a_whole_file_comes_over(migrate: Migrate, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "s" * 40
    loaded = migrate(f"""
# TrinityCore MCP Server
export TRINITY_DB_HOST=db.example.org
TRINITY_DB_PORT=3307
TRINITY_DB_USER='trinity'
TRINITY_DB_PASSWORD="p#ss \\"w$1"   # the game's
TRINITY_DB_WORLD=tc_world
TRINITY_DB_AUTH=tc_auth
TRINITY_DB_CHARACTERS=tc_characters
TRINITY_DB_POOL_SIZE=7
MCP_HOST=0.0.0.0
MCP_PORT=3000
METRICS_ENABLED=TRUE
PROMETHEUS_PORT=9465
AUTH_ENABLED=1
JWT_SECRET={secret}
JWT_ISSUER=https://login.example.org
JWT_AUDIENCE=mcp
JWT_ALGORITHM=HS256
API_KEYS=key-one, key-two
RATE_LIMIT_ENABLED=true
RATE_LIMIT_MAX_REQUESTS=100
RATE_LIMIT_WINDOW_MS=15000
REDIS_HOST=cache
REDIS_PORT=6380
REDIS_PASSWORD=`redis pass`
REDIS_DB=2
CACHE_TTL=30
LOG_LEVEL=warn
CORS_ORIGINS=https://a.example.org/,https://b.example.org
SENTRY_DSN=https://key@sentry.example.org/1
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
""")
    config = loaded.config
    database = config.database
    assert [(host.host, host.port) for host in database.hosts] == [("db.example.org", 3307)]
    assert (database.user, database.pool.size) == ("trinity", 7)
    assert database.password_file is not None
    assert loaded.secret("", database.password_file) == 'p#ss "w$1'
    names = database.databases
    assert (names.world, names.auth, names.characters) == ("tc_world", "tc_auth", "tc_characters")
    assert (config.server.host, config.server.port, config.metrics.port) == ("0.0.0.0", 3000, 9465)
    assert config.server.allowed_origins == ["https://a.example.org", "https://b.example.org"]
    jwt = config.auth.jwt
    assert jwt is not None
    assert jwt.secret_file is not None
    assert loaded.secret("", jwt.secret_file) == secret
    assert (jwt.issuer, jwt.audience, jwt.algorithms) == ("https://login.example.org", "mcp", ["HS256"])
    assert config.auth.api_keys_file is not None
    entries = yaml.safe_load(loaded.path(config.auth.api_keys_file).read_text())
    assert [entry["sha256"] for entry in entries] == [
        hashlib.sha256(key).hexdigest() for key in (b"key-one", b"key-two")
    ]
    assert (config.limits.default.requests, config.limits.default.period) == (100, 15.0)
    assert config.redis is not None
    assert [(host.host, host.port) for host in config.redis.hosts] == [("cache", 6380)]
    assert config.redis.password_file is not None
    assert loaded.secret("", config.redis.password_file) == "redis pass"
    assert (config.redis.database, config.cache.ttl, config.logging.level) == (2, 30.0, "WARNING")
    assert config.tracing.otlp_endpoint == "http://127.0.0.1:4318/v1/traces"
    assert config.sentry.dsn_file is not None
    said = capsys.readouterr()
    assert "not carried over" not in said.err
    text = (loaded.directory / "config.yml").read_text()
    for word in ("p#ss", secret, "key-one", "redis pass", "key@sentry"):
        assert word not in text + said.out + said.err


def test_secrets_are_in_files_for_us_alone(migrate: Migrate, tmp_path: Path) -> None:
    loaded = migrate("TRINITY_DB_PASSWORD=hunter2\nAPI_KEY=k\n", "--secrets-dir", str(tmp_path / "elsewhere"))
    assert loaded.config.database.password_file == str(tmp_path / "elsewhere" / "db_password")
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o700
    files = sorted((tmp_path / "elsewhere").iterdir())
    assert [path.name for path in files] == ["api_keys", "db_password"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_what_is_not_carried_over_is_named_without_its_value(
    migrate: Migrate, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = migrate("""
DBC_PATH=/hunter2
SOME_TOKEN=hunter2
DB_HOST=second
TRINITY_DB_HOST=first
JWT_ISSUER=hunter2
RATE_LIMIT_WINDOW_MS=1
REDIS_PASSWORD=hunter2
LOG_LEVEL=loud
CORS_ORIGIN=*
PORT: 12
HA_ENABLED=true
""")
    assert loaded.config.database.hosts[0].host == "first"
    assert loaded.config.redis is None
    said = capsys.readouterr().err
    assert "hunter2" not in said
    for line in (
        "DBC_PATH: not carried over: the server reads databases",
        "SOME_TOKEN: not carried over: nothing has this name any more",
        "DB_HOST: not carried over: TRINITY_DB_HOST is set too",
        "JWT_ISSUER, JWT_AUDIENCE: not carried over: need JWT_SECRET",
        "RATE_LIMIT_WINDOW_MS: not carried over",
        "REDIS_HOST is not set: nothing else about Redis was carried over",
        "LOG_LEVEL: 'loud' is not carried over",
        "CORS_ORIGIN: * is not carried over",
        ".env, line 11: not understood",
        "HA_ENABLED",
    ):
        assert line in said


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        ("MCP_PORT=3000", False),
        ("AUTH_ENABLED=false", False),
        ("AUTH_ENABLED=true", True),
        ("API_KEY=abc", True),
        (f"JWT_SECRET={'s' * 32}", True),
        (f"AUTH_ENABLED=false\nJWT_SECRET={'s' * 32}", False),
    ],
)
def test_nobody_gets_in_who_could_not_before(migrate: Migrate, text: str, enabled: bool) -> None:
    assert migrate(text).config.auth.enabled is enabled


def test_authentication_without_key_gets_a_new_one(migrate: Migrate) -> None:
    loaded = migrate("AUTH_ENABLED=true")
    key = (loaded.directory / "secrets" / "api_key").read_text().strip()
    entries = yaml.safe_load((loaded.directory / "secrets" / "api_keys").read_text())
    assert [entry["sha256"] for entry in entries] == [hashlib.sha256(key.encode()).hexdigest()]


@pytest.mark.parametrize(
    ("url", "host", "number", "password"),
    [
        ("redis://cache", ("cache", 6379), 0, None),
        ("redis://:p%40ss@cache:6380/3", ("cache", 6380), 3, "p@ss"),
    ],
)
def test_redis_by_url(migrate: Migrate, url: str, host: tuple[str, int], number: int, password: str | None) -> None:
    loaded = migrate(f"REDIS_URL={url}")
    redis = loaded.config.redis
    assert redis is not None
    assert [(each.host, each.port) for each in redis.hosts] == [host]
    assert redis.database == number
    assert (redis.password_file and loaded.secret("", redis.password_file)) == password


def test_nothing_is_overwritten_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env, output = tmp_path / ".env", tmp_path / "config.yml"
    env.write_text("TRINITY_DB_PASSWORD=new\n")
    output.write_text("mine")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "db_password").write_text("old")
    arguments = ["migrate-config", str(env), "--output", str(output)]
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/secrets/db_password, {output}: already there; --force overwrites" in said
    assert output.read_text() == "mine"
    assert (tmp_path / "secrets" / "db_password").read_text() == "old"
    assert cli.main([*arguments, "--force"]) == 0
    assert (tmp_path / "secrets" / "db_password").read_text() == "new\n"
    assert (tmp_path / "secrets" / "db_password").stat().st_mode & 0o777 == 0o600


def test_wrong_values_are_told_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env, output = tmp_path / ".env", tmp_path / "config.yml"
    env.write_text("MCP_PORT=high\nREDIS_PORT=0\nTRINITY_DB_PASSWORD=x\n")
    assert cli.main(["migrate-config", str(env), "--output", str(output)]) == 2
    said = capsys.readouterr().err
    assert "server.port: 'high' is not allowed" in said
    assert "redis.hosts.0.port: 0 is not allowed" in said
    assert list(tmp_path.iterdir()) == [env]


def test_an_absent_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["migrate-config", str(tmp_path / ".env")]) == 2
    assert ".env: No such file or directory" in capsys.readouterr().err
