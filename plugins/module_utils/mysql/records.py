"""What deployment remembers, in a table of our own schema: never in a database of the game server."""

from __future__ import annotations

import json
from typing import Any

from .connection import Connection, quoted

TABLE = "deployment_record"
HISTORY = "history"


def create_table(server: Connection, schema: str) -> None:
    """Create the table if it is absent."""
    server.execute(
        f"CREATE TABLE IF NOT EXISTS {quoted(schema)}.{quoted(TABLE)} ("  # noqa: S608
        " name VARCHAR(190) CHARACTER SET ascii NOT NULL PRIMARY KEY,"
        " value LONGTEXT NOT NULL,"
        " changed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
        ") ENGINE=InnoDB CHARACTER SET utf8mb4 COMMENT 'what deployment remembers; not part of the application'"
    )


def table_exists(server: Connection, schema: str) -> bool:
    """Whether the table is there."""
    return bool(
        server.value(
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            [schema, TABLE],
        )
    )


def read(server: Connection, schema: str, name: str) -> dict[str, Any] | None:
    """Return a record, or None when it (or the table) is absent."""
    if not table_exists(server, schema):
        return None
    table = f"{quoted(schema)}.{quoted(TABLE)}"
    kept = server.value(f"SELECT value FROM {table} WHERE name = %s", [name])  # noqa: S608 - quoted above
    return None if kept is None else dict(json.loads(kept))


def write(server: Connection, schema: str, name: str, value: dict[str, Any]) -> None:
    """Set a record."""
    server.execute(
        f"INSERT INTO {quoted(schema)}.{quoted(TABLE)} (name, value) VALUES (%s, %s)"  # noqa: S608 - quoted
        " ON DUPLICATE KEY UPDATE value = VALUES(value)",
        [name, json.dumps(value, sort_keys=True)],
    )
