# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Is a new release worse than the old one? Judged by the tool calls that both answered between two looks at metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

METRIC = "mcp_server_operation_duration_seconds"
_SERIES = re.compile(rf"^{METRIC}_(bucket|count)\{{(.*)\}} (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# The middle tells of what every call takes longer, the upper one of what some do; noise moves the upper one first.
_SHARES = (0.5, 0.95)


class CanaryError(Exception):
    """Metrics can't be read or compared; the message says why."""


@dataclass
class Calls:
    """Tool calls: how many were answered and failed, and how long the answered ones of each tool took."""

    answered: float = 0
    failed: float = 0
    durations: dict[str, dict[float, float]] = field(default_factory=dict)
    """Tool to upper bound to how many calls took no longer, as Prometheus counts."""
    by_tool: dict[str, float] = field(default_factory=dict)
    """How many calls each tool had, failed ones too."""

    @property
    def total(self) -> float:
        """All calls."""
        return self.answered + self.failed

    @property
    def failed_share(self) -> float:
        """Failed calls of all, 0 to 1."""
        return self.failed / self.total if self.total else 0.0

    def add(self, other: Calls, sign: int = 1) -> None:
        """Count another one's calls too (or, with ``sign=-1``, take them away)."""
        self.answered += sign * other.answered
        self.failed += sign * other.failed
        for tool, calls in other.by_tool.items():
            self.by_tool[tool] = self.by_tool.get(tool, 0) + sign * calls
        for tool, counts in other.durations.items():
            own = self.durations.setdefault(tool, {})
            for bound, count in counts.items():
                own[bound] = own.get(bound, 0) + sign * count

    def count(self, tool: str) -> float:
        """How many calls of a tool were answered."""
        return max(self.durations.get(tool, {}).values(), default=0)


@dataclass(frozen=True)
class Thresholds:
    """When a release counts as worse.

    :ivar calls: fewer calls than this, of the canary or of the rest, allow no judgement.
    :ivar errors: by how much its share of failed calls may be higher, 0 to 1.
    :ivar factor: how many times as long as the rest's its median and its 95th percentile may be, ...
    :ivar slack: ... and by how many seconds more.
    """

    calls: int
    errors: float
    factor: float
    slack: float


def read(text: str) -> Calls:
    """Read the tool calls out of an instance's metrics.

    :raises CanaryError: the metric is not there, though calls are measured from the start on.
    """
    calls = Calls()
    if METRIC not in text:
        raise CanaryError(f"there is no metric {METRIC}")
    for line in text.splitlines():
        found = _SERIES.match(line)
        if not found:
            continue
        labels = dict(_LABEL.findall(found[2]))
        if labels.get("method") != "tools/call":
            continue
        failed, value, tool = bool(labels.get("error_type")), float(found[3]), labels.get("tool", "")
        if found[1] == "count":
            calls.failed += value * failed
            calls.answered += value * (not failed)
            calls.by_tool[tool] = calls.by_tool.get(tool, 0) + value
        elif not failed:
            counts = calls.durations.setdefault(tool, {})
            bound = float(labels["le"])
            counts[bound] = counts.get(bound, 0) + value
    return calls


def between(before: Calls, after: Calls) -> Calls:
    """Return the calls made between two looks at one instance.

    :raises CanaryError: counters went back, so the instance was started anew.
    """
    made = Calls()
    made.add(after)
    made.add(before, -1)
    if made.answered < 0 or made.failed < 0 or any(n < 0 for each in made.durations.values() for n in each.values()):
        raise CanaryError("it was started anew in the meantime")
    return made


def together(parts: Iterable[Calls]) -> Calls:
    """Return the calls of several instances as one."""
    calls = Calls()
    for part in parts:
        calls.add(part)
    return calls


def comparable(canary: Calls, rest: Calls) -> float:
    """Return how many calls of one tool both had at least, for the tool of which they had the most."""
    return max((min(count, rest.by_tool.get(tool, 0)) for tool, count in canary.by_tool.items()), default=0)


def percentile(counts: Mapping[float, float], share: float) -> float:
    """Return the duration that this share of calls did not exceed, between bounds in proportion as Prometheus does.

    Calls above the last bound count as taking that long.
    """
    wanted = share * max(counts.values(), default=0)
    lower, below = 0.0, 0.0
    for bound, count in sorted(counts.items()):
        if count >= wanted and count > below:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, count
    return lower


def errors_complaint(canary: Calls, rest: Calls, limits: Thresholds) -> str | None:
    """Return why the canary fails too often, None when it does not or too few calls were made to say so."""
    if min(canary.total, rest.total) < limits.calls:
        return None
    excess = canary.failed_share - rest.failed_share
    if excess <= limits.errors:
        return None
    return (
        f"{canary.failed_share:.1%} of its {canary.total:.0f} tool calls failed, {rest.failed_share:.1%} of the rest's "
        f"{rest.total:.0f}; allowed are {limits.errors:.1%} more"
    )


def latency_complaint(canary: Calls, rest: Calls, limits: Thresholds) -> str | None:
    """Return which tool is slower with the canary, and by how much; None when none is."""
    for tool in sorted(canary.durations):
        if min(canary.count(tool), rest.count(tool)) < limits.calls:
            continue
        for share in _SHARES:
            own, others = percentile(canary.durations[tool], share), percentile(rest.durations[tool], share)
            allowed = others * limits.factor + limits.slack
            if own <= allowed:
                continue
            return (
                f"{share:.0%} of its {canary.count(tool):.0f} calls of {tool} took up to {own * 1000:.2f} ms, of the "
                f"rest's {rest.count(tool):.0f} up to {others * 1000:.2f} ms; allowed are {allowed * 1000:.2f} ms "
                f"({limits.factor:g} times that and {limits.slack * 1000:g} ms)"
            )
    return None


def summary(calls: Calls) -> dict[str, float]:
    """Return what was measured, for the operator: calls, failed ones, and of each tool median and 95th percentile."""
    measured = {"calls": calls.total, "failed": calls.failed}
    for tool, counts in sorted(calls.durations.items()):
        if calls.count(tool):
            for share in _SHARES:
                measured[f"p{share * 100:.0f}_ms {tool}"] = round(percentile(counts, share) * 1000, 3)
    return measured
