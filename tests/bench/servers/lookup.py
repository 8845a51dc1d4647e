"""The database lookup of the peers' servers: what a developer writes first, over the same driver as ours."""

from __future__ import annotations

import os
from typing import Any

import asyncmy
from asyncmy.cursors import DictCursor

_SQL = "SELECT ID AS id, Text AS text, NextPageID AS next FROM world.page_text WHERE ID = %s"


class Lookup:
    """Reads page_text by primary key, with or without keeping what it read."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._kept: dict[int, dict[str, Any]] = {}

    async def read(self, number: int) -> dict[str, Any]:
        """Return the row."""
        if self._pool is None:
            port = int(os.environ["BENCH_DB_PORT"])
            login = {"host": "127.0.0.1", "port": port, "user": "app_ro", "password": "app_ro"}
            self._pool = await asyncmy.create_pool(**login, maxsize=10, autocommit=True)
        async with self._pool.acquire() as connection, connection.cursor(cursor=DictCursor) as cursor:
            await cursor.execute(_SQL, (number,))
            row: dict[str, Any] = await cursor.fetchone()
            return row

    async def cached(self, number: int) -> dict[str, Any]:
        """Return the row, read once."""
        if number not in self._kept:
            self._kept[number] = await self.read(number)
        return self._kept[number]
