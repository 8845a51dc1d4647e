"""The manifest of a backup, and the backup checked against it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from .dump_file import END, RowCounter, decompressed, file_sha256
from .errors import BackupError

FORMAT = 1


def _seal(manifest: dict[str, Any]) -> str:
    body = {key: value for key, value in manifest.items() if key != "seal"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest with a checksum of itself."""
    sealed = {**manifest, "seal": _seal(manifest)}
    with (folder / "manifest.json").open("w") as stream:
        json.dump(sealed, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check a manifest.

    :raises BackupError: it is missing, damaged or of a newer format.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} is no complete backup: {error}") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{folder}: manifest of format {manifest.get('format')!r}, this program reads {FORMAT}")
    if manifest.get("seal") != _seal(manifest):
        raise BackupError(f"{folder}: the manifest was altered or damaged")
    return manifest


def verify(folder: Path) -> dict[str, Any]:
    """Check a backup against its manifest, to the last row, and return the manifest.

    :raises BackupError: something is missing, damaged or cut short.
    """
    manifest = read_manifest(folder)
    problems = []
    for database, entry in manifest["databases"].items():
        path = folder / entry["file"]
        try:
            _verify_file(path, database, entry)
        except (BackupError, OSError) as error:
            problems.append(str(error))
    if problems:
        raise BackupError("; ".join(problems))
    return manifest


def _verify_file(path: Path, database: str, entry: dict[str, Any]) -> None:
    if path.stat().st_size != entry["size"]:
        raise BackupError(f"{path} has {path.stat().st_size} bytes, not {entry['size']}: it is cut short or damaged")
    if file_sha256(path) != entry["sha256"]:
        raise BackupError(f"{path} is damaged: its checksum differs from the manifest's")
    counter, last = RowCounter(), b""
    with decompressed(path) as lines:
        for line in lines:
            counter.feed(line)
            last = line
    if last.rstrip() != f"{END}{database}".encode():
        raise BackupError(f"{path} lacks its closing line: it is cut short")
    wanted = {table: values["rows"] for table, values in entry["tables"].items()}
    if counter.tables != wanted:
        differing = sorted(set(counter.tables.items()) ^ set(wanted.items()))
        raise BackupError(f"{path} holds other rows than its manifest says: {differing[:5]}")
