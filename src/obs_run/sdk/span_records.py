"""Spans as plain records, and back in the SDK's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from obs_run.core.sink import ResourceRecord, Scope, SpanEvent, SpanLink, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATUSES = {StatusCode.UNSET: None, StatusCode.OK: False, StatusCode.ERROR: True}
_CODES = {has_failed: code for code, has_failed in _STATUSES.items()}
_UNSET = Status(StatusCode.UNSET)


def record_of(span: ReadableSpan) -> SpanRecord | None:
    """Return a span that has ended as a record; None for one without ids, which is not exported."""
    context = span.context
    if context is None:
        return None
    return SpanRecord(
        span.name,
        span.kind.name,
        context.trace_id,
        context.span_id,
        span.start_time or 0,
        span.end_time or 0,
        None if span.parent is None else _link_of(span.parent),
        plain_attributes(span.attributes),
        tuple([SpanEvent(event.name, plain_attributes(event.attributes), event.timestamp) for event in span.events]),
        tuple([_link_of(link.context, plain_attributes(link.attributes)) for link in span.links]),
        _STATUSES[span.status.status_code],
        span.status.description,
        _scope_of(span.instrumentation_scope),
        _resource_of(span.resource),
        int(context.trace_flags),
        context.trace_state.to_header(),
    )


def span_of(record: SpanRecord, ours: Resource) -> ReadableSpan:
    """Return a record as a span; ``ours`` is the resource of the process that it comes from."""
    itself = SpanLink(record.trace_id, record.span_id, record.flags, trace_state=record.trace_state)
    return ReadableSpan(
        record.name,
        _context(itself),
        None if record.parent is None else _context(record.parent),
        ours if record.resource is None else Resource(record.resource.attributes, record.resource.schema_url),
        record.attributes,
        [Event(event.name, event.attributes, event.time_ns) for event in record.events],
        [Link(_context(link), link.attributes) for link in record.links],
        SpanKind[record.kind],
        instrumentation_scope=_scope(record.scope),
        status=_UNSET if record.has_failed is None else Status(_CODES[record.has_failed], record.description),
        start_time=record.start_ns,
        end_time=record.end_ns,
    )


def plain_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return attributes as a plain dict."""
    if not attributes:
        return {}
    # The SDK's mapping answers a copy at once, and dict() key by key.
    copied: dict[str, Any] = attributes.copy() if hasattr(attributes, "copy") else dict(attributes)
    return copied


def _link_of(context: SpanContext, attributes: dict[str, Any] | None = None) -> SpanLink:
    state = context.trace_state.to_header() if context.trace_state else ""
    return SpanLink(
        context.trace_id, context.span_id, int(context.trace_flags), context.is_remote, state, attributes or None
    )


def _context(link: SpanLink) -> SpanContext:
    return SpanContext(link.trace_id, link.span_id, link.is_remote, TraceFlags(link.flags), _state(link.trace_state))


def _state(header: str) -> TraceState | None:
    return TraceState.from_header([header]) if header else None


def _scope_of(scope: InstrumentationScope | None) -> Scope | str:
    if scope is None:
        return ""
    return Scope(scope.name, scope.version, scope.schema_url, plain_attributes(scope.attributes) or None)


def _scope(scope: Scope | str) -> InstrumentationScope | None:
    if isinstance(scope, Scope):
        return InstrumentationScope(scope.name, scope.version, scope.schema_url, scope.attributes)
    return InstrumentationScope(scope) if scope else None


def _resource_of(resource: Resource) -> ResourceRecord | None:
    """Return a resource as a record; None for our own, which is told of once."""
    if resource.attributes.get("telemetry.distro.name") == "obs-run":
        return None
    return ResourceRecord(plain_attributes(resource.attributes), resource.schema_url)
