"""The program trinitycore-backup against real servers: what it saves comes back, and bad backups are refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from roles.backup.files.trinitycore_backup.config import Config
from roles.backup.files.trinitycore_backup.dump_file import file_sha256
from roles.backup.files.trinitycore_backup.manifest import write_manifest
from roles.backup.files.trinitycore_backup.retention import prune
from roles.backup.files.trinitycore_backup.server_kind import KINDS
from roles.backup.files.trinitycore_backup.session import Login
from roles.backup.files.trinitycore_backup.storage import backups, find, locked
from tests.support.database_server import DatabaseServer
from tests.support.database_servers import SERVERS, kind_of
from tests.support.mysql import commands

PROGRAM = Path(__file__).parents[3] / "roles/backup/files/trinitycore-backup"
SCHEMA = r"""
CREATE DATABASE mcp; CREATE DATABASE `wor_ld`;
CREATE TABLE mcp.audit (id INT PRIMARY KEY);
INSERT INTO mcp.audit VALUES (1), (2);
CREATE TABLE mcp.deployment_record (name VARCHAR(20) PRIMARY KEY);
INSERT INTO mcp.deployment_record VALUES ('history');
USE `wor_ld`;
CREATE TABLE creature (entry INT PRIMARY KEY, name TEXT, raw BLOB, scale FLOAT,
  changed TIMESTAMP NOT NULL DEFAULT '2026-01-02 03:04:05');
INSERT INTO creature (entry, name, raw, scale) VALUES
  (1, 'line one\nline two', x'00ff27', 1.1),
  (2, "(3,'looks like a row'),\n(4,'and another');", x'', NULL),
  (3, '-- Current Database: `mcp`', NULL, 0.333333);
CREATE TABLE `odd ``name` (a INT);
INSERT INTO `odd ``name` VALUES (1),(1),(NULL);
CREATE TABLE nothing (a INT);
CREATE TABLE log (what TEXT);
CREATE VIEW big AS SELECT entry FROM creature WHERE scale > 1;
DELIMITER //
CREATE TRIGGER creature_log AFTER INSERT ON creature FOR EACH ROW
BEGIN
INSERT INTO `log` VALUES ('not a row of the dump');
END//
CREATE PROCEDURE fill()
BEGIN
INSERT INTO `log` VALUES
('neither');
END//
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM log//
DELIMITER ;
"""


@dataclass
class Host:
    """A server with the program and its configuration."""

    server: DatabaseServer
    folder: Path

    @property
    def flavor(self) -> str:
        return kind_of(self.server)

    def configure(self, **changes: Any) -> None:
        credentials = self.folder / "credentials.cnf"
        credentials.touch(0o600)
        credentials.write_text(f"[client]\nuser=backup\npassword=secret\nsocket={self.server.directory}/s\n")
        values = {
            "flavor": self.flavor,
            "directory": str(self.folder / "backups"),
            "databases": ["mcp", "wor_ld", "absent"],
            "ignore_tables": ["mcp.deployment_record"],
            "credentials": str(credentials),
            "socket": self.server.socket,
            "keep_count": 3,
            "keep_days": 7,
            "minimum_free_mb": 1,
            "compression_level": 3,
            "checksums": True,
            "metrics_file": str(self.folder / "backup.prom"),
        }
        (self.folder / "config.json").write_text(json.dumps({**values, **changes}))

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PROGRAM), "--config", str(self.folder / "config.json"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment())

    def environment(self) -> dict[str, str]:
        """Return one in which the server's own client programs are found."""
        programs = f"{commands()}:" if self.flavor == "mysql" else ""
        return {**os.environ, "PATH": f"{programs}{os.environ['PATH']}"}

    def ok(self, *arguments: str) -> dict[str, Any]:
        done = self.start(*arguments)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def refused(self, *arguments: str) -> str:
        done = self.start(*arguments)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def metrics(self) -> dict[str, float]:
        lines = (self.folder / "backup.prom").read_text().splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name.removeprefix("trinitycore_backup_"): float(value) for name, value in pairs}


@pytest.fixture(scope="module", params=sorted(KINDS))
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DatabaseServer, DatabaseServer]]:
    kind = SERVERS[request.param]
    routines = {"mariadb": "SELECT ON mysql.proc", "mysql": "SHOW_ROUTINE ON *.*"}[request.param]
    with (
        kind.start(tmp_path_factory.mktemp("s"), server_id=1) as source,
        kind.start(tmp_path_factory.mktemp("t"), server_id=2) as target,
    ):
        source.sql(SCHEMA)
        source.sql(
            "CREATE USER backup@localhost IDENTIFIED BY 'secret';"
            f"GRANT {routines} TO backup@localhost;"
            "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON mcp.* TO backup@localhost;"
            r"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `wor\_ld`.* TO backup@localhost"
        )
        yield source, target


@pytest.fixture
def source(servers: tuple[DatabaseServer, DatabaseServer], tmp_path: Path) -> Host:
    (tmp_path / "source").mkdir()
    host = Host(servers[0], tmp_path / "source")
    host.configure()
    return host


@pytest.fixture
def target(servers: tuple[DatabaseServer, DatabaseServer], tmp_path: Path) -> Host:
    (tmp_path / "target").mkdir()
    servers[1].sql("DROP DATABASE IF EXISTS mcp; DROP DATABASE IF EXISTS `wor_ld`")
    host = Host(servers[1], tmp_path / "target")
    host.configure()
    return host


def checksums(server: DatabaseServer) -> list[list[str]]:
    return server.sql("CHECKSUM TABLE mcp.audit, wor_ld.creature, wor_ld.`odd ``name`, wor_ld.nothing, wor_ld.log")


def test_a_backup_comes_back_whole(source: Host, target: Host) -> None:
    made = source.ok("run")
    assert made["databases"] == ["mcp", "wor_ld"]
    assert made["rows"] == 8
    assert made["gtid_position"] == source.server.position()
    assert made["checksums"] == "CHECKSUM TABLE in the dump's own snapshot"
    assert source.ok("verify", "latest")["ok"]

    plan = target.ok("restore", made["backup"], "--plan")
    assert plan["would_restore"] == ["mcp", "wor_ld"]
    assert target.server.sql("SHOW DATABASES LIKE 'mcp'") == []

    restored = target.ok("restore", made["backup"])
    assert restored["databases"] == {
        "mcp": {"tables": 1, "rows": 2, "checksums_equal": 1},
        "wor_ld": {"tables": 4, "rows": 6, "checksums_equal": 4},
    }
    assert checksums(source.server) == checksums(target.server)
    for query in (
        "SELECT entry, name, HEX(raw), changed FROM wor_ld.creature ORDER BY entry",
        "SELECT * FROM wor_ld.big",
        "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = 'wor_ld'",
        "SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema = 'wor_ld'",
        "SELECT event_name, event_definition FROM information_schema.events WHERE event_schema = 'wor_ld'",
    ):
        assert source.server.sql(query) == target.server.sql(query) != [], query
    # What belongs to a deployment was not in the backup.
    assert target.server.sql("SHOW TABLES FROM mcp LIKE 'deployment_record'") == []


EVERY_TYPE = r"""
CREATE TABLE mcp.types (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, tiny TINYINT, small SMALLINT(5) ZEROFILL, medium MEDIUMINT,
  number DECIMAL(30,10), single FLOAT, fixed FLOAT(10,4), twice DOUBLE, flags BIT(12), y YEAR, d DATE, t TIME(6),
  dt DATETIME(6), ts TIMESTAMP(3) NULL, c CHAR(8), v VARCHAR(200) CHARACTER SET latin1,
  body LONGTEXT CHARACTER SET utf8mb3 COLLATE utf8mb3_bin, b BINARY(4), vb VARBINARY(20), bl LONGBLOB,
  e ENUM('a','b,c','it''s'), s SET('x','y','z'), j JSON, u UUID, i INET6, g POINT,
  twofold INT AS (tiny * 2) STORED, `hidden one` INT INVISIBLE DEFAULT 3, UNIQUE (vb)
);
INSERT INTO mcp.types
  (tiny, small, medium, number, single, fixed, twice, flags, y, d, t, dt, ts, c, v, body, b, vb, bl, e, s, j, u, i, g)
VALUES
 (-128, 7, 8388607, 12345678901234567890.0123456789, 1/3, 1/3, 1e0/3, b'101', 2026, '0000-00-00', '-838:59:59.5',
  '9999-12-31 23:59:59.999999', '2026-07-01 12:00:00.123', ' pad  ',
  CONCAT('caf', _latin1 x'e9', CHAR(10), 'x', CHAR(13), CHAR(0), CHAR(26), '\\\\', '''', '"%s {}'), _utf8mb3 'жена',
  x'00', x'', REPEAT(x'27005c0a', 500), 'it''s', 'x,z', '{"k": [1, "\\n"]}', UUID(), '::1', POINT(1.5, -2)),
 (0, 0, 0, 0, -0e0, 0, -0e0, 0, NULL, NULL, NULL, NULL, NULL, '', '', '', '', x'00', '', NULL, '', NULL, NULL, NULL,
  NULL),
 (1, 1, 1, 1, 3.4028234e38, 99999.9999, 2.2250738585072014e-308, 1, 1901, '2026-02-28', '1', '2026-02-28', NULL, 'é',
  '€', '終', 'a', 'b', 'c', 'b,c', 'y', '1', NULL, NULL, NULL);
INSERT INTO mcp.types (single, twice, fixed)
  SELECT RAND(seq) * POW(10, seq % 60 - 30), RAND(seq) * POW(10, seq % 600 - 300), RAND() * 1000 FROM mcp.numbers;
"""


def test_every_type_comes_back_to_the_last_bit(source: Host, target: Host) -> None:
    source.server.sql(
        "CREATE TABLE mcp.numbers (seq INT PRIMARY KEY); INSERT INTO mcp.numbers"
        " WITH RECURSIVE n AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM n WHERE seq < 900) SELECT seq FROM n"
    )
    every_type = EVERY_TYPE
    if source.flavor == "mysql":  # which lacks two of the types
        every_type = every_type.replace("u UUID, i INET6", "u CHAR(36), i VARCHAR(39)")
    source.server.sql("SET sql_mode = ''; SET NAMES utf8mb4;" + every_type)
    try:
        restored = target.ok("restore", source.ok("run")["backup"], "--databases", "mcp")
        assert restored["databases"]["mcp"] == {"tables": 3, "rows": 1805, "checksums_equal": 3}
        shown = (
            "SELECT id, tiny, small, number, CAST(single AS DOUBLE), fixed, twice + 0e0, HEX(flags), y, d, t, dt, ts, "
            "c, v, HEX(body), HEX(b), HEX(vb), HEX(bl), e, s, j, u, i, ST_AsText(g), twofold, `hidden one` "
            "FROM mcp.types ORDER BY id"
        )
        assert source.server.sql(shown) == target.server.sql(shown)
        ddl = "SHOW CREATE TABLE mcp.types"
        assert source.server.sql(ddl) == target.server.sql(ddl)
    finally:
        source.server.sql("DROP TABLE mcp.types, mcp.numbers")


def test_nothing_is_replaced_unless_named(source: Host, target: Host) -> None:
    made = source.ok("run")["backup"]
    target.server.sql(
        "CREATE DATABASE mcp; CREATE TABLE mcp.deployment_record (name VARCHAR(20)); "
        "INSERT INTO mcp.deployment_record VALUES ('target'); "
        "CREATE TABLE mcp.audit (id INT); CREATE TABLE mcp.own (id INT);"
        "CREATE DATABASE `wor_ld`; CREATE TABLE `wor_ld`.precious (id INT)"
    )
    assert "mcp, wor_ld hold(s) tables; nothing was changed" in target.refused("restore", made)
    assert "wor_ld hold(s) tables" in target.refused("restore", made, "--replace", "mcp")
    assert target.server.sql("SHOW TABLES FROM wor_ld") == [["precious"]]

    restored = target.ok("restore", made, "--replace", "mcp,wor_ld")
    assert restored["replaced"] == ["mcp", "wor_ld"]
    assert checksums(source.server) == checksums(target.server)
    assert target.server.sql("SHOW TABLES FROM mcp") == [["audit"], ["deployment_record"]]
    assert target.server.sql("SELECT name FROM mcp.deployment_record") == [["target"]]
    assert target.server.sql("SHOW DATABASES LIKE '%rehearsal'") == []
    assert "rehearsal" not in str(target.server.sql("SHOW BINLOG EVENTS")), "replicas must not rehearse"


def test_a_database_of_our_own_records_counts_as_empty(source: Host, target: Host) -> None:
    target.server.sql("CREATE DATABASE mcp; CREATE TABLE mcp.deployment_record (name VARCHAR(20))")
    assert target.ok("restore", source.ok("run")["backup"], "--databases", "mcp")["replaced"] == []


def test_a_dump_that_does_not_load_drops_nothing(source: Host, target: Host) -> None:
    """The manifest is right and the bytes are right, but the server refuses a statement."""
    made = Path(source.ok("run")["backup"])
    file = made / "wor_ld.sql.zst"
    plain = subprocess.run(["zstd", "-dc", str(file)], capture_output=True, check=True).stdout
    file.write_bytes(
        subprocess.run(
            ["zstd", "-c"],
            input=plain.replace(b"CREATE TABLE `log`", b"CREATE TABLE `log` NONSENSE"),
            capture_output=True,
            check=True,
        ).stdout
    )
    manifest = json.loads((made / "manifest.json").read_text())
    entry = manifest["databases"]["wor_ld"]
    entry.update(size=file.stat().st_size, sha256=file_sha256(file))
    entry["tables"].pop("log")
    write_manifest(made, manifest)
    target.server.sql("CREATE DATABASE `wor_ld`; CREATE TABLE `wor_ld`.precious (id INT)")
    said = target.refused("restore", str(made), "--databases", "wor_ld", "--replace", "wor_ld")
    assert "NONSENSE" in said
    assert target.server.sql("SHOW TABLES FROM wor_ld") == [["precious"]]
    assert target.server.sql("SHOW DATABASES LIKE '%rehearsal'") == []


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 10)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "name", "said"),
    [
        (truncate, "wor_ld.sql.zst", "cut short or damaged"),
        (flip, "wor_ld.sql.zst", "is damaged: its checksum differs"),
        (Path.unlink, "mcp.sql.zst", "No such file"),
        (Path.unlink, "manifest.json", "is no complete backup"),
        (truncate, "manifest.json", "is no complete backup"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_changes(
    source: Host, target: Host, damage: Any, name: str, said: str
) -> None:
    made = Path(source.ok("run")["backup"])
    damage(made / name)
    target.server.sql("CREATE DATABASE `wor_ld`; CREATE TABLE `wor_ld`.precious (id INT)")
    assert said in source.refused("verify", made.name)
    assert said in target.refused("restore", str(made), "--replace", "wor_ld")
    assert target.server.sql("SHOW TABLES FROM wor_ld") == [["precious"]]
    assert target.server.sql("SHOW DATABASES LIKE 'mcp'") == []


def test_an_altered_manifest_is_refused(source: Host) -> None:
    made = Path(source.ok("run")["backup"])
    manifest = (made / "manifest.json").read_text()
    (made / "manifest.json").write_text(manifest.replace('"rows": 3', '"rows": 2', 1))
    assert "altered or damaged" in source.refused("verify", made.name)


def test_rows_that_are_missing_from_a_dump_are_noticed(source: Host) -> None:
    """Checksum and size agree with the manifest, but the dump ends early: it was cut short when it was made."""
    made = Path(source.ok("run")["backup"])
    file = made / "wor_ld.sql.zst"
    plain = subprocess.run(["zstd", "-dc", str(file)], capture_output=True, check=True).stdout
    file.write_bytes(
        subprocess.run(["zstd", "-c"], input=plain[: len(plain) // 2], capture_output=True, check=True).stdout
    )
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["databases"]["wor_ld"].update(size=file.stat().st_size, sha256=file_sha256(file))
    write_manifest(made, manifest)
    assert "lacks its closing line" in source.refused("verify", made.name)


def test_writes_during_the_dump_stay_out_of_it(source: Host, target: Host) -> None:
    """A writer runs all the time; tables that are written in one transaction are equal in the backup."""
    source.server.sql(
        "CREATE TABLE IF NOT EXISTS mcp.twin (id INT AUTO_INCREMENT PRIMARY KEY);"
        "CREATE TABLE IF NOT EXISTS wor_ld.twin (id INT AUTO_INCREMENT PRIMARY KEY)"
    )
    program = (
        "i=0; while [ $i -lt 400 ]; do echo 'BEGIN; INSERT INTO mcp.twin VALUES (); "
        "INSERT INTO wor_ld.twin VALUES (); COMMIT;';"
        " i=$((i+1)); sleep 0.005; done"
    )
    client = source.server.command()
    try:
        with (
            subprocess.Popen(["sh", "-c", program], stdout=subprocess.PIPE) as writer,
            subprocess.Popen([*client, "--unbuffered"], stdin=writer.stdout),
        ):
            time.sleep(0.3)
            made = source.ok("run")
        rows = {
            database: entry["tables"]["twin"]["rows"]
            for database, entry in json.loads((Path(made["backup"]) / "manifest.json").read_text())["databases"].items()
        }
        assert rows["mcp"] == rows["wor_ld"]
        assert 0 < rows["mcp"] < 400
        restored = target.ok("restore", made["backup"])
        assert restored["databases"]["wor_ld"]["rows"] == 6 + rows["mcp"]
    finally:
        source.server.sql("DROP TABLE mcp.twin; DROP TABLE wor_ld.twin")


def test_tables_without_transactions_are_named(source: Host, target: Host) -> None:
    source.server.sql("CREATE TABLE mcp.old (id INT) ENGINE=MyISAM; INSERT INTO mcp.old VALUES (1)")
    try:
        done = source.start("run")
        assert "mcp.old is of an engine without snapshots" in done.stderr
        assert source.metrics()["tables_outside_snapshot"] == 1
        restored = target.ok("restore", json.loads(done.stdout)["backup"])
        assert restored["databases"]["mcp"] == {"tables": 2, "rows": 3, "checksums_equal": 1}
    finally:
        source.server.sql("DROP TABLE mcp.old")


def test_a_replica_and_a_read_only_server_refuse_a_restore(source: Host, target: Host) -> None:
    made = source.ok("run")["backup"]
    target.server.sql("SET GLOBAL read_only = 1")
    try:
        assert "read-only, so it is not the primary" in target.refused("restore", made)
        assert target.ok("restore", made, "--allow-read-only")["databases"]
        target.server.sql(
            {
                "mariadb": "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=1, MASTER_USER='x'",
                "mysql": "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1, SOURCE_USER='x'",
            }[target.flavor]
        )
        assert "is a replica" in target.refused("restore", made, "--allow-read-only", "--replace", "mcp,wor_ld")
    finally:
        target.server.sql("RESET REPLICA ALL; SET GLOBAL read_only = 0")


def test_metrics_tell_of_success_and_failure(source: Host) -> None:
    before = time.time()
    made = source.ok("run")
    good = source.metrics()
    assert good["last_run_success"] == 1
    assert good["last_success_timestamp_seconds"] == pytest.approx(before, abs=30)
    assert good["last_success_size_bytes"] == made["size"]
    assert good["backups"] == 1

    source.configure(databases=["nowhere"])
    assert "none of the databases nowhere exists" in source.refused("run")
    bad = source.metrics()
    assert bad["last_run_success"] == 0
    assert bad["last_success_timestamp_seconds"] == good["last_success_timestamp_seconds"]

    source.configure()
    source.ok("run", "--no-metrics")
    assert source.metrics() == bad


def test_a_failed_run_leaves_no_backup_behind(source: Host) -> None:
    source.server.sql("CREATE VIEW mcp.dead AS SELECT id FROM mcp.audit; RENAME TABLE mcp.audit TO mcp.audit_away")
    try:
        assert re.search("(mariadb-|mysql)dump: ", source.refused("run"))
    finally:
        source.server.sql("RENAME TABLE mcp.audit_away TO mcp.audit; DROP VIEW mcp.dead")
    assert [path.name for path in (source.folder / "backups").iterdir()] == [".lock"]


def test_no_two_runs_at_once(source: Host) -> None:
    source.ok("run")
    config = Config.read(source.folder / "config.json")
    with locked(config):
        done = source.start("run")
    assert done.returncode == 75
    assert "another run is under way" in done.stderr


def test_a_full_disk_is_not_filled(source: Host) -> None:
    free = shutil.disk_usage(source.folder).free >> 20
    source.configure(minimum_free_mb=free + 10_000)
    assert f"is to leave {free + 10_000} MiB" in source.refused("run")


def test_passwords_stay_out_of_arguments(source: Host) -> None:
    login = Login(KINDS["mariadb"], "/s", source.folder / "credentials.cnf")
    assert "secret" not in " ".join(login.arguments())


def test_retention_keeps_count_age_and_the_last_good_one(source: Host) -> None:
    made = Path(source.ok("run")["backup"])
    folder = made.parent
    names = [f"202001{day:02}T000000Z" for day in range(1, 7)]
    for name in names:
        shutil.copytree(made, folder / name)
    shutil.rmtree(made)
    config = Config.read(source.folder / "config.json")
    assert prune(config) == names[:3], "older than keep_days and beyond keep_count"

    for name in names[4:]:  # the newest two are damaged: the last one that can be read must survive anything
        truncate(folder / name / "mcp.sql.zst")
    shutil.copytree(folder / names[4], folder / "20200201T000000Z")
    source.configure(keep_count=1, keep_days=0)
    assert prune(Config.read(source.folder / "config.json")) == names[4:]
    assert sorted(path.name for path in backups(config)) == [names[3], "20200201T000000Z"]
    assert find(config, "latest").name == names[3]
