"""Whether recorded telemetry keeps to the conventions: every span, event and metric, with nothing that is not listed.

``findings`` returns one sentence for each fault; the places where obs-run differs on purpose are in ``exceptions``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from obs_run.base import payload
from obs_run.core import semconv
from tests.semconv import conventions, exceptions
from tests.semconv.conventions import ATTRIBUTES, CONTENT, DEPRECATED, FREE_CONTENT, INFERENCES, METRICS, SPANS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_OURS = frozenset(value for value in vars(semconv).values() if isinstance(value, str) and value.startswith("obs."))
_JUDGED = (
    "gen_ai.",
    "openai.",
    "db.",
    "server.",
    "error.",
    "exception.",
    "aws.",
    "azure.",
    "mcp.",
    "jsonrpc.",
    "messaging.",
    "obs.",
)
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "double": lambda value: isinstance(value, float),
    "string[]": lambda value: isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value),
}
_CLOSED = (
    "gen_ai.output.type",
    "gen_ai.response.status",
    "openai.api.type",
    "gen_ai.token.modality",
    "mcp.method.name",
    "messaging.operation.type",
)
_KNOWN_VALUES = {
    "gen_ai.operation.name": exceptions.OPERATIONS,
    "gen_ai.provider.name": exceptions.PROVIDERS,
}


_OPERATIONS = ("gen_ai.operation.name", "db.system.name", "mcp.method.name", "messaging.operation.name")
"""What tells that a span is one of an operation that the conventions describe."""


def findings(spans: Iterable[Any], logs: Iterable[Any], metrics: Iterable[Any], scope: str | None = None) -> list[str]:
    """Return what is wrong with spans (``ReadableSpan``), log records, and ``MetricsData``, of one ``scope`` or all."""
    found = [f"span {span.name!r}: {fault}" for span in spans for fault in _span(span)]
    found += [f"event {log.event_name}: {fault}" for log in logs if log.event_name for fault in _event(log)]
    found += [f"metric {metric.name}: {fault}" for metric in _metrics(metrics, scope) for fault in _metric(metric)]
    return list(dict.fromkeys(found))


def _span(span: Any) -> Iterator[str]:
    attributes = dict(span.attributes or {})
    yield from _attributes(attributes)
    yield from _content(attributes, structured=False)
    operation = attributes.get("gen_ai.operation.name")
    if "mcp.method.name" in attributes and not span.name.startswith("execute_tool"):
        yield from _mcp(span, attributes)
    elif operation is not None:
        yield from _operation(span, operation, attributes)
        yield from _usage(attributes)
    elif "db.system.name" in attributes:
        yield from _database(span, attributes)
    elif "messaging.operation.name" in attributes:
        yield from _messaging(span, attributes)
    failed = span.status.status_code.name == "ERROR"
    if not attributes.keys().isdisjoint(_OPERATIONS) and failed != ("error.type" in attributes):
        yield "status ERROR and error.type go together"
    if any(event.name == "exception" and "exception.type" not in event.attributes for event in span.events):
        yield "an exception has no type"


def _operation(span: Any, operation: str, attributes: Mapping[str, Any]) -> Iterator[str]:
    rule = SPANS.get(operation) or conventions.Span("gen_ai.request.model", ("CLIENT", "INTERNAL"), ())
    if span.kind.name not in rule.kinds:
        yield f"kind is {span.kind.name}"
    subject = attributes.get(rule.subject) if rule.subject else None
    if span.name != (f"{operation} {subject}" if subject else operation):
        yield f"the name is not made of {operation!r} and {subject!r}"
    yield from (f"{name} is missing" for name in rule.required if name not in attributes)
    if ("server.address" in attributes) != ("server.port" in attributes):
        yield "server.address and server.port go together"
    if attributes.get("gen_ai.request.stream") is False:
        yield "gen_ai.request.stream is set only while streaming"
    if attributes.get("gen_ai.request.choice.count") == 1:
        yield "gen_ai.request.choice.count is left out where it is 1"
    if "gen_ai.response.time_to_first_chunk" in attributes and not attributes.get("gen_ai.request.stream"):
        yield "gen_ai.response.time_to_first_chunk without gen_ai.request.stream"
    counts_elsewhere = operation == "execute_tool" or (
        operation == "fetch_response" and attributes.get("obs.usage.source") != "fetched"
    )
    if counts_elsewhere and any(name.startswith("gen_ai.usage.") for name in attributes):
        yield "token usage would be counted twice"


def _usage(attributes: Mapping[str, Any]) -> Iterator[str]:
    for direction, parts in (("input", ("cache_read", "cache_write")), ("output", ("reasoning",))):
        whole = attributes.get(f"gen_ai.usage.{direction}_tokens")
        for kinds in (parts, ("text", "image", "audio")):
            names = [f"gen_ai.usage.{kind}.{direction}_tokens" for kind in kinds]
            known = [attributes[name] for name in names if name in attributes]
            if known and whole is not None and sum(known) > whole:
                yield f"{', '.join(names)} are more than all {direction} tokens ({sum(known)} > {whole})"


def _database(span: Any, attributes: Mapping[str, Any]) -> Iterator[str]:
    operation, collection = attributes.get("db.operation.name"), attributes.get("db.collection.name")
    if operation is None:
        yield "db.operation.name is missing"
    elif span.name != (f"{operation} {collection}" if collection else operation):
        yield f"the name is not made of {operation!r} and {collection!r}"
    if span.kind.name != "CLIENT":
        yield f"kind is {span.kind.name}"
    if attributes.get("db.operation.batch.size") == 1:
        yield "db.operation.batch.size is left out where it is 1"


def _mcp(span: Any, attributes: Mapping[str, Any]) -> Iterator[str]:
    method = attributes["mcp.method.name"]
    subject = attributes.get("gen_ai.tool.name") or attributes.get("gen_ai.prompt.name")
    if span.name != (f"{method} {subject}" if subject else method):
        yield f"the name is not made of {method!r} and {subject!r}"
    if span.kind.name not in ("CLIENT", "SERVER"):
        yield f"kind is {span.kind.name}"
    operation = attributes.get("gen_ai.operation.name")
    if operation != ("execute_tool" if method == "tools/call" else None):
        yield f"gen_ai.operation.name is {operation!r}"
    if attributes.get("jsonrpc.protocol.version") == "2.0":
        yield "jsonrpc.protocol.version is left out where it is 2.0"


def _messaging(span: Any, attributes: Mapping[str, Any]) -> Iterator[str]:
    operation = attributes["messaging.operation.name"]
    destination = attributes.get("messaging.destination.template") or attributes.get("messaging.destination.name")
    subject = attributes.get("rpc.method") or destination
    if span.name != (f"{operation} {subject}" if subject else operation):
        yield f"the name is not made of {operation!r} and {subject!r}"
    kind = conventions.MESSAGING_KINDS.get(attributes.get("messaging.operation.type", ""))
    if kind not in (None, span.kind.name) and (operation, span.kind.name) not in exceptions.CALLS_BY_MESSAGES:
        yield f"kind is {span.kind.name}"
    if "messaging.system" not in attributes:
        yield "messaging.system is missing"


def _attributes(attributes: Mapping[str, Any]) -> Iterator[str]:
    for name, value in attributes.items():
        rule = ATTRIBUTES.get(name)
        if name in exceptions.VIEWERS:
            continue
        if name in DEPRECATED:
            yield f"{name} is deprecated"
        elif name.startswith("obs."):
            if name not in _OURS:
                yield f"{name} is not declared in core.semconv"
        elif rule is None:
            if name.startswith(_JUDGED):
                yield f"{name} is unknown"
        else:
            yield from _value(name, value, rule)


def _value(name: str, value: Any, rule: Mapping[str, Any]) -> Iterator[str]:
    fits = _TYPES.get(rule["type"])
    if fits is not None and not fits(value):
        yield f"{name} is {value!r}, and not {rule['type']}"
    elif value in ("", (), []):
        yield f"{name} is empty"
    elif name in _KNOWN_VALUES and value not in (*rule["members"], *_KNOWN_VALUES[name]):
        yield f"{name} is {value!r}, which is neither predefined nor listed"
    elif name in _CLOSED and value not in (*rule["members"], *exceptions.STATUSES, *exceptions.METHODS):
        yield f"{name} is {value!r}, which is not one of {rule['members']}"


def _content(attributes: Mapping[str, Any], *, structured: bool, allows_unlisted_parts: bool = False) -> Iterator[str]:
    for name, schema in CONTENT.items():
        value = attributes.get(name)
        if value is None:
            continue
        if isinstance(value, str) == structured:
            yield f"{name} is {'text' if structured else 'no JSON text'}"
            continue
        said = _plain(value) if structured else json.loads(value)
        yield from (
            f"{name}{error.json_path[1:]}: {error.message[:200]}" for error in _validator(schema).iter_errors(said)
        )
        yield from _parts(name, said, allows_unlisted=allows_unlisted_parts)


def _parts(name: str, said: Any, *, allows_unlisted: bool) -> Iterator[str]:
    if name.endswith("messages"):
        kinds = {part.get("type") for message in said for part in message.get("parts", ())}
        wrong = kinds & {None, ""} if allows_unlisted else kinds - {*exceptions.PARTS, *_PART_TYPES}
        yield from (f"{name} has parts of type {kind!r}, which is not listed" for kind in sorted(wrong, key=repr))


_PART_TYPES = (
    "text",
    "tool_call",
    "tool_call_response",
    "server_tool_call",
    "server_tool_call_response",
    "blob",
    "file",
    "uri",
    "reasoning",
    "compaction",
)


def _event(log: Any) -> Iterator[str]:
    if log.event_name not in conventions.EVENTS:
        yield "is unknown"
        return
    attributes = dict(log.attributes or {})
    wanted = conventions.EVENTS[log.event_name]
    if log.severity_number is None or log.severity_number.value != wanted:
        yield f"severity is not {wanted}"
    if not log.trace_id or not log.span_id:
        yield "belongs to no span"
    yield from _attributes(attributes)
    yield from _content(attributes, structured=True)
    if log.event_name.endswith("details"):
        yield from _usage(attributes)
        if attributes.get("gen_ai.operation.name") not in (*INFERENCES, *exceptions.OPERATIONS):
            yield "is for inferences alone"
    elif "exception.type" not in attributes and "exception.message" not in attributes:
        yield "has neither exception.type nor exception.message"


def _metrics(collections: Iterable[Any], wanted: str | None) -> Iterator[Any]:
    for collected in collections:
        for resource in collected.resource_metrics:
            for scope in resource.scope_metrics:
                name = payload.get_text(scope, "scope", "name")
                if name == wanted or (wanted is None and name not in exceptions.MEASURERS):
                    yield from (metric for metric in scope.metrics if metric.name.startswith(_JUDGED))


def _metric(metric: Any) -> Iterator[str]:
    rule = METRICS.get(metric.name)
    if rule is None:
        if metric.name not in exceptions.METRICS:
            yield "is unknown"
        return
    if metric.unit != rule.unit:
        yield f"unit is {metric.unit!r}"
    data = type(metric.data).__name__
    if data != ("Histogram" if rule.instrument == "histogram" else "Sum"):
        yield f"is a {data}"
    elif data == "Sum" and metric.data.is_monotonic != (rule.instrument == "counter"):
        yield f"is no {rule.instrument}"
    for point in metric.data.data_points:
        labels = dict(point.attributes or {})
        own_labels = exceptions.LABELS.get(metric.name, {})
        yield from _attributes({name: value for name, value in labels.items() if name not in own_labels})
        yield from (f"has no label {name}" for name in rule.required if name not in labels)
        yield from (f"has the label {name}" for name in labels if name not in rule.labels and name not in own_labels)
        if rule.buckets is not None and list(point.explicit_bounds) != rule.buckets:
            yield f"has buckets {list(point.explicit_bounds)}"


def carries_content(spans: Iterable[Any]) -> list[str]:
    """Return the names of spans' attributes that hold content, which is wrong where it was not asked for."""
    content = (*CONTENT, *FREE_CONTENT)
    return sorted({name for span in spans for name in content if name in (span.attributes or {})})


@cache
def _validator(schema: str) -> Draft202012Validator:
    if schema in conventions.SCHEMAS_SINCE:
        return Draft202012Validator(conventions.SCHEMAS_SINCE[schema])
    path = Path(__file__).parent / "v1.41.0" / f"gen-ai-{schema}.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    unknown = exceptions.NOT_REQUIRED.get(schema, {})
    for kind, names in {**conventions.NO_LONGER_REQUIRED.get(schema, {}), **unknown}.items():
        told["$defs"][kind]["required"] = [name for name in told["$defs"][kind]["required"] if name not in names]
    return Draft202012Validator(told)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items()}
    return value
