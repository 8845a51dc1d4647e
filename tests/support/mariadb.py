"""A throwaway MariaDB on loopback for tests: Debian's own binaries.

    with MariaDb.start(tmp_path / "db") as server:
        server.sql("CREATE DATABASE world")
        server.load("world", Path("world.sql"))
        connect("127.0.0.1", server.port, "app_ro", ...)

Primary and replica:

    with MariaDb.start(a, server_id=1) as primary, MariaDb.start(b, server_id=2) as replica:
        replica.replicate_from(primary)
"""

from __future__ import annotations

from tests.support.binaries import binary
from tests.support.database_server import DatabaseServer


class MariaDb(DatabaseServer):
    """MariaDB."""

    @staticmethod
    def installer() -> list[str]:
        """Return the command that makes a data directory, with a root who needs no password."""
        return [
            *(binary("mariadb-install-db"), "--no-defaults", "--skip-test-db"),
            *("--auth-root-authentication-method=normal", "--skip-name-resolve", "--innodb-log-file-size=8M"),
        ]

    @staticmethod
    def daemon() -> list[str]:
        """Return the command, with GTID in strict mode."""
        return [
            *(binary("mariadbd"), "--no-defaults", "--innodb-log-file-size=8M", "--performance-schema=OFF"),
            *("--binlog-format=ROW", "--gtid-strict-mode", "--log-slave-updates"),
        ]

    @staticmethod
    def client() -> list[str]:
        """Return the command of its client."""
        return [binary("mariadb")]

    def position(self) -> str:
        """Return `gtid_binlog_pos`, which replicas' transactions are in as well."""
        return self.sql("SELECT @@gtid_binlog_pos")[0][0]

    def account(self, user: str, password: str, grants: str = "SELECT ON *.*", require: str = "NONE") -> None:
        """Make it, or make it anew."""
        self.sql(
            f"CREATE OR REPLACE USER '{user}'@'%' IDENTIFIED BY '{password}' REQUIRE {require};"
            f"GRANT {grants} TO '{user}'@'%'"
        )

    def replicate_from(self, primary: MariaDb, timeout: float = 20.0) -> None:
        """Make this server a read-only replica by GTID and wait until it has all that the primary has."""
        primary.account("replication", "replication", "REPLICATION SLAVE ON *.*")
        self.arguments = [*self.arguments, "--read-only=ON"]  # also after a restart
        self.sql(
            "SET GLOBAL read_only = ON; "
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='replication', "
            "MASTER_PASSWORD='replication', MASTER_USE_GTID=slave_pos; START SLAVE"
        )
        self.wait_for_gtid(primary.position(), timeout)

    def delay(self, seconds: int) -> None:
        """Set it for the source."""
        self.sql(f"STOP REPLICA; CHANGE MASTER TO MASTER_DELAY={seconds}; START REPLICA")

    def wait_for_gtid(self, position: str, timeout: float = 20.0) -> None:
        """Wait in the server."""
        if self.sql(f"SELECT MASTER_GTID_WAIT('{position}', {timeout})") != [["0"]]:
            raise TimeoutError(f"replica on port {self.port} has not reached {position}")
