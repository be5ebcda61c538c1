"""Metric points as series: what each came to, over all processes that told it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.telemetry.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from obs_run.telemetry.records import Attributes, Point


@dataclass
class Series:
    """A metric with one set of attributes.

    Of a cumulative sum or histogram the last point of each process and start counts, of a delta one all of them, and
    they are added up; of a gauge the newest counts.
    """

    service: str
    name: str
    kind: str
    unit: str | None
    attributes: Attributes
    last_ns: int = 0
    value: float | None = None
    """Of a histogram the sum."""
    count: int | None = None
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, all but the last, which has none."""
    buckets: list[int] = field(default_factory=list)

    @property
    def mean(self) -> float | None:
        """The mean of what a histogram counted."""
        return self.value / self.count if self.count and self.value is not None else None

    def quantile(self, fraction: float) -> float | None:
        """Return a histogram's quantile as Prometheus' ``histogram_quantile`` estimates it: linear in its bucket."""
        rank = fraction * sum(self.buckets)
        if not rank or len(self.buckets) != len(self.bounds) + 1:
            return None
        below = 0
        for at, count in enumerate(self.buckets):
            if below + count >= rank and count:
                if at == len(self.bounds):
                    return self.bounds[-1] if self.bounds else None
                low = self.bounds[at - 1] if at else min(0.0, self.bounds[0])
                return low + (self.bounds[at] - low) * (rank - below) / count
            below += count
        return None


def series(points: Iterable[Point]) -> list[Series]:
    """Return the series of the points, by service, name and attributes."""
    groups: dict[tuple[str, str, str, str], list[Point]] = {}
    for point in points:
        groups.setdefault((point.service, point.name, point.kind, encode(point.attributes)), []).append(point)
    return [_series(of) for _, of in sorted(groups.items())]


def _series(points: Sequence[Point]) -> Series:
    first = points[0]
    made = Series(first.service, first.name, first.kind, first.unit, first.attributes)
    for point in _counted(points):
        made.last_ns = max(made.last_ns, point.time_ns)
        made.value = _plus(made.value, point.value)
        made.count = None if point.count is None else (made.count or 0) + point.count
        _add_buckets(made, point.data)
    return made


def _counted(points: Sequence[Point]) -> list[Point]:
    ordered = sorted(points, key=lambda point: point.time_ns)
    if ordered[0].kind == "Gauge":
        return ordered[-1:]
    last: dict[Any, Point] = {}
    for at, point in enumerate(ordered):
        is_delta = point.data.get("temporality") == "DELTA"
        last[at if is_delta else (encode(point.resource), point.start_ns)] = point
    return list(last.values())


def _add_buckets(made: Series, data: Attributes) -> None:
    bounds, counts = data.get("explicit_bounds"), data.get("bucket_counts")
    if not isinstance(bounds, (list, tuple)) or not isinstance(counts, (list, tuple)) or not counts:
        return
    if not all(isinstance(value, (int, float)) for value in (*bounds, *counts)):
        return
    if not made.buckets:
        made.bounds, made.buckets = tuple(map(float, bounds)), [int(count) for count in counts]
    elif made.bounds == tuple(map(float, bounds)) and len(counts) == len(made.buckets):
        made.buckets = [one + int(other) for one, other in zip(made.buckets, counts, strict=True)]


def _plus(one: float | None, other: float | None) -> float | None:
    if one is None:
        return other
    return one if other is None else one + other
