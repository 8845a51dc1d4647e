"""Search by name: best matches first, page by page, the same for every entity.

Rows are ordered by how well they match and then by id, and a cursor is the place of a page's last row in that
order; so pages neither repeat nor skip rows that stay, whichever database host answers.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from mcp.server.mcpserver.exceptions import ToolError

from trinitycore_mcp.database.session import Row
from trinitycore_mcp.tools.world import World


@dataclass
class Search:
    """One search over one table."""

    world: World
    kind: str
    table: str
    key: str
    names: Sequence[str]
    """Columns to look in; the first one is the name, which ranks higher."""
    columns: Sequence[str]
    _conditions: list[str] = field(default_factory=list)
    _values: list[object] = field(default_factory=list)

    def where(self, condition: str, value: object) -> None:
        """Narrow the search, unless the value is None.

        :param condition: SQL with one %s.
        """
        if value is not None:
            self._conditions.append(condition)
            self._values.append(value)

    async def page(self, text: str | None, limit: int, cursor: str | None) -> tuple[list[Row], str | None]:
        """Return up to `limit` rows and the cursor of the next page.

        :raises ToolError: neither text nor a filter is given, the cursor belongs to another search, the table is
            missing, or the database can't be read.
        """
        text = (text or "").strip()
        if not text and not self._conditions:
            raise ToolError("give text or at least one filter")
        await self.world.schema(self.table)
        rank, rank_values = self._rank(text)
        conditions, values = list(self._conditions), list(self._values)
        if text:
            conditions.append("(" + " OR ".join(f"`{name}` LIKE %s ESCAPE '!'" for name in self.names) + ")")
            values += [f"%{_literal(text)}%"] * len(self.names)
        after, after_values = "", []
        if cursor is not None:
            place = self._read_cursor(cursor, text)
            after = f" HAVING match_rank > %s OR (match_rank = %s AND `{self.key}` > %s)"
            after_values = [place[0], place[0], place[1]]
        columns = ", ".join(f"`{column}`" for column in self.columns)
        rows = await self.world.fetch(
            self.kind,
            f"SELECT {columns}, {rank} AS match_rank FROM {self.world.table(self.table)} "
            f"WHERE {' AND '.join(conditions)}{after} ORDER BY match_rank, `{self.key}` LIMIT %s",
            (*rank_values, *values, *after_values, limit + 1),
        )
        more = len(rows) > limit
        rows = rows[:limit]
        return rows, self._write_cursor(text, rows[-1]) if more else None

    def _rank(self, text: str) -> tuple[str, list[object]]:
        if not text:
            return "0", []
        name = self.names[0]
        literal = _literal(text)
        cases = f"WHEN `{name}` = %s THEN 0 WHEN `{name}` LIKE %s ESCAPE '!' THEN 1 WHEN `{name}` LIKE %s ESCAPE '!'"
        return f"CASE {cases} THEN 2 ELSE 3 END", [text, f"{literal}%", f"%{literal}%"]

    def _fingerprint(self, text: str) -> str:
        asked = json.dumps([self.table, text, self._conditions, self._values])
        return hashlib.sha256(asked.encode()).hexdigest()[:8]

    def _write_cursor(self, text: str, last: Row) -> str:
        place = [self._fingerprint(text), int(last["match_rank"]), int(last[self.key])]
        return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode()

    def _read_cursor(self, cursor: str, text: str) -> tuple[int, int]:
        try:
            fingerprint, rank, key = json.loads(base64.urlsafe_b64decode(cursor))
            place = int(rank), int(key)
        except (ValueError, TypeError):
            raise ToolError("cursor: not one of ours; pass next_cursor of the page before, unchanged") from None
        if fingerprint != self._fingerprint(text):
            raise ToolError("cursor: it belongs to another search; keep text and filters, or start without cursor")
        return place


def _literal(text: str) -> str:
    """Return the text with the wildcards of LIKE taken literally."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
