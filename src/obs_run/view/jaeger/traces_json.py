"""A trace as Jaeger's older API has it: tags, logs, references and processes."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from obs_run.telemetry.values import encode
from obs_run.view.jaeger.adjusting import clock_warnings
from obs_run.view.jaeger.values import as_string

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from obs_run.telemetry.records import Event, Span
    from obs_run.view.source import Recorded

Json = dict[str, Any]
_Order = Callable[[list[Json]], list[Json]]

_LARGEST_SAFE = 2**53 - 1
_SERVICE = "service.name"
_MISSING = "invalid parent span IDs={}; skipping clock skew adjustment"
_REFERENCE_TYPE = "opentracing.ref_type"


def trace_json(recorded: Recorded, *, raw: bool) -> Json:
    """Return one trace; one that is not raw has its tags sorted, and warnings."""
    warnings = {} if raw else clock_warnings(recorded.spans, _host, _MISSING)
    order = _as_it_is if raw else _sorted
    processes = _Processes(order)
    return {
        "traceID": short_id(recorded.trace.trace_id),
        "spans": [
            _span(span, processes.key(span), order) | {"warnings": warnings.get(span.span_id)}
            for span in recorded.spans
        ],
        "processes": processes.found,
        "warnings": None,
    }


class _Processes:
    """The services of a trace with their resources, each under a key of its own."""

    def __init__(self, order: _Order) -> None:
        self.found: dict[str, Json] = {}
        self._order = order
        self._keys: dict[str, str] = {}

    def key(self, span: Span) -> str:
        text = encode(span.resource)
        if text not in self._keys:
            key = self._keys[text] = f"p{len(self._keys) + 1}"
            tags = {name: value for name, value in span.resource.items() if name != _SERVICE}
            self.found[key] = {"serviceName": span.service, "tags": self._order(_tags(tags))}
        return self._keys[text]


def _span(span: Span, process: str, order: _Order) -> Json:
    start = span.start_ns // 1000
    return {
        "traceID": short_id(span.trace_id),
        "spanID": span.span_id,
        "operationName": span.name,
        "references": _references(span),
        "startTime": start,
        "duration": ((span.end_ns or span.start_ns) - span.start_ns) // 1000,
        "tags": order([*_scope_tags(span), *_tags(span.attributes), *_status_tags(span)]),
        "logs": [_log(event, order) for event in span.events],
        "processID": process,
    }


def _references(span: Span) -> list[Json]:
    references: list[Json] = []
    if span.parent_id:
        references.append(_reference("CHILD_OF", span.trace_id, span.parent_id))
    for link in span.links:
        kind = "CHILD_OF" if link.attributes.get(_REFERENCE_TYPE) == "child_of" else "FOLLOWS_FROM"
        if span.parent_id and (link.trace_id, link.span_id) == (span.trace_id, span.parent_id):
            references[0]["refType"] = kind
        else:
            references.append(_reference(kind, link.trace_id, link.span_id))
    return references


def _reference(kind: str, trace_id: str, span_id: str) -> Json:
    return {"refType": kind, "traceID": short_id(trace_id), "spanID": span_id}


def _scope_tags(span: Span) -> Iterator[Json]:
    if span.scope is not None and span.scope.name:
        yield _tag("otel.scope.name", span.scope.name)
    if span.scope is not None and span.scope.version:
        yield _tag("otel.scope.version", span.scope.version)


def _status_tags(span: Span) -> Iterator[Json]:
    if span.kind != "unspecified":
        yield _tag("span.kind", span.kind)
    if span.status != "unset":
        yield _tag("otel.status_code", span.status.upper())
    if span.status == "error":
        yield _tag("error", value=True)
    if span.status_text:
        yield _tag("otel.status_description", span.status_text)
    if span.trace_state:
        yield _tag("w3c.tracestate", span.trace_state)


def _log(event: Event, order: _Order) -> Json:
    attributes = event.attributes
    if event.name and "event" not in attributes:
        attributes = {"event": event.name, **attributes}
    fields = _tags(attributes)
    named = [field for field in fields if field["key"] == "event"]
    return {
        "timestamp": event.time_ns // 1000,
        "fields": order(named) + order([field for field in fields if field not in named]),
    }


def _as_it_is(tags: list[Json]) -> list[Json]:
    return tags


def _sorted(tags: list[Json]) -> list[Json]:
    return sorted(tags, key=lambda tag: str(tag["key"]))


def _host(span: Span) -> str:
    # The older API knows hosts by a name of OpenTracing's time only.
    return as_string(span.resource.get("ip"))


def _tags(attributes: Mapping[str, Any]) -> list[Json]:
    return [_tag(name, value) for name, value in attributes.items()]


def _tag(key: str, value: Any) -> Json:
    kind, shown = _typed(value)
    return {"key": key, "type": kind, "value": shown}


def _typed(value: Any) -> tuple[str, Any]:
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int):
        return "int64", value if abs(value) <= _LARGEST_SAFE else str(value)
    if isinstance(value, float):
        return "float64", value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return "binary", b64encode(value).decode("ascii")
    return "string", as_string(value)


def short_id(trace_id: str) -> str:
    """Return a trace id as this API has it: with half of the digits where the others are 0."""
    half = len(trace_id) // 2
    return trace_id if trace_id[:half].strip("0") else trace_id[half:]


def answer(data: Sequence[Any] | None, errors: list[Json] | None = None, *, counted: bool = False) -> Json:
    """Return ``data`` in the envelope of the older API, which counts names and nothing else."""
    total = len(data or ()) if counted else 0
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": errors}
