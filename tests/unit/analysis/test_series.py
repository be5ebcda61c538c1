"""What metric points come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies

from obs_run.analysis.series import series
from obs_run.telemetry.records import Point


def point(value: float | None, at: int = 1, *, kind: str = "Sum", start: int = 0, pid: int = 1, **fields: Any) -> Point:
    given: dict[str, Any] = {
        "name": "calls",
        "kind": kind,
        "unit": "1",
        "start_ns": start,
        "time_ns": at,
        "value": value,
        "count": None,
        "service": "agent",
        "data": {"temporality": "CUMULATIVE"},
        "resource": {"process.pid": pid},
    }
    return Point(**(given | fields))


def test_the_last_of_each_process_counts_and_they_are_added() -> None:
    points = [point(1, 1), point(5, 3), point(3, 2), point(2, 1, pid=2), point(4, 9, start=8)]
    [one] = series(points)
    assert (one.value, one.last_ns) == (5 + 2 + 4, 9)


def test_deltas_are_added() -> None:
    [one] = series([point(1, 1, data={"temporality": "DELTA"}), point(5, 1, data={"temporality": "DELTA"})])
    assert one.value == 6


def test_the_newest_gauge_counts() -> None:
    [one] = series([point(7, 2, kind="Gauge", pid=2), point(5, 1, kind="Gauge")])
    assert one.value == 7


def test_attributes_make_series() -> None:
    found = series([point(1, attributes={"a": 1}), point(2, attributes={"a": 2}), point(3, service="other")])
    assert [(one.service, one.attributes, one.value) for one in found] == [
        ("agent", {"a": 1}, 1),
        ("agent", {"a": 2}, 2),
        ("other", {}, 3),
    ]


def histogram(counts: list[int], pid: int = 1, bounds: tuple[float, ...] = (1, 2, 4)) -> Point:
    data = {"temporality": "CUMULATIVE", "explicit_bounds": list(bounds), "bucket_counts": counts}
    return point(10, kind="Histogram", count=sum(counts), data=data, pid=pid)


@pytest.mark.parametrize(
    ("counts", "fraction", "expected"),
    [
        # As histogram_quantile: linear in the bucket in which the rank is.
        ([0, 4, 0, 0], 0.5, 1.5),
        ([2, 2, 0, 0], 0.5, 1.0),
        ([4, 0, 0, 0], 0.5, 0.5),
        ([1, 1, 2, 0], 0.75, 3.0),
        ([0, 0, 0, 3], 0.5, 4.0),
        ([0, 0, 0, 0], 0.5, None),
    ],
)
def test_quantiles_of_a_histogram(counts: list[int], fraction: float, expected: float | None) -> None:
    [one] = series([histogram(counts)])
    assert one.quantile(fraction) == expected


def test_histograms_of_several_processes_are_one() -> None:
    [one] = series([histogram([0, 4, 0, 0]), histogram([0, 0, 4, 0], pid=2)])
    assert (one.value, one.count, one.mean, one.quantile(0.5)) == (20, 8, 2.5, 2.0)


junk = strategies.none() | strategies.integers() | strategies.lists(strategies.integers(0, 5) | strategies.text())


@given(strategies.lists(strategies.tuples(junk, junk, strategies.sampled_from(["Sum", "Gauge", "Histogram", "x"]))))
def test_any_points_are_series(told: list[tuple[Any, Any, str]]) -> None:
    points = [point(1, kind=kind, data={"explicit_bounds": one, "bucket_counts": two}) for one, two, kind in told]
    for each in series(points):
        each.quantile(0.5)
        assert each.mean is None
