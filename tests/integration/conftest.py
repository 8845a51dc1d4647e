"""The whole cluster: one lab for all tests of this folder, with the site rolled out on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.support.lab import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Boot the tests' lab and roll the site out; removed afterwards.

    While working on tests: TEST_LAB_KEEP leaves it running, TEST_LAB_READY takes it as it runs, TEST_LAB_PROFILE=small
    makes a small one, =database what the database's faults need. TEST_LAB_DATABASE=mysql makes one with Oracle MySQL.
    """
    cluster = Lab(
        os.environ.get("TEST_LAB_NAME", "test"),
        os.environ.get("TEST_LAB_NETWORK", "10.77.3"),
        os.environ.get("TEST_LAB_PROFILE", "full"),
        os.environ.get("TEST_LAB_DATABASE", "mariadb"),
    )
    try:
        if not os.environ.get("TEST_LAB_READY"):
            cluster.playbook("lab")
        yield cluster
    finally:
        if not os.environ.get("TEST_LAB_KEEP"):
            cluster.playbook("lab_down")


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Take a measured line; all of them are printed before pytest's closing line."""
    return lambda line: record_property("figure", line)
