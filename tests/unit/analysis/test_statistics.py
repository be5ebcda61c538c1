"""Quantiles and tests against figures that others published or that can be computed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from obs_run.analysis.statistics import mann_whitney, quantile, rank_test, significant

numbers = strategies.lists(strategies.integers(0, 20), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("values", "fraction", "expected"),
    [([], 0.5, None), ([3], 0.95, 3), ([4, 1], 0.5, 2.5), ([1, 2, 3, 4], 0.25, 1.75), (range(1, 101), 0.95, 95.05)],
)
def test_quantiles(values: list[float], fraction: float, expected: float | None) -> None:
    assert quantile(values, fraction) == (None if expected is None else pytest.approx(expected))


def test_the_example_of_scipy() -> None:
    """``mannwhitneyu(males, females, method="asymptotic")`` of SciPy's documentation."""
    females, males = [20, 11, 17, 12], [19, 22, 16, 29, 24]
    found = rank_test(females, males)
    assert (found.u, found.effect) == (17, 17 / 20)
    assert found.p == pytest.approx(0.11134688653314041)
    assert (found.before, found.now, found.median_before, found.median_now) == (4, 5, 14.5, 22)
    assert mann_whitney(females, males) is None


def test_ties_make_the_variance_smaller() -> None:
    # U = 14, mean 8, variance 16/12 * (9 - (24 + 60) / 56) = 10; z = 5.5 / sqrt(10).
    found = rank_test([1, 1, 1, 2], [2, 2, 2, 3])
    assert found.u == 14.5
    assert found.z == pytest.approx(6 / (16 / 12 * (9 - (24 + 60) / 56)) ** 0.5)


def test_what_is_the_same_does_not_differ() -> None:
    found = mann_whitney([1.0] * 10, [1.0] * 10)
    assert found is not None
    assert (found.z, found.p, found.effect) == (0, 1, 0.5)


def test_an_outlier_leads_nobody_astray_and_a_shift_is_seen() -> None:
    before = [1 + at / 100 for at in range(20)]
    same, slower = [*before[:-1], 900.0], [value + 0.5 for value in before]
    found = [mann_whitney(before, now) for now in (same, slower, [])]
    assert significant(found) == [False, True, False]


def test_many_tests_find_nothing_by_chance() -> None:
    before, now = list(range(12)), [at + 6 for at in range(12)]
    found = mann_whitney(before, now)
    assert found is not None
    assert 0.001 < found.p < 0.01
    assert significant([found]) == [True]
    even = mann_whitney(before, before)
    assert significant([found] + [even] * 50) == [False] * 51


@given(numbers, numbers)
def test_any_two_samples_compare_both_ways(before: list[float], now: list[float]) -> None:
    one, other = rank_test(before, now), rank_test(now, before)
    assert one.effect + other.effect == pytest.approx(1)
    assert one.z == pytest.approx(-other.z)
    assert 0 <= one.p <= 1
