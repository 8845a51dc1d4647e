"""What this process has counted since it started, as numbers to read instead of series to scrape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite

from prometheus_client.registry import CollectorRegistry


@dataclass
class Distribution:
    """A histogram's counts by upper bound, in seconds, each for itself."""

    counts: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    total: float = 0.0
    """Sum of all observations, in seconds."""

    @property
    def count(self) -> int:
        """How many were observed."""
        return round(sum(self.counts.values()))

    @property
    def mean(self) -> float | None:
        """Seconds; None: nothing was observed."""
        return self.total / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """Return the value below which this share of the observations is, in seconds; None: there are none.

        Within a bucket values are taken to be spread evenly, above the last bound to lie at it, as Prometheus'
        histogram_quantile does (https://prometheus.io/docs/prometheus/latest/querying/functions/).
        """
        count = sum(self.counts.values())
        if not count:
            return None
        rank, seen, lower = share * count, 0.0, 0.0
        for bound in sorted(self.counts):
            here = self.counts[bound]
            if here and seen + here >= rank:
                return lower if bound == inf else lower + (bound - lower) * (rank - seen) / here
            seen, lower = seen + here, bound if bound != inf else lower
        return lower

    def add(self, other: Distribution) -> None:
        """Take over another one's observations."""
        for bound, count in other.counts.items():
            self.counts[bound] += count
        self.total += other.total


Labels = tuple[tuple[str, str], ...]


class Snapshot:
    """All samples of a registry at one moment."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for family in registry.collect():
            for sample in family.samples:
                self._samples[sample.name].append((sample.labels, sample.value))

    def value(self, name: str, **labels: str) -> float | None:
        """Return the sum of a series' samples with these labels; None: there is none, or it is no number."""
        found = [value for known, value in self._samples.get(name, ()) if labels.items() <= dict(known).items()]
        total = sum(found)
        return total if found and isfinite(total) else None

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Return the sums of a series' samples by the values of these labels."""
        sums: dict[tuple[str, ...], float] = defaultdict(float)
        for known, value in self._samples.get(name, ()):
            sums[tuple(known[label] for label in labels)] += value
        return dict(sums)

    def distributions(self, name: str, labels: Iterable[str]) -> dict[tuple[str, ...], Distribution]:
        """Return a histogram's distributions by the values of these labels; others are added up."""
        wanted = tuple(labels)
        cumulative: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
        for known, value in self._samples.get(f"{name}_bucket", ()):
            rest = tuple((label, each) for label, each in known.items() if label != "le")
            cumulative[rest].append((float(known["le"]), value))
        found: dict[tuple[str, ...], Distribution] = defaultdict(Distribution)
        for rest, bounds in cumulative.items():
            by_label = dict(rest)
            target = found[tuple(by_label[label] for label in wanted)]
            before = 0.0
            for bound, value in sorted(bounds):
                target.counts[bound] += value - before
                before = value
        for known, value in self._samples.get(f"{name}_sum", ()):
            found[tuple(known[label] for label in wanted)].total += value
        return dict(found)
