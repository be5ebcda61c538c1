"""Statistics in the process, against the standard library's."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_run.metrics import Histogram, Timer
from obs_run.metrics.statistics import summary

FIGURES = ["count", "sum", "min", "max", "mean", "median", "p50", "p95", "p99"]


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=300))
def test_the_figures_are_those_of_the_standard_library(values: list[float]) -> None:
    found = summary(values)
    assert list(found) == FIGURES
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    expected = {
        "count": len(values),
        "sum": math.fsum(values),
        "min": min(values),
        "max": max(values),
        "mean": statistics.fmean(values),
        "median": statistics.median(values),
        "p50": percentiles[49],
        "p95": percentiles[94],
        "p99": percentiles[98],
    }
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_no_figure_leaves_the_values(values: list[float]) -> None:
    found = summary(values)
    ordered = [found[name] for name in ("min", "p50", "p95", "p99", "max")]
    assert ordered == sorted(ordered)
    assert (ordered[0], ordered[-1]) == (min(values), max(values))
    assert found["min"] <= found["mean"] <= found["max"]


def test_nothing_has_no_figures() -> None:
    assert (Histogram("x").get_statistics(), Timer("x").get_statistics()) == ({}, {})
    assert Histogram("x").get_statistics(path="a") == {}


def test_one_value_is_every_figure() -> None:
    sizes = Histogram("x")
    sizes.observe(3)
    assert sizes.get_statistics() == {"count": 1, **dict.fromkeys(FIGURES[1:], 3)}


def test_the_last_10_000_count() -> None:
    sizes = Histogram("x")
    for value in range(15_000):
        sizes.observe(value)
    found = sizes.get_statistics()
    assert (found["count"], found["min"], found["max"], found["median"]) == (10_000, 5000, 14_999, 9999.5)
    assert [each.value for each in sizes.observe(0)[:2]] == [15_001, sum(range(15_000))]


def test_per_label_set() -> None:
    sizes = Histogram("x")
    for value in range(10):
        sizes.observe(value, path="ab"[value % 2], method="GET")
    assert (sizes.get_statistics(path="a")["max"], sizes.get_statistics(path="b")["max"]) == (8, 9)
    assert sizes.get_statistics(method="GET") == sizes.get_statistics()
    assert sizes.get_statistics(method="PUT") == {}
    assert sizes.shown() == {
        "type": "histogram",
        "stats": sizes.get_statistics(),
        "series": [
            {"tags": {"path": path, "method": "GET"}, "stats": sizes.get_statistics(path=path)} for path in ("a", "b")
        ],
    }
