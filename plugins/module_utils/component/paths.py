"""Directories, links and paths that must not be."""

from __future__ import annotations

import os
import shutil
import stat
from typing import Any

from .errors import ComponentError
from .ownership import Ownership
from .report import Report


def ensure_directory(entry: dict[str, Any], report: Report) -> None:
    """Create the directory of `entry` (keys of the option `directories`), mend owner, group, mode."""
    path: str = entry["path"]
    wanted = Ownership.of(entry)
    try:
        now = os.stat(path)
    except FileNotFoundError:
        if not report.check:
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            os.mkdir(path, 0o700)
            wanted.apply(path)
        report.note(f"create directory {path} ({entry['owner']}:{entry['group']} {wanted.mode:04o})")
        return
    if not stat.S_ISDIR(now.st_mode):
        raise ComponentError(f"{path} should be a directory but is a file")
    drift = wanted.drift(now)
    if drift:
        if not report.check:
            wanted.apply(path)
        report.note(f"change directory {path}: {', '.join(drift)}")


def ensure_link(entry: dict[str, Any], report: Report) -> None:
    """Make `path` a symbolic link to `target`, switched in one step; a directory is never replaced."""
    path: str = entry["path"]
    target: str = entry["target"]
    before = "absent"
    try:
        now = os.lstat(path)
    except FileNotFoundError:
        pass
    else:
        if stat.S_ISLNK(now.st_mode):
            before = os.readlink(path)
            if before == target:
                return
        elif stat.S_ISDIR(now.st_mode):
            raise ComponentError(f"{path} should be a link to {target} but is a directory")
        else:
            before = "a file"
    if not report.check:
        staged = os.path.join(os.path.dirname(path), f".ansible-staged.{os.path.basename(path)}")
        try:
            os.symlink(target, staged)
        except FileExistsError:  # left by a run that was killed
            os.unlink(staged)
            os.symlink(target, staged)
        os.replace(staged, path)
    report.changed_files.append(path)
    report.note(f"link {path}: {before} -> {target}")


def ensure_absent(path: str, report: Report) -> None:
    """Remove the file, link or directory (with all in it) at `path`."""
    normal = os.path.normpath(path)
    if not os.path.isabs(normal) or os.path.dirname(normal).strip("/") == "":
        raise ComponentError(f"refusing to remove '{path}': not a path below a top-level directory")
    try:
        now = os.lstat(normal)
    except (FileNotFoundError, NotADirectoryError):
        return
    if not report.check:
        if stat.S_ISDIR(now.st_mode):
            shutil.rmtree(normal)
        else:
            os.unlink(normal)
    report.changed_files.append(normal)
    report.note(f"remove {normal}")
