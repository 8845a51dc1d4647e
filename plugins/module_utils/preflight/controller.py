# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of the controller itself."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator

from .problems import Problem

OLDEST_PYTHON = (3, 11)
OLDEST_CORE = (2, 19)
PACKAGES = {"cryptography": "signs host certificates"}


def controller_problems(core_version: str) -> Iterator[Problem]:
    """Yield what the controller lacks.

    :param core_version: version of ansible-core, such as ``2.19.1``.
    """
    if sys.version_info[:2] < OLDEST_PYTHON:
        version = sys.version.split()[0]
        yield Problem("Python of the controller", f"is {version}", f"must be {_text(OLDEST_PYTHON)} or newer")
    if tuple(int(part) for part in core_version.split(".")[:2]) < OLDEST_CORE:
        yield Problem("ansible-core", f"is {core_version}", f"must be {_text(OLDEST_CORE)} or newer")
    for package, purpose in PACKAGES.items():
        if importlib.util.find_spec(package) is None:
            yield Problem(f"Python package {package}", f"is not installed on the controller, and it {purpose}")


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
