"""What a binary log's decoder (mariadb-binlog, mysqlbinlog) prints."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator

from .errors import DatabaseError


def lines(command: list[str]) -> Iterator[bytes]:
    """Run a decoder, and return its lines.

    :raises DatabaseError: it fails.
    """
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as decoder,
    ):
        yield from decoder.stdout or ()
        if decoder.wait() != 0:
            errors.seek(0)
            message = errors.read().decode(errors="replace").strip()
            raise DatabaseError(f"{' '.join(command)} failed: {message[-2000:]}")
