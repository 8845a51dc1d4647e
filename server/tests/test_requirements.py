"""What is deployed is complete on every Python that hosts have, not only on the one that ran pip freeze."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LINES = (Path(__file__).parents[1] / "requirements.txt").read_text().splitlines()
PINNED = [Requirement(line.partition("#")[0]) for line in LINES if line.partition("#")[0].strip()]
NAMES = {canonicalize_name(each.name) for each in PINNED}


@pytest.mark.parametrize("python", ["3.11.2", "3.13.5"])
def test_nothing_that_a_pinned_package_needs_is_missing(python: str) -> None:
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0], "extra": ""}
    missing = set()
    for each in PINNED:
        if each.name == "async-timeout":
            continue  # not on this machine's Python; it needs nothing
        for text in distribution(each.name).requires or ():
            needed = Requirement(text)
            wanted = needed.marker is None or needed.marker.evaluate(environment)
            if wanted and canonicalize_name(needed.name) not in NAMES:
                missing.add(f"{each.name} needs {needed}")
    assert missing == set()
