"""OTLP JSON as plain records, as Jaeger's API v3 and the Collector's file exporter write it."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = "str | bool | int | float | bytes | list[Value] | dict[str, Value] | None"
Attributes: TypeAlias = dict[str, Value]

_STATUS = {0: "UNSET", 1: "OK", 2: "ERROR"}
_KIND = {0: "UNSPECIFIED", 1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}


@dataclass(frozen=True)
class Event:
    name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True)
class Link:
    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(frozen=True)
class Span:
    trace_id: str
    span_id: str
    parent_span_id: str  # empty for a root
    name: str
    kind: str
    start_ns: int
    end_ns: int
    status: str
    status_message: str
    attributes: Attributes
    events: list[Event]
    links: list[Link]
    resource: Attributes
    scope: str


@dataclass(frozen=True)
class Log:
    trace_id: str  # empty outside a span
    span_id: str
    time_ns: int
    severity: int
    severity_text: str
    event_name: str
    body: Value
    attributes: Attributes
    resource: Attributes
    scope: str


def spans(data: Mapping[str, Any]) -> list[Span]:
    """Decode one TracesData object."""
    return [
        Span(
            trace_id=span["traceId"],
            span_id=span["spanId"],
            parent_span_id=span.get("parentSpanId", ""),
            name=span.get("name", ""),
            kind=_named(_KIND, span.get("kind", 0), "SPAN_KIND_"),
            start_ns=int(span.get("startTimeUnixNano", 0)),
            end_ns=int(span.get("endTimeUnixNano", 0)),
            status=_named(_STATUS, span.get("status", {}).get("code", 0), "STATUS_CODE_"),
            status_message=span.get("status", {}).get("message", ""),
            attributes=_attributes(span),
            events=[_event(event) for event in span.get("events", [])],
            links=[Link(link["traceId"], link["spanId"], _attributes(link)) for link in span.get("links", [])],
            resource=resource,
            scope=scope,
        )
        for resource, scope, span in _items(data, "resourceSpans", "scopeSpans", "spans")
    ]


def logs(data: Mapping[str, Any]) -> list[Log]:
    """Decode one LogsData object."""
    return [
        Log(
            trace_id=log.get("traceId", ""),
            span_id=log.get("spanId", ""),
            time_ns=int(log.get("timeUnixNano", 0)),
            severity=int(log.get("severityNumber", 0)),
            severity_text=log.get("severityText", ""),
            event_name=log.get("eventName", ""),
            body=_value(log.get("body", {})),
            attributes=_attributes(log),
            resource=resource,
            scope=scope,
        )
        for resource, scope, log in _items(data, "resourceLogs", "scopeLogs", "logRecords")
    ]


def _items(
    data: Mapping[str, Any], by_resource: str, by_scope: str, kind: str
) -> Iterator[tuple[Attributes, str, Mapping[str, Any]]]:
    for group in data.get(by_resource, []):
        resource = _attributes(group.get("resource", {}))
        for scoped in group.get(by_scope, []):
            for item in scoped.get(kind, []):
                yield resource, scoped.get("scope", {}).get("name", ""), item


def _event(event: Mapping[str, Any]) -> Event:
    return Event(event.get("name", ""), int(event.get("timeUnixNano", 0)), _attributes(event))


def _attributes(holder: Mapping[str, Any]) -> Attributes:
    return {pair["key"]: _value(pair.get("value", {})) for pair in holder.get("attributes", [])}


def _value(value: Mapping[str, Any]) -> Value:
    for kind, content in value.items():
        return _READ[kind](content)
    return None


_READ: Mapping[str, Callable[[Any], Value]] = {
    "stringValue": str,
    "boolValue": bool,
    "intValue": int,  # JSON has it as a string
    "doubleValue": float,
    "bytesValue": base64.b64decode,
    "arrayValue": lambda array: [_value(item) for item in array.get("values", [])],
    "kvlistValue": lambda pairs: {pair["key"]: _value(pair.get("value", {})) for pair in pairs.get("values", [])},
}


def _named(names: Mapping[int, str], value: int | str, prefix: str) -> str:
    return names[value] if isinstance(value, int) else value.removeprefix(prefix)
