"""Records as OTLP JSON (the mapping of the OpenTelemetry protocol's ``TracesData``, ``LogsData``, ``MetricsData``)."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from obs_run.telemetry.records import KINDS, STATUSES
from obs_run.telemetry.values import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from obs_run.pipeline.signals import Signal
    from obs_run.telemetry.records import LogLine, Point, Span

Json = dict[str, Any]

_TEMPORALITIES = {"DELTA": 1, "CUMULATIVE": 2}
_FIELDS_OF_DATA = {
    "Sum": "sum",
    "Gauge": "gauge",
    "Histogram": "histogram",
    "ExponentialHistogram": "exponentialHistogram",
    "Summary": "summary",
}


def trace_json(spans: Sequence[Span], logs: Sequence[LogLine]) -> Json:
    """Return ``spans`` and ``logs`` as one object with ``resourceSpans`` and ``resourceLogs``."""
    return signal_json("traces", spans) | signal_json("logs", logs)


def signal_json(signal: Signal, records: Sequence[Any]) -> Json:
    """Return records of one signal as one object of ``TracesData``, ``LogsData`` or ``MetricsData``.

    Each metric point is a metric of its own, which the protocol allows.
    """
    if signal == "traces":
        return {"resourceSpans": _grouped(records, "scopeSpans", "spans", _span)}
    if signal == "logs":
        return {"resourceLogs": _grouped(records, "scopeLogs", "logRecords", _log)}
    known = [point for point in records if point.kind in _FIELDS_OF_DATA]
    return {"resourceMetrics": _grouped(known, "scopeMetrics", "metrics", _metric)}


def _grouped(records: Sequence[Any], scopes_name: str, records_name: str, convert: Callable[[Any], Json]) -> list[Json]:
    resources: dict[str, Json] = {}
    scopes: dict[tuple[str, Any], Json] = {}
    for record in records:
        key = encode(record.resource)
        resource = resources.get(key)
        if resource is None:
            resource = resources[key] = {"resource": {"attributes": _attributes(record.resource)}, scopes_name: []}
        name = None
        if record.scope:
            name = record.scope.name, record.scope.version, encode(record.scope.attributes)
        scope = scopes.get((key, name))
        if scope is None:
            scope = scopes[key, name] = {"scope": _scope(record.scope), records_name: []}
            resource[scopes_name].append(scope)
        scope[records_name].append(convert(record))
    return list(resources.values())


def _scope(scope: Any) -> Json:
    if scope is None:
        return {}
    fields: Json = {"name": scope.name}
    if scope.version:
        fields["version"] = scope.version
    if scope.attributes:
        fields["attributes"] = _attributes(scope.attributes)
    return fields


def _span(span: Span) -> Json:
    status: Json = {"code": STATUSES.index(span.status)} if span.status != "unset" else {}
    fields: Json = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "traceState": span.trace_state,
        "name": span.name,
        "kind": KINDS.index(span.kind),
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": None if span.end_ns is None else str(span.end_ns),
        "attributes": _attributes(span.attributes),
        "events": [
            {"timeUnixNano": str(event.time_ns), "name": event.name, "attributes": _attributes(event.attributes)}
            for event in span.events
        ],
        "links": [
            {"traceId": link.trace_id, "spanId": link.span_id, "attributes": _attributes(link.attributes)}
            for link in span.links
        ],
        "status": status | ({"message": span.status_text} if span.status_text else {}),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _log(line: LogLine) -> Json:
    fields: Json = {
        "timeUnixNano": str(line.time_ns),
        "severityNumber": line.severity,
        "severityText": line.severity_text,
        "eventName": line.event_name,
        "body": None if line.body is None else _value(line.body),
        "attributes": _attributes(line.attributes),
        "traceId": line.trace_id,
        "spanId": line.span_id,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _metric(point: Point) -> Json:
    data, kind = point.data, point.kind
    fields: Json = {"dataPoints": [_point(point)]}
    if data.get("temporality") in _TEMPORALITIES:
        fields["aggregationTemporality"] = _TEMPORALITIES[data["temporality"]]
    if kind == "Sum":
        fields["isMonotonic"] = bool(data.get("monotonic"))
    metric = {"name": point.name, "description": data.get("description"), "unit": point.unit}
    return {name: value for name, value in metric.items() if value} | {_FIELDS_OF_DATA[kind]: fields}


def _point(point: Point) -> Json:
    data = point.data
    fields: Json = {
        "attributes": _attributes(point.attributes),
        "startTimeUnixNano": None if point.start_ns is None else str(point.start_ns),
        "timeUnixNano": str(point.time_ns),
        "exemplars": [_exemplar(exemplar) for exemplar in data.get("exemplars") or ()] or None,
    }
    if point.kind in ("Sum", "Gauge"):
        fields["asDouble"] = None if point.value is None else _double(point.value)
        return {name: value for name, value in fields.items() if value is not None}
    fields |= {
        "count": str(point.count or 0),
        "sum": None if point.value is None else _double(point.value),
        "min": _double_or_none(data.get("min")),
        "max": _double_or_none(data.get("max")),
        "bucketCounts": _counts(data.get("bucket_counts")),
        "explicitBounds": data.get("explicit_bounds"),
        "scale": data.get("scale"),
        "zeroCount": None if data.get("zero_count") is None else str(data["zero_count"]),
        "quantileValues": [{"quantile": one[0], "value": one[1]} for one in data.get("quantiles") or ()] or None,
    }
    for name in ("positive", "negative"):
        if data.get(name):
            counts = _counts(data[name]["bucket_counts"])
            fields[name] = {"offset": data[name]["offset"], "bucketCounts": counts}
    return {name: value for name, value in fields.items() if value is not None}


def _counts(counts: Sequence[int] | None) -> list[str] | None:
    return None if counts is None else [str(count) for count in counts]


def _exemplar(exemplar: Json) -> Json:
    fields = {
        "timeUnixNano": str(exemplar["time_ns"]),
        "asDouble": _double(exemplar["value"]),
        "traceId": exemplar.get("trace_id"),
        "spanId": exemplar.get("span_id"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _attributes(attributes: Mapping[str, Any]) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> Json:  # noqa: PLR0911 (one return a type of AnyValue)
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": _double(value)}
    if isinstance(value, bytes):
        return {"bytesValue": b64encode(value).decode("ascii")}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _attributes(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {} if value is None else {"stringValue": value}


def _double(value: float) -> float | str:
    return value if math.isfinite(value) else _not_finite(value)


def _double_or_none(value: float | None) -> float | str | None:
    return None if value is None else _double(value)


def _not_finite(value: float) -> str:
    # The JSON mapping of protocol buffers.
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
