"""What the tests of several scenarios use."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def figure(record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Take a measured figure, and print it also when the test passes."""

    def say(text: str) -> None:
        record_property("figure", text)
        with capsys.disabled():
            print(f"\n    {text}")

    return say
