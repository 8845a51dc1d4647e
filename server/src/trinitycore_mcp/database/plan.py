"""What the database says it would do for a statement, and how much work that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Kinds of select that run once for each row of the select around them.
_REPEATED = ("DEPENDENT", "UNCACHEABLE", "LATERAL")


@dataclass(frozen=True)
class Plan:
    """A statement's plan."""

    rows: list[dict[str, Any]]
    """As EXPLAIN gives them, in order; columns by flavour."""
    estimated_rows: int
    """Rows that would be looked at."""


def estimate(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return how many rows a plan looks at.

    The steps of one select are nested loops: each looks at its `rows` for every row that the steps before it let
    through (MySQL says in `filtered`, per cent, how many of a step's rows are let through). Selects add up; a
    dependent one counts as often as the outermost one has rows. Steps without a number (nothing to read, an
    impossible WHERE, the union of others) count as one row.
    Source: the columns of EXPLAIN in the manuals of MariaDB and MySQL.
    """
    looked_at: dict[object, float] = {}
    let_through: dict[object, float] = {}
    repeated: set[object] = set()
    for row in rows:
        select = row.get("id")
        step = max(float(row.get("rows") or 1), 1.0)
        share = row.get("filtered")
        before = let_through.get(select, 1.0)
        looked_at[select] = _bounded(looked_at.get(select, 0.0) + before * step)
        let_through[select] = _bounded(before * step * (float(share) / 100 if share is not None else 1.0))
        if str(row.get("select_type") or "").upper().startswith(_REPEATED):
            repeated.add(select)
    outer = max((let_through[select] for select in looked_at if select not in repeated), default=1.0)
    return round(sum(_bounded(work * (outer if select in repeated else 1.0)) for select, work in looked_at.items()))


def _bounded(rows: float) -> float:
    """Keep an absurd number a number."""
    return min(max(rows, 1.0), 1e30)
