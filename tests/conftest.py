"""How the tests run side by side, and the figures that they report."""

from __future__ import annotations

from pathlib import Path

import pytest

CLUSTER = Path(__file__).parent / "integration"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the whole-cluster tests on one worker: they share one lab, and each breaks it and mends it.

    First of all, since pytest-xdist reads the groups in this same hook.
    """
    for item in items:
        if CLUSTER in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("cluster"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every ``record_property("figure", ...)``, also of tests that passed on another worker."""
    figures = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.line(figure)
