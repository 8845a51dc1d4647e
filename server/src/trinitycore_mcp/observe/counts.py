"""A counter that one thread counts into, for what is counted with every request; see durations for the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry


class Cell:
    """One count."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self) -> None:
        """Count one."""
        self.value += 1


class Counts(Collector):
    """Counts by labels. To be used by the event loop's thread only."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        """:param name: without the ending _total."""
        self._name = name
        self._documentation = documentation
        self._labels = tuple(labels)
        self._cells: dict[tuple[str, ...], Cell] = {}
        registry.register(self)

    def labels(self, *values: str) -> Cell:
        """Return the count of these labels' values, to be kept by whoever counts often."""
        return self._cells.setdefault(values, Cell())

    def collect(self) -> Iterator[Metric]:
        """Return the counts, as a scrape wants them."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for values, cell in list(self._cells.items()):
            family.add_metric(values, cell.value)
        yield family
