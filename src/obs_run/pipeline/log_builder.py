"""Log records in the SDK's form, built on the export thread from plain ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from obs_run.base.encodable import encodable
from obs_run.core import semconv, sink
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.sink import OperationRecord
    from obs_run.pipeline.items import SpanItem

_MOST_CACHED = 256
_scopes: dict[str, InstrumentationScope] = {}


def build_log_record(record: sink.LogRecord, resource: Resource) -> ReadableLogRecord:
    """Return a record in the SDK's form; ``resource`` is this process's."""
    context = None
    if record.trace_id:
        flags = TraceFlags(record.flags)
        span_context = SpanContext(record.trace_id, record.span_id, is_remote=False, trace_flags=flags)
        context = set_span_in_context(NonRecordingSpan(span_context))
    severity = None if record.severity is None else SeverityNumber(record.severity)
    log_record = LogRecord(
        timestamp=record.time_ns,
        observed_timestamp=record.observed_ns,
        context=context,
        severity_text=record.severity_text,
        severity_number=severity,
        body=_encodable(record.body),
        attributes={_encodable(key): _encodable(value) for key, value in record.attributes.items()},
        event_name=record.event_name,
    )
    return ReadableLogRecord(log_record, _resource(record, resource), _scope(record.scope))


def build_details_event(
    item: SpanItem, resource: Resource, content_values: Mapping[str, Any]
) -> ReadableLogRecord | None:
    """Return the convention's event with an inference's content as objects, which are ``content_values``."""
    operation, span = item.operation, item.span
    if operation is None or span.context is None or not has_details_event(operation):
        return None
    attributes = dict(operation.attributes)
    # The event tells of the call, not of how its answer came in.
    attributes.pop(semconv.RESPONSE_TIME_TO_FIRST_CHUNK, None)
    event = sink.LogRecord(
        time_ns=span.end_time or time.time_ns(),
        severity=SeverityNumber.DEBUG.value,
        severity_text="DEBUG",
        body=None,
        attributes={**attributes, **content_values},
        trace=(span.context.trace_id, span.context.span_id, int(span.context.trace_flags)),
        scope="obs_run",
        event_name=semconv.EVENT_INFERENCE_DETAILS,
    )
    return build_log_record(event, resource)


def has_details_event(operation: OperationRecord) -> bool:
    """Whether the conventions have an event with the content of such an operation."""
    return operation.kind == "Inference"


def _resource(record: sink.LogRecord, ours: Resource) -> Resource:
    if record.resource is None:
        return ours
    return Resource(record.resource.attributes, record.resource.schema_url)


def _scope(scope: str | sink.Scope) -> InstrumentationScope:
    if isinstance(scope, sink.Scope):
        return InstrumentationScope(scope.name, scope.version, scope.schema_url, scope.attributes)
    result = _scopes.get(scope)
    if result is None:
        if len(_scopes) >= _MOST_CACHED:
            _scopes.clear()
        result = _scopes[scope] = InstrumentationScope(scope)
    return result


def _encodable(value: Any) -> Any:
    return encodable(value) if isinstance(value, str) else value
