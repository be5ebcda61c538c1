"""Complete what the agent's thread handed over: content as JSON, cost, resource; on the export thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from obs_run.core import content, semconv
from obs_run.core.operations import Inference
from obs_run.core.recorder import ended
from obs_run.pipeline import redact_items, vector_sql
from obs_run.pipeline.items import LogItem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource

    from obs_run.core.operations import Operation
    from obs_run.pipeline.items import SpanItem
    from obs_run.pipeline.prices import Cost
    from obs_run.pipeline.redact import Redaction


def span_with_operation(
    item: SpanItem, resource: Resource, cost: Cost | None, told: Mapping[str, Any] | None = None
) -> ReadableSpan:
    """Return the span as it is exported: with this process's resource, its content and its cost.

    ``told`` is the operation's content as ``structured_content`` has it.
    """
    span = item.span
    searched = vector_sql.search(span.attributes) if item.operation is None else None
    if item.operation is None and searched is None and span.resource is resource:
        return span
    attributes = span.attributes or {}
    if item.operation is not None:
        # The SDK's mapping answers a copy at once, and ** key by key.
        own = attributes.copy() if hasattr(attributes, "copy") else attributes
        labels = {} if item.timing is None else _clean(ended(item.operation, item.timing))
        attributes = {**own, **labels, **as_json(told or {}), **cost_attributes(cost)}
    elif searched is not None:
        attributes = {**searched.attributes(), **attributes}
    return ReadableSpan(
        name=span.name if searched is None else searched.span_name(),
        context=span.context,
        parent=span.parent,
        resource=_resource(span.resource, resource),
        attributes=attributes,
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


_PLAIN = frozenset([str, int, float, bool])


def _clean(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes as a span keeps them: the SDK makes tuples of lists, and refuses what has no form in OTLP."""
    odd = {name: value for name, value in attributes.items() if type(value) not in _PLAIN}
    if not odd:
        return attributes
    plain = {name: value for name, value in attributes.items() if name not in odd}
    return {**plain, **BoundedAttributes(attributes=odd)}


def _resource(given: Resource, ours: Resource) -> Resource:
    """Return our resource, with what the agent says of itself on a provider of its own."""
    if given is ours or given.attributes.get("telemetry.distro.name") == "obs-run":
        # The second is the parent's, on spans of a forked child.
        return ours
    if str(given.attributes.get("service.name", "")).startswith("unknown_service"):
        return given.merge(ours)
    return ours.merge(given)


def content_attributes(operation: Operation, redaction: Redaction | None) -> dict[str, Any]:
    """Return the operation's content as attributes, where spans are to have it."""
    return as_json(structured_content(operation, redaction)) if content.on_spans() else {}


def as_json(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return content as attributes of a span: JSON texts, which is what trace viewers read."""
    return {name: value if isinstance(value, (str, bool)) else content.to_json(value) for name, value in told.items()}


def structured_content(operation: Operation, redaction: Redaction | None) -> dict[str, Any]:
    """Return the operation's content within the limits, as objects, which is what events carry.

    What cannot be scrubbed is left out, and marked.
    """
    fields: dict[str, str] = getattr(operation, "CONTENT", {})
    values = operation.__dict__
    given = {name: values[key] for key, name in fields.items() if values[key] is not None}
    if redaction is None:
        return {name: content.limited(value) for name, value in given.items()}
    told: dict[str, Any] = {}
    for name, value in given.items():
        told.update(_scrubbed(name, value, redaction))
    return told


def _scrubbed(name: str, value: Any, redaction: Redaction) -> dict[str, Any]:
    try:
        return {name: redaction.content(name, value)}
    except Exception as error:  # noqa: BLE001 (whatever it was, the content must not leave as it is)
        redact_items.say_withheld("content", error)
        return {semconv.OBS_PRIVACY_WITHHELD: True}


def cost_attributes(cost: Cost | None) -> dict[str, Any]:
    """Return what the call cost, in USD; nothing where model or usage are unknown."""
    if cost is None:
        return {}
    return {
        semconv.OBS_COST_INPUT: float(cost.input),
        semconv.OBS_COST_OUTPUT: float(cost.output),
        semconv.OBS_COST_TOTAL: float(cost.total),
        semconv.OBS_COST_PRICE_TABLE: cost.table_version,
    }


def details_event(item: SpanItem, resource: Resource, told: Mapping[str, Any]) -> ReadableLogRecord | None:
    """Return the convention's event with an inference's content as objects, which is ``told``."""
    operation, span = item.operation, item.span
    if not isinstance(operation, Inference) or span.context is None:
        return None
    event = LogItem(
        time_ns=span.end_time or time.time_ns(),
        severity=SeverityNumber.DEBUG.value,
        severity_text="DEBUG",
        body=None,
        attributes={**operation.attributes(), **told},
        trace=(span.context.trace_id, span.context.span_id, int(span.context.trace_flags)),
        scope="obs_run",
        event_name=semconv.EVENT_INFERENCE_DETAILS,
    )
    return log_record(event, resource)


def _encodable(value: Any) -> Any:
    return content.encodable(value) if isinstance(value, str) else value


def log_record(item: LogItem, resource: Resource) -> ReadableLogRecord:
    """Return a log item as a record of the SDK."""
    context = None
    if item.trace_id:
        span_context = SpanContext(item.trace_id, item.span_id, is_remote=False, trace_flags=TraceFlags(item.flags))
        context = set_span_in_context(NonRecordingSpan(span_context))
    record = LogRecord(
        timestamp=item.time_ns,
        observed_timestamp=item.time_ns,
        context=context,
        severity_text=item.severity_text,
        severity_number=SeverityNumber(item.severity),
        body=_encodable(item.body),
        attributes={_encodable(key): _encodable(value) for key, value in item.attributes.items()},
        event_name=item.event_name,
    )
    return ReadableLogRecord(record, resource, InstrumentationScope(item.scope))
