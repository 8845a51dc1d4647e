# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file that Redis itself rewrites (CONFIG REWRITE, Sentinel): here only its replication line matters."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

HEADER = """\
# Redis keeps here what changes while it runs, such as its primary (CONFIG REWRITE).
# Settings belong in the file below /etc that is read after this one and wins.
"""
DIRECTIVES = ("replicaof", "slaveof")


def replication_line(address: str | None, port: int) -> str:
    """Return the line that makes a server a replica of ``address``; empty for a primary."""
    return f"replicaof {address} {port}\n" if address else ""


def with_primary(text: str | None, address: str | None, port: int) -> str:
    """Return the file's text with ``address`` as primary (None: the server is primary itself).

    :param text: what the file holds now, None if there is none.
    """
    lines = (HEADER if text is None else text).splitlines(keepends=True)
    kept = [line for line in lines if line.split(" ", 1)[0].strip().lower() not in DIRECTIVES]
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return "".join(kept) + replication_line(address, port)


def stated_primary(text: str) -> str | None:
    """Return the address that the file names as primary, None if it names none."""
    for line in text.splitlines():
        words = line.split()
        if words and words[0].lower() in DIRECTIVES and words[1:] != ["no", "one"]:
            return words[1]
    return None


def write(path: Path, text: str, user: str) -> None:
    """Replace the file in one step; it belongs to ``user`` and nobody else may read it."""
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w") as stream:
        stream.write(text)
        os.fsync(stream.fileno())
    shutil.chown(partial, user, user)
    partial.replace(path)
