"""Figures over the values that a histogram or timer kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return count, sum, min, max, mean, median, p50, p95 and p99 of finite ``values``; {} if there are none.

    Percentiles are interpolated between the two nearest values, as ``statistics.quantiles(method="inclusive")`` has
    them; p50 is the median.
    """
    if not values:
        return {}
    ordered = sorted(values)
    total = _total(ordered)
    median = percentile(ordered, 0.5)
    return {
        "count": len(ordered),
        "sum": total,
        "min": ordered[0],
        "max": ordered[-1],
        "mean": min(max(total / len(ordered), ordered[0]), ordered[-1]),
        "median": median,
        "p50": median,
        "p95": percentile(ordered, 0.95),
        "p99": percentile(ordered, 0.99),
    }


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the ``ordered`` values lies."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    part = place - below
    # In this form nothing overflows; rounding must not leave the two values.
    between = ordered[below] * (1 - part) + ordered[above] * part
    return min(max(between, ordered[below]), ordered[above])


def _total(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return sum(values)
