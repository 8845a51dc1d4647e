"""Which backups stay."""

from __future__ import annotations

import datetime
import shutil
import time

from .config import Config
from .storage import UTC, backups, is_readable


def prune(config: Config) -> list[str]:
    """Delete backups beyond both count and age; the newest one that can be read always stays. Returns what went."""
    known = backups(config)
    horizon = time.time() - config.keep_days * 86400
    good = [path for path in known if is_readable(path)]
    keep = set(known[-config.keep_count :]) | set(good[-1:])
    gone = []
    for path in known:
        made = datetime.datetime.strptime(path.name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if path not in keep and made.timestamp() < horizon:
            shutil.rmtree(path)
            gone.append(path.name)
    return gone
