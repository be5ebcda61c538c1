"""OTLP JSON (``TracesData``, ``LogsData``, ``MetricsData``) as plain records; the other direction is ``otlp_json``."""

from __future__ import annotations

import math
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.core import semconv
from obs_run.telemetry.records import KINDS, STATUSES, Event, Link, LogLine, Point, Scope, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from obs_run.pipeline.signals import Signal

Json = dict[str, Any]

_INT64 = 2**63
_LATEST = 253_402_300_799 * 10**9  # the last second of the year 9999, which Python's dates end with
_DEEPEST = 64
_KINDS_OF_DATA = {
    "sum": "Sum",
    "gauge": "Gauge",
    "histogram": "Histogram",
    "exponentialHistogram": "ExponentialHistogram",
    "summary": "Summary",
}
_TEMPORALITIES = ("UNSPECIFIED", "DELTA", "CUMULATIVE")
_NOT_READ = (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError)
"""What reading raises for JSON that is none of OTLP's."""


@dataclass(slots=True)
class Records:
    """What was read, and how many records of it are of no use."""

    spans: list[Span] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    damaged: int = 0

    def __len__(self) -> int:
        """Return how many records were read."""
        return len(self.spans) + len(self.logs) + len(self.points)

    def by_signal(self) -> Iterator[tuple[Signal, Sequence[Any]]]:
        """Yield the records of each signal of which there are any."""
        if self.spans:
            yield "traces", self.spans
        if self.logs:
            yield "logs", self.logs
        if self.points:
            yield "metrics", self.points

    def add(self, data: Any) -> None:
        """Add what one object holds, or one answer of Jaeger's; ``ValueError`` if it is no OTLP JSON at all."""
        if isinstance(data, dict) and isinstance(data.get("result"), dict):
            data = data["result"]
        if not isinstance(data, dict) or not (data.keys() & _SIGNALS.keys() or not data):
            raise ValueError("not an object with resourceSpans, resourceLogs or resourceMetrics")
        for name, (scopes, items, read) in _SIGNALS.items():
            for resource, scope, item in self._items(data.get(name), scopes, items):
                self._read(read, item, resource, scope)

    def _read(self, read: Callable[..., None], *values: Any) -> None:
        try:
            read(self, *values)
        except _NOT_READ:
            self.damaged += 1

    def _items(self, groups: Any, scopes: str, items: str) -> Iterator[tuple[Json, Scope | None, Any]]:
        for group in self._list(groups):
            resource = self._resource(group)
            for scoped in self._list(group.get(scopes) if isinstance(group, dict) else None):
                scope = self._scope(scoped)
                for item in self._list(scoped.get(items) if isinstance(scoped, dict) else None):
                    yield resource, scope, item

    def _list(self, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        self.damaged += value is not None
        return []

    def _resource(self, group: Any) -> Json:
        try:
            return _attributes(group.get("resource") or {})
        except _NOT_READ:
            self.damaged += 1
            return {}

    def _scope(self, scoped: Any) -> Scope | None:
        try:
            scope = scoped.get("scope") or {}
            if not scope:
                return None
            return Scope(_text(scope.get("name")), _text(scope.get("version")), _attributes(scope))
        except _NOT_READ:
            self.damaged += 1
            return None

    def _add_span(self, item: Any, resource: Json, scope: Scope | None) -> None:
        self.spans.append(_span(item, resource, scope))

    def _add_log(self, item: Any, resource: Json, scope: Scope | None) -> None:
        self.logs.append(_log(item, resource, scope))

    def _add_metric(self, item: Any, resource: Json, scope: Scope | None) -> None:
        for name, kind in _KINDS_OF_DATA.items():
            data = item.get(name)
            for point in self._list(None if data is None else data.get("dataPoints")):
                self._read(Records._add_point, point, item, kind, data, resource, scope)

    def _add_point(self, point: Json, metric: Json, kind: str, data: Json, resource: Json, scope: Scope | None) -> None:
        self.points.append(_point(point, metric, kind, data, resource, scope))


_SIGNALS: dict[str, tuple[str, str, Any]] = {
    "resourceSpans": ("scopeSpans", "spans", Records._add_span),  # noqa: SLF001 (its own table)
    "resourceLogs": ("scopeLogs", "logRecords", Records._add_log),  # noqa: SLF001 (as above)
    "resourceMetrics": ("scopeMetrics", "metrics", Records._add_metric),  # noqa: SLF001 (as above)
}


def service_of(resource: Mapping[str, Any]) -> str:
    """Return the service's name in attributes of a resource."""
    return str(resource.get("service.name") or "unknown")


def span_fields(attributes: Mapping[str, Any]) -> Json:
    """Return what of a span's attributes has a field of its own in :class:`obs_run.telemetry.records.Span`."""
    read = attributes.get
    return {
        "operation": _text_or_none(read(semconv.OPERATION_NAME)),
        "agent": _text_or_none(read(semconv.AGENT_NAME)),
        "conversation": _text_or_none(read(semconv.CONVERSATION_ID)),
        "model": _text_or_none(read(semconv.RESPONSE_MODEL) or read(semconv.REQUEST_MODEL)),
        "tool": _text_or_none(read(semconv.TOOL_NAME)),
        "input_tokens": _whole(read(semconv.USAGE_INPUT_TOKENS)),
        "output_tokens": _whole(read(semconv.USAGE_OUTPUT_TOKENS)),
        "cost": _number(read(semconv.OBS_COST_TOTAL)),
    }


def _span(item: Json, resource: Json, scope: Scope | None) -> Span:
    attributes = _attributes(item)
    status = item.get("status") or {}
    end = _time(item.get("endTimeUnixNano"))
    return Span(
        trace_id=_id(item["traceId"], 32),
        span_id=_id(item["spanId"], 16),
        parent_id=_id(item["parentSpanId"], 16) if item.get("parentSpanId") else None,
        name=_text(item.get("name")),
        kind=_named(KINDS, item.get("kind"), "SPAN_KIND_"),
        start_ns=_time(item.get("startTimeUnixNano")) or 0,
        end_ns=end,
        status=_named(STATUSES, status.get("code"), "STATUS_CODE_"),
        status_text=_text_or_none(status.get("message")),
        unfinished=bool(attributes.get(semconv.OBS_SPAN_UNFINISHED) or attributes.get(semconv.OBS_SPAN_OPEN))
        or end is None,
        service=service_of(resource),
        **span_fields(attributes),
        trace_state=_text_or_none(item.get("traceState")),
        attributes=attributes,
        events=tuple(_event(event) for event in item.get("events") or ()),
        links=tuple(_link(link) for link in item.get("links") or ()),
        resource=resource,
        scope=scope,
    )


def _event(item: Json) -> Event:
    return Event(_text(item.get("name")), _time(item.get("timeUnixNano")) or 0, _attributes(item))


def _link(item: Json) -> Link:
    return Link(_id(item["traceId"], 32), _id(item["spanId"], 16), _attributes(item))


def _log(item: Json, resource: Json, scope: Scope | None) -> LogLine:
    severity = item.get("severityNumber")
    return LogLine(
        time_ns=_time(item.get("timeUnixNano")) or _time(item.get("observedTimeUnixNano")) or 0,
        severity=_severity(severity) if severity else None,
        severity_text=_text_or_none(item.get("severityText")),
        body=_value(item.get("body") or {}),
        event_name=_text_or_none(item.get("eventName")),
        trace_id=_id(item["traceId"], 32) if item.get("traceId") else None,
        span_id=_id(item["spanId"], 16) if item.get("spanId") else None,
        service=service_of(resource),
        attributes=_attributes(item),
        resource=resource,
        scope=scope,
    )


def _point(point: Json, metric: Json, kind: str, data: Json, resource: Json, scope: Scope | None) -> Point:
    number = next((point[name] for name in ("asDouble", "asInt", "sum") if point.get(name) is not None), None)
    count = point.get("count")
    return Point(
        name=_text(metric.get("name")),
        kind=kind,
        unit=_text_or_none(metric.get("unit")),
        start_ns=_time(point.get("startTimeUnixNano")),
        time_ns=_time(point.get("timeUnixNano")) or 0,
        value=None if number is None else float(number),
        count=None if count is None else int(count),
        service=service_of(resource),
        attributes=_attributes(point),
        data={name: value for name, value in _shape(point, metric, data) if value is not None},
        resource=resource,
        scope=scope,
    )


def _shape(point: Json, metric: Json, data: Json) -> Iterator[tuple[str, Any]]:
    temporality = data.get("aggregationTemporality")
    if temporality is not None:
        yield "temporality", _named(_TEMPORALITIES, temporality, "AGGREGATION_TEMPORALITY_", "").upper()
    yield "monotonic", data.get("isMonotonic")
    yield "description", metric.get("description") or None
    for name in ("min", "max"):
        yield name, None if point.get(name) is None else float(point[name])
    yield "bucket_counts", _ints(point.get("bucketCounts"))
    bounds = point.get("explicitBounds")
    yield "explicit_bounds", None if bounds is None else [float(bound) for bound in bounds]
    for name, theirs in (("scale", "scale"), ("zero_count", "zeroCount")):
        yield name, None if point.get(theirs) is None else int(point[theirs])
    for name in ("positive", "negative"):
        buckets = point.get(name)
        if buckets is not None:
            counts = _ints(buckets.get("bucketCounts")) or []
            yield name, {"offset": int(buckets.get("offset") or 0), "bucket_counts": counts}
    quantiles = point.get("quantileValues")
    if quantiles:
        yield "quantiles", [[float(one.get("quantile") or 0), float(one.get("value") or 0)] for one in quantiles]
    exemplars = [_exemplar(exemplar) for exemplar in point.get("exemplars") or ()]
    yield "exemplars", exemplars or None


def _exemplar(exemplar: Json) -> Json:
    number = next((exemplar[name] for name in ("asDouble", "asInt") if exemplar.get(name) is not None), 0)
    return {
        "value": float(number),
        "time_ns": _time(exemplar.get("timeUnixNano")) or 0,
        "trace_id": _id(exemplar["traceId"], 32) if exemplar.get("traceId") else None,
        "span_id": _id(exemplar["spanId"], 16) if exemplar.get("spanId") else None,
    }


def _ints(values: Any) -> list[int] | None:
    return None if values is None else [int(value) for value in values]


def _id(value: Any, digits: int) -> str:
    """Return an id as hex; protocol buffers' own JSON, which some tools write, has it as base64."""
    text = str(value)
    if len(text) == digits:
        int(text, 16)
        return text.lower()
    found = b64decode(text, validate=True).hex()
    if len(found) != digits:
        raise ValueError(f"{text!r} is not an id of {digits} hexadecimal digits")
    return found


def _time(value: Any) -> int | None:
    moment = int(value or 0)
    if not 0 <= moment <= _LATEST:
        raise ValueError(f"{value!r} is not a time")
    return moment or None


def _named(names: tuple[str, ...], value: Any, prefix: str, default: str | None = None) -> str:
    """Return the name for an enum's number, or for its name, which JSON may have instead."""
    if isinstance(value, str) and not value.isdecimal():
        found = value.removeprefix(prefix)
        return next((name for name in names if name.upper() == found), names[0] if default is None else default)
    return names[int(value or 0)]


def _severity(value: Any) -> int:
    if isinstance(value, str) and not value.isdecimal():
        # SEVERITY_NUMBER_ERROR, SEVERITY_NUMBER_ERROR2
        name = value.removeprefix("SEVERITY_NUMBER_")
        base = name.rstrip("234")
        levels = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
        return levels.index(base) * 4 + int(name[len(base) :] or 1)
    return int(value)


def _attributes(holder: Json) -> Json:
    return _pairs(holder.get("attributes"), 0)


def _pairs(pairs: Any, depth: int) -> Json:
    return {str(pair["key"]): _value(pair.get("value") or {}, depth) for pair in pairs or ()}


def _value(value: Json, depth: int = 0) -> Any:
    for kind, content in value.items():
        if kind in ("arrayValue", "kvlistValue"):
            if depth >= _DEEPEST:
                return "(nested too deep)"
            values = content.get("values")
            if kind == "kvlistValue":
                return _pairs(values, depth + 1)
            return [_value(item, depth + 1) for item in values or ()]
        return _READ[kind](content)
    return None


def _bool(value: Any) -> bool:
    return value == "true" if isinstance(value, str) else bool(value)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "stringValue": str,
    "boolValue": _bool,
    "intValue": int,  # JSON has it as a string
    "doubleValue": float,
    "bytesValue": b64decode,
}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _text_or_none(value: Any) -> str | None:
    return str(value) if value else None


def _whole(value: Any) -> int | None:
    is_whole = isinstance(value, (int, float)) and math.isfinite(value) and -_INT64 <= value < _INT64
    return int(value) if is_whole else None


def _number(value: Any) -> float | None:
    is_finite = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if is_finite else None
