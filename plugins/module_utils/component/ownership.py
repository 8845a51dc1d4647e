"""Owner, group and mode of a path."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import Any

from .accounts import group_id, user_id
from .errors import ComponentError

_MODE = re.compile(r"0?[0-7]{3,4}")


@dataclass(frozen=True)
class Ownership:
    """Wanted owner, group (names or numbers) and permission bits."""

    owner: str
    group: str
    mode: int

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Ownership:
        """From the options `owner`, `group` and `mode` of a directory or a file."""
        mode = str(entry["mode"])
        if not _MODE.fullmatch(mode):
            raise ComponentError(
                f"mode '{mode}' of {entry.get('dest') or entry.get('path')} is not octal such as '0644'"
            )
        return cls(entry["owner"], entry["group"], int(mode, 8))

    def drift(self, now: os.stat_result) -> list[str]:
        """What differs between `now` and the wanted state, in words; empty when nothing does."""
        differences: list[str] = []
        if user_id(self.owner) != now.st_uid:
            differences.append(f"owner {now.st_uid} -> {self.owner}")
        if group_id(self.group) != now.st_gid:
            differences.append(f"group {now.st_gid} -> {self.group}")
        if stat.S_IMODE(now.st_mode) != self.mode:
            differences.append(f"mode {stat.S_IMODE(now.st_mode):04o} -> {self.mode:04o}")
        return differences

    def ids(self) -> tuple[int, int]:
        """Numbers of owner and group; raises ComponentError when one doesn't exist."""
        uid, gid = user_id(self.owner), group_id(self.group)
        if uid is None:
            raise ComponentError(f"there is no user '{self.owner}' on this host")
        if gid is None:
            raise ComponentError(f"there is no group '{self.group}' on this host")
        return uid, gid

    def apply(self, path: str | int) -> None:
        """Give `path` (or an open descriptor) the wanted owner, group and mode."""
        uid, gid = self.ids()
        os.chown(path, uid, gid)
        os.chmod(path, self.mode)  # after chown, which clears set-id bits
