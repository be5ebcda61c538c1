"""Metric points of equal labels made one: sums add, histograms add bucket by bucket, of gauges the newest stays.

Source: OpenTelemetry specification, metrics data model, "ExponentialHistogram" ("perfect subsetting" of scales).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
)
from opentelemetry.sdk.metrics.export import Sum as SumData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_BUCKETS = 160
"""As many as the SDK keeps of an exponential histogram."""


def merged(points: Sequence[Any], data: Any) -> list[Any]:
    """Return the points of one metric, each set of labels once, in the order of their first."""
    by_labels: dict[Any, Any] = {}
    for point in points:
        key = _key(point.attributes)
        by_labels[key] = _join(by_labels[key], point, data) if key in by_labels else point
    return list(by_labels.values())


def _key(attributes: Mapping[str, Any] | None) -> Any:
    return tuple(sorted((name, type(value).__name__, str(value)) for name, value in (attributes or {}).items()))


def _join(one: Any, other: Any, data: Any) -> Any:
    common = {
        "start_time_unix_nano": min(filter(None, (one.start_time_unix_nano, other.start_time_unix_nano)), default=None),
        "time_unix_nano": max(one.time_unix_nano, other.time_unix_nano),
        "exemplars": [*one.exemplars, *other.exemplars],
    }
    if isinstance(data, Gauge):
        return other if other.time_unix_nano >= one.time_unix_nano else one
    if isinstance(data, SumData):
        return replace(one, value=one.value + other.value, **common)
    totals = {
        "count": one.count + other.count,
        "sum": one.sum + other.sum,
        "min": min(one.min, other.min),
        "max": max(one.max, other.max),
    }
    if isinstance(data, Histogram):
        return replace(one, **common, **totals, **_buckets(one, other))
    if isinstance(data, ExponentialHistogram):
        return replace(one, **common, **totals, **_exponential(one, other))
    return one


def _buckets(one: HistogramDataPoint, other: HistogramDataPoint) -> dict[str, Any]:
    """Return bounds and counts of both; where the bounds differ, those that both have."""
    bounds = [bound for bound in one.explicit_bounds if bound in set(other.explicit_bounds)]
    below_one, below_other = _below(one), _below(other)
    below = [below_one[bound] + below_other[bound] for bound in bounds] + [one.count + other.count]
    counts = [count - before for count, before in zip(below, [0, *below], strict=False)]
    return {"explicit_bounds": tuple(bounds), "bucket_counts": tuple(counts)}


def _below(point: HistogramDataPoint) -> dict[float, int]:
    return dict(zip(point.explicit_bounds, accumulate(point.bucket_counts), strict=False))


def _exponential(one: ExponentialHistogramDataPoint, other: ExponentialHistogramDataPoint) -> dict[str, Any]:
    scale = min(one.scale, other.scale)
    while True:
        positive = _added(one.positive, one.scale - scale, other.positive, other.scale - scale)
        negative = _added(one.negative, one.scale - scale, other.negative, other.scale - scale)
        if positive is not None and negative is not None:
            break
        scale -= 1
    return {
        "scale": scale,
        "zero_count": one.zero_count + other.zero_count,
        "positive": replace(one.positive, offset=positive[0], bucket_counts=positive[1]),
        "negative": replace(one.negative, offset=negative[0], bucket_counts=negative[1]),
    }


def _added(one: Any, one_shift: int, other: Any, other_shift: int) -> tuple[int, list[int]] | None:
    """Return offset and counts of both, at a scale that is so many steps lower; None if that takes too many buckets."""
    counts: dict[int, int] = {}
    for buckets, shift in ((one, one_shift), (other, other_shift)):
        for place, count in enumerate(buckets.bucket_counts):
            if count:
                index = (buckets.offset + place) >> shift
                counts[index] = counts.get(index, 0) + count
    if not counts:
        return 0, []
    first, last = min(counts), max(counts)
    if last - first >= _MOST_BUCKETS:
        return None
    return first, [counts.get(index, 0) for index in range(first, last + 1)]
