"""Disk and memory as this process finds them. Linux only."""

from __future__ import annotations

import os
from pathlib import Path

from trinitycore_mcp.health.component import Detail, HealthComponent, Status, by_limits

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_DISK_DEGRADED, _DISK_DOWN = 0.90, 0.99
_MEMORY_DEGRADED, _MEMORY_DOWN = 0.85, 0.97


def state_directory() -> Path:
    """Return the folder that systemd gave us to write in (StateDirectory=), else the root."""
    return Path(os.environ.get("STATE_DIRECTORY", "").partition(":")[0] or "/")


def disk(folder: Path | None = None) -> HealthComponent:
    """Return how full the file system of a folder is; default: the state directory's."""
    place = folder or state_directory()
    try:
        found = os.statvfs(place)
    except OSError as error:
        return HealthComponent("disk", "degraded", f"{place}: {error.strerror}")
    total, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    used = 1 - free / total if total else 0.0
    status = by_limits(used, _DISK_DEGRADED, _DISK_DOWN)
    reason = f"{place}: {used:.0%} of the file system is used" if status != "ok" else None
    details: dict[str, Detail] = {
        "path": str(place),
        "total_bytes": total,
        "free_bytes": free,
        "used_ratio": round(used, 4),
    }
    return HealthComponent("disk", status, reason, details=details)


def memory(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> HealthComponent:
    """Return what this process takes of what it may take: its control group's limit, else the machine's memory."""
    resident = _kibibytes(proc / "self/status", "VmRSS")
    limit = memory_limit(proc, cgroups)
    total = _kibibytes(proc / "meminfo", "MemTotal")
    most = min((value for value in (limit, total) if value), default=None)
    used = resident / most if resident and most else None
    status: Status = by_limits(used, _MEMORY_DEGRADED, _MEMORY_DOWN) if used is not None else "ok"
    reason = f"{used:.0%} of the memory that it may take is used" if status != "ok" and used is not None else None
    if resident is None:
        reason = f"{proc}/self/status does not tell VmRSS"
    details: dict[str, Detail] = {
        "resident_bytes": resident,
        "limit_bytes": limit,
        "machine_bytes": total,
        "used_ratio": round(used, 4) if used is not None else None,
    }
    return HealthComponent("memory", status, reason, details=details)


def memory_limit(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Return the least memory.max of our control group (version 2) and those above it, in bytes; None: no limit."""
    try:
        lines = (proc / "self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    place = next((line[3:].strip("/") for line in lines if line.startswith("0::")), None)
    if place is None:
        return None
    limits = []
    for folder in (cgroups / place, *(cgroups / place).parents):
        if not folder.is_relative_to(cgroups):
            break
        try:
            text = (folder / "memory.max").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if text.isdigit():
            limits.append(int(text))
    return min(limits, default=None)


def _kibibytes(file: Path, name: str) -> int | None:
    """Return a line's number of a file such as /proc/meminfo, in bytes."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None
