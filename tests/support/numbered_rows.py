"""Write numbered rows the way the server does, and say what became of them.

On an app host, by the server's Python: `python numbered_rows.py SECONDS` prints one JSON object (see Report); elsewhere
with the path of a configuration after it. The rows stand in a table of our own database, made anew and dropped at the
end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from trinitycore_mcp import config_load
from trinitycore_mcp.database import Database, Writer
from trinitycore_mcp.database.errors import DatabaseError, OutcomeUnknown
from trinitycore_mcp.lifecycle.logins import reader_settings, writer_settings


@dataclass
class Report:
    """What was seen."""

    acknowledged: int = 0
    lost: int = 0
    """Acknowledged rows that are not there."""
    phantom: int = 0
    """Rows that are there though the write was told to have failed."""
    unknown: int = 0
    """Writes of which nobody could say what became of them."""
    refused: int = 0
    longest_pause: float = 0.0
    """Seconds between two acknowledged rows."""
    failed_reads: int = 0
    longest_read: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    """What failed writes and reads were told, and how often."""

    def failed(self, what: str, error: DatabaseError) -> None:
        """Count a failure."""
        reason = f"{what}: {error}"[:200]
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


async def _read(database: Database, report: Report, done: asyncio.Event) -> None:
    while not done.is_set():
        began = time.monotonic()
        try:
            await database.fetch("test", "SELECT COUNT(*) AS n FROM numbered_row WHERE id < %s", (100,))
        except DatabaseError as error:
            report.failed_reads += 1
            report.failed("read", error)
        report.longest_read = max(report.longest_read, time.monotonic() - began)
        await asyncio.sleep(0.01)


async def main(seconds: float, configuration: str = "/etc/trinitycore-mcp/config.yml") -> None:
    """Write for so long."""
    loaded = config_load.load(Path(configuration))
    settings = writer_settings(loaded)
    assert settings is not None
    report, done = Report(), asyncio.Event()
    database, reader = (
        Database(loaded.config.database, each)
        for each in (reader_settings(loaded), settings)  # the account that writes may read our own database too
    )
    writer = Writer(database, settings)
    acknowledged, unknown = set(), set()
    async with database.running(), reader.running(), writer.running():
        await writer.execute("test", "DROP TABLE IF EXISTS numbered_row")
        await writer.execute("test", "CREATE TABLE numbered_row (id INT PRIMARY KEY) ENGINE=InnoDB")
        await asyncio.sleep(1)
        reading = asyncio.create_task(_read(reader, report, done))
        last = began = time.monotonic()
        number = 0
        while time.monotonic() - began < seconds:
            number += 1
            try:
                await writer.execute("test", "INSERT INTO numbered_row VALUES (%s)", (number,))
            except OutcomeUnknown:
                unknown.add(number)
            except DatabaseError as error:
                report.refused += 1
                report.failed("write", error)
            else:
                acknowledged.add(number)
                report.longest_pause = max(report.longest_pause, time.monotonic() - last)
                last = time.monotonic()
        done.set()
        await reading
        rows = await writer.fetch("test", "SELECT id FROM numbered_row")
        found = {int(row["id"]) for row in rows}
        await writer.execute("test", "DROP TABLE numbered_row")
    report.acknowledged, report.unknown = len(acknowledged), len(unknown)
    report.lost, report.phantom = len(acknowledged - found), len(found - acknowledged - unknown)
    print(json.dumps(asdict(report)))


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), *sys.argv[2:]))
