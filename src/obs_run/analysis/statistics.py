"""Quantiles, and whether two samples differ."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

TEST = "Mann-Whitney U, normal approximation with corrections for ties and continuity, Holm-Bonferroni"
SIGNIFICANCE = 0.01
"""The chance of a difference that is none, over all that is tested together."""
FEWEST = 8
"""So many values a sample needs, for the normal approximation to hold."""
_MEDIUM = 0.14
"""By how much the effect has to be away from one half: Vargha and Delaney's medium effect, 0.64."""


class Difference(NamedTuple):
    """How a sample differs from an earlier one."""

    before: int
    """How many values there were."""
    now: int
    median_before: float
    median_now: float
    u: float
    z: float
    p: float
    """The chance of samples as far apart as these if nothing had changed (two-sided, of this test for itself)."""
    effect: float
    """Vargha and Delaney's A: the chance that a value of now is larger than one of before; one half is none."""

    @property
    def is_large(self) -> bool:
        """Whether the effect is at least a medium one."""
        return abs(self.effect - 0.5) >= _MEDIUM


def quantile(values: Sequence[float], fraction: float) -> float | None:
    """Return the quantile, by linear interpolation (Hyndman and Fan's type 7, NumPy's default); None of no values."""
    if not values:
        return None
    ordered = sorted(values)
    place = fraction * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def mann_whitney(before: Sequence[float], now: Sequence[float]) -> Difference | None:
    """Return how ``now`` differs from ``before`` by the Mann-Whitney U test; None where either has too few values.

    The normal approximation, corrected for ties and continuity (Mann and Whitney, 1947; as SciPy's ``mannwhitneyu``
    with ``method="asymptotic"``). It asks nothing of how the values are distributed and is not led astray by outliers.
    """
    if len(before) < FEWEST or len(now) < FEWEST:
        return None
    return rank_test(before, now)


def rank_test(before: Sequence[float], now: Sequence[float]) -> Difference:
    """Return what :func:`mann_whitney` does of samples of any size but none."""
    ordered = sorted(before)
    u = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in now)
    pairs, size = len(before) * len(now), len(before) + len(now)
    ties = _ties([*before, *now])
    variance = pairs / 12 * (size + 1 - ties / (size * (size - 1)))
    apart = u - pairs / 2
    z = 0.0
    if variance > 0:
        z = math.copysign(max(0.0, abs(apart) - 0.5) / math.sqrt(variance), apart)
    p = math.erfc(abs(z) / math.sqrt(2))
    return Difference(len(before), len(now), median(before), median(now), u, z, p, u / pairs)


def significant(tests: Sequence[Difference | None], level: float = SIGNIFICANCE) -> list[bool]:
    """Tell of each test whether it shows a difference that is both significant and not small.

    As many tests as are made together would find some by chance: Holm and Bonferroni's step-down procedure (1979).
    """
    found = [False] * len(tests)
    made = sorted((test.p, place) for place, test in enumerate(tests) if test is not None)
    for rank, (p, place) in enumerate(made):
        if p > level / (len(made) - rank):
            break
        test = tests[place]
        found[place] = test is not None and test.is_large
    return found


def _ties(values: Sequence[float]) -> int:
    counts: dict[float, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return sum(count**3 - count for count in counts.values())
