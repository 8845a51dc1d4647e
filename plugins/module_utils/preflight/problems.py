# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Problems found before a run: collected, put together where hosts share one, and written as lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .inventory import Inventory

LONGEST_VALUE = 80


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    :ivar subject: the variable, group or program that it is about.
    :ivar what: what is wrong with it, as the rest of a sentence.
    :ivar allowed: what would be right, for example as :func:`one_of` says it.
    :ivar origin: file and line of the wrong value.
    """

    subject: str
    what: str
    allowed: str = ""
    origin: str = ""


@dataclass
class Problems:
    """A collection of problems, each with the hosts that have it."""

    found: dict[Problem, list[str]] = field(default_factory=dict)

    def add(self, problem: Problem, hosts: Iterable[str] = ()) -> None:
        """Note a problem of these hosts, or of the cluster as a whole."""
        self.found.setdefault(problem, []).extend(hosts)

    def lines(self, inventory: Inventory) -> list[str]:
        """Return one line per problem, in the order of their subjects."""
        ordered = sorted(self.found.items(), key=lambda item: item[0].subject)
        return [_line(problem, inventory.describe(hosts)) for problem, hosts in ordered]


def one_of(values: Iterable[object]) -> str:
    """Name the values that are allowed."""
    return f"allowed values are {', '.join(map(str, values))}"


def shown(value: object, secret: bool = False) -> str:
    """Return a value as shown in a problem: short, and never a secret."""
    if secret:
        return "the value (hidden)"
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _line(problem: Problem, hosts: str) -> str:
    # No colon before a space: callbacks that print YAML would put the whole line in quotes.
    where = f" ({hosts})" if hosts else ""
    allowed = f" - {problem.allowed}" if problem.allowed else ""
    origin = f" [{problem.origin}]" if problem.origin else ""
    return f"{problem.subject}{where} - {problem.what}{allowed}{origin}".replace(": ", " ")
