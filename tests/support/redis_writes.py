"""Write to Redis the way the server does, and say what became of it.

On an app host, by the server's Python: `python redis_writes.py FOLDER` adds numbers to a set through the server's own
link, fifty a second, from when there is FOLDER/started until there is FOLDER/stop, and prints one JSON object (see
Report).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from trinitycore_mcp import config_load
from trinitycore_mcp.redis_link import RedisAway, RedisLink, settings_from


@dataclass
class Report:
    """What was seen."""

    acknowledged: int = 0
    lost: int = 0
    """Acknowledged numbers that are not there."""
    longest_pause: float = 0.0
    """Seconds between two acknowledged numbers."""


async def main(folder: Path) -> None:
    """Write until told to stop."""
    settings = settings_from(config_load.load(Path("/etc/trinitycore-mcp/config.yml")))
    link, report, acknowledged = RedisLink(settings), Report(), set()
    key = link.key("test:written")
    async with link.running():
        while not link.up:
            await link.changed()
        await link.client.delete(key)
        (folder / "started").touch()
        last = time.monotonic()
        number = 0
        while not (folder / "stop").exists() or not link.up:
            number += 1
            try:
                await link.client.sadd(key, number)
            except RedisAway:
                pass
            else:
                acknowledged.add(number)
                report.longest_pause = max(report.longest_pause, time.monotonic() - last)
                last = time.monotonic()
            await asyncio.sleep(0.02)
        found = {int(member) for member in await link.client.smembers(key)}
        await link.client.delete(key)
    report.acknowledged, report.lost = len(acknowledged), len(acknowledged - found)
    print(json.dumps(asdict(report)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
