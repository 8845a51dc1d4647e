"""What the operating system of a Debian host has to bring up to date, and what only a reboot would."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

_PLANNED = re.compile(r"^Inst (\S+)(?: \[(\S+)\])? \((\S+) ")
_MAPPED = re.compile(r"^\S+ ..x. \S+ \S+ \d+ +(/(?:usr|lib)\S*) \(deleted\)$")


def planned(simulation: str) -> list[str]:
    """Return ``name old -> new`` of each package in the output of ``apt-get --simulate``; ``-`` is none."""
    found = [_PLANNED.match(line) for line in simulation.splitlines()]
    return [f"{each[1]} {each[2] or '-'} -> {each[3]}" for each in found if each]


def version_key(release: str) -> list[int | str]:
    """Return a key that sorts kernel releases such as ``6.1.0-28-amd64``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", release)]


def newer_kernel(installed: Iterable[str], running: str) -> str | None:
    """Return the newest installed kernel of the running one's kind if that is not the one that runs.

    :param installed: names of files in ``/boot``.
    """
    kind = re.sub(r"[\d.-]+", "", running)
    releases = [name.removeprefix("vmlinuz-") for name in installed if name.startswith("vmlinuz-")]
    alike = [release for release in releases if re.sub(r"[\d.-]+", "", release) == kind]
    newest = max(alike, key=version_key, default=running)
    return newest if version_key(newest) > version_key(running) else None


def replaced_files(maps: str) -> set[str]:
    """Return programs and libraries in ``/proc/<pid>/maps`` that run though their files were replaced."""
    return {found[1] for line in maps.splitlines() if (found := _MAPPED.match(line))}


def outdated_processes(proc: Path) -> dict[str, list[str]]:
    """Return the replaced files that processes still run, by the process' name.

    :param proc: ``/proc``.
    """
    outdated: dict[str, set[str]] = {}
    for folder in proc.glob("[0-9]*"):
        try:
            files = replaced_files((folder / "maps").read_text(errors="replace"))
            name = (folder / "comm").read_text(errors="replace").strip()
        except OSError:  # it has ended, or is not ours to see
            continue
        if files:
            outdated.setdefault(name, set()).update(files)
    return {name: sorted(files) for name, files in sorted(outdated.items())}


def reboot_reasons(root: Path) -> list[str]:
    """Return why the host should reboot; empty when nothing asks for it.

    :param root: ``/``.
    """
    reasons = []
    if (root / "run" / "reboot-required").exists():
        reasons.append("/run/reboot-required is there")
    boot = root / "boot"
    newer = newer_kernel(os.listdir(boot) if boot.is_dir() else [], platform.release())
    if newer:
        reasons.append(f"kernel {newer} is installed, {platform.release()} runs")
    outdated = outdated_processes(root / "proc")
    if outdated:
        reasons.append(f"{', '.join(outdated)} run(s) files that were replaced")
    return reasons
