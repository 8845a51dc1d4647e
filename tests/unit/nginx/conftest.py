"""An authority and three instances behind an edge."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.edge import Edge, Instance

NAMES = ("app1-1", "app1-2", "app2-1")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs all certificates."""
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def instances(authority: Authority) -> Iterator[list[Instance]]:
    """Two instances on app1 and one on app2."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Instance.start(authority, name)) for name in NAMES]


@pytest.fixture
def edge(tmp_path: Path, authority: Authority, instances: list[Instance]) -> Iterator[Edge]:
    """Return an edge before them, all defaults."""
    with Edge.start(tmp_path / "edge", authority, instances) as running:
        yield running


@pytest.fixture
def start_edge(tmp_path: Path, authority: Authority, instances: list[Instance]) -> Iterator[Callable[..., Edge]]:
    """Return a function that starts an edge with variables or settings of its own."""
    with contextlib.ExitStack() as stack:

        def start(**settings: Any) -> Edge:
            return stack.enter_context(Edge.start(tmp_path / "edge", authority, instances, **settings))

        yield start
