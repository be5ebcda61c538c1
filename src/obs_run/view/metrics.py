"""Metrics as series: the points of each set of attributes, in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.telemetry.values import encode
from obs_run.view.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request

    from obs_run.telemetry.records import Point
    from obs_run.view.source import Source

Json = dict[str, Any]

_ADDED_UP = frozenset({"Sum", "Histogram", "ExponentialHistogram"})
_MOST_SERIES, _MOST_POINTS = 200, 300


def listed(source: Source, request: Request) -> Json:
    """Return the metrics that there are."""
    del request
    return {"metrics": source.keep(("metrics", source.version()), lambda: _names(source))}


def one(source: Source, request: Request) -> Json:
    """Return the series of one metric, those that changed last first."""
    name = request.query_params.get("name", "")
    with source.open() as reader:
        points = reader.points(name=name)
    series: dict[str, list[Point]] = {}
    for point in points:
        series.setdefault(encode([point.service, point.attributes]), []).append(point)
    newest = sorted(series.values(), key=lambda group: -group[-1].time_ns)
    return {
        "name": name,
        "unit": points[-1].unit if points else None,
        "kind": points[-1].kind if points else None,
        "description": shown(points[-1].data.get("description")) if points else None,
        "more": max(0, len(newest) - _MOST_SERIES),
        "series": [_series(group) for group in newest[:_MOST_SERIES]],
    }


def _names(source: Source) -> list[Json]:
    with source.open() as reader:
        points = reader.points()
    found: dict[str, Json] = {}
    series: dict[str, set[str]] = {}
    for point in points:
        entry = found.setdefault(point.name, {"name": point.name, "points": 0})
        entry["points"] += 1
        entry.update(unit=point.unit, kind=point.kind, last_ms=point.time_ns / 1e6)
        entry["description"] = shown(point.data.get("description"))
        series.setdefault(point.name, set()).add(encode([point.service, point.attributes]))
    for name, entry in found.items():
        entry["series"] = len(series[name])
    return [found[name] for name in sorted(found)]


def _series(group: Sequence[Point]) -> Json:
    last = group[-1]
    course = list(_course(group))
    return {
        "service": last.service,
        "attributes": [[key, shown(value)] for key, value in sorted(last.attributes.items())],
        "points": course[-_MOST_POINTS:],
        "buckets": _buckets(last),
    }


def _course(group: Sequence[Point]) -> Iterator[list[Any]]:
    """Return time, value and count; what counts is added up over all processes that counted, as a fleet's would be."""
    streams: dict[tuple[str, int | None], tuple[float, int]] = {}
    for point in group:
        moment = point.time_ns / 1e6
        if point.kind not in _ADDED_UP:
            yield [moment, shown(point.value), point.count]
            continue
        stream = encode(point.resource), point.start_ns
        value, count = point.value or 0.0, point.count or 0
        if point.data.get("temporality") == "DELTA":
            before = streams.get(stream, (0.0, 0))
            value, count = before[0] + value, before[1] + count
        streams[stream] = value, count
        yield [moment, sum(one[0] for one in streams.values()), sum(one[1] for one in streams.values())]


def _buckets(point: Point) -> list[list[Any]]:
    """Return upper bounds and counts of a histogram; the last has no bound."""
    counts, bounds = point.data.get("bucket_counts"), point.data.get("explicit_bounds")
    if not isinstance(counts, list) or not isinstance(bounds, list):
        return []
    return [[bounds[at] if at < len(bounds) else None, count] for at, count in enumerate(counts)]
