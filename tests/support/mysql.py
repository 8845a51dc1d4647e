"""A throwaway Oracle MySQL on loopback for tests, from the lab's image of it: Debian has it in sid only.

Its programs run by the image's own loader and C library, without a container; the image is built when it is missing.
"""

from __future__ import annotations

import atexit
import functools
import shlex
import shutil
import tempfile
from pathlib import Path

from ansible_collections.trinitycore.mcp.plugins.module_utils.nspawn import image

from tests.support.database_server import DatabaseServer


@functools.cache
def tree() -> Path:
    """Return the image's file tree.

    :raises LabError: it is missing and can't be built.
    """
    return image.build(image.recipe("mysql"), image.default_cache())


def program(name: str) -> list[str]:
    """Return the command that runs a program of the image, such as ``usr/bin/mysql``."""
    root = tree()
    libraries = f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib/mysql/private"
    return [f"{root}/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, f"{root}/{name}"]


@functools.cache
def commands() -> Path:
    """Return a directory, for PATH, with the commands of the package mysql-client."""
    folder = Path(tempfile.mkdtemp(prefix="mysql-bin-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("mysql", "mysqldump", "mysqlbinlog"):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(program(f"usr/bin/{name}"))} "$@"\n')
        script.chmod(0o755)
    return folder


def _mysqld() -> list[str]:
    root = tree()
    return [
        *(*program("usr/sbin/mysqld"), "--no-defaults", f"--basedir={root}/usr"),
        *(f"--lc-messages-dir={root}/usr/share/mysql", f"--character-sets-dir={root}/usr/share/mysql/charsets"),
        *(f"--plugin-dir={root}/usr/lib/mysql/plugin", "--innodb-redo-log-capacity=16M"),
    ]


class MySql(DatabaseServer):
    """Oracle MySQL."""

    @staticmethod
    def installer() -> list[str]:
        """Return the command that makes a data directory, with a root who needs no password."""
        return [*_mysqld(), "--initialize-insecure"]

    @staticmethod
    def daemon() -> list[str]:
        """Return the command, with GTID and the plugins that our role loads."""
        return [
            *(*_mysqld(), "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--mysqlx=OFF", "--secure-file-priv=NULL"),
            "--plugin-load-add=semisync_source.so;semisync_replica.so;mysql_clone.so",
        ]

    @staticmethod
    def client() -> list[str]:
        """Return the command of its client."""
        return program("usr/bin/mysql")

    def position(self) -> str:
        """Return `gtid_executed`."""
        return self.sql("SELECT REPLACE(@@GLOBAL.gtid_executed, '\\n', '')")[0][0]

    def account(self, user: str, password: str, grants: str = "SELECT ON *.*", require: str = "NONE") -> None:
        """Make it, or make it anew."""
        self.sql(
            f"DROP USER IF EXISTS '{user}'@'%'; CREATE USER '{user}'@'%' IDENTIFIED BY '{password}' REQUIRE {require};"
            f"GRANT {grants} TO '{user}'@'%'"
        )

    def replicate_from(self, primary: MySql, timeout: float = 20.0) -> None:
        """Make this server a read-only replica by GTID and wait until it has all that the primary has."""
        primary.account("replication", "replication", "REPLICATION SLAVE ON *.*")
        self.arguments = [*self.arguments, "--super-read-only=ON"]  # also after a restart
        self.sql(
            "SET GLOBAL super_read_only = ON; "
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={primary.port}, "
            "SOURCE_USER='replication', SOURCE_PASSWORD='replication', SOURCE_AUTO_POSITION=1, SOURCE_SSL=1; "
            "START REPLICA"
        )
        self.wait_for_gtid(primary.position(), timeout)

    def delay(self, seconds: int) -> None:
        """Set it for the source."""
        self.sql(f"STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_DELAY={seconds}; START REPLICA")

    def wait_for_gtid(self, position: str, timeout: float = 20.0) -> None:
        """Wait in the server."""
        if self.sql(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{position}', {timeout})") != [["0"]]:
            raise TimeoutError(f"replica on port {self.port} has not reached {position}")
