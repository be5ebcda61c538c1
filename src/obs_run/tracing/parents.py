"""Parents and links of spans, in whatever form agents write them, in OpenTelemetry's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace as api
from opentelemetry.context import Context

from obs_run.base import guard
from obs_run.tracing.headers import context_of
from obs_run.tracing.span import Span
from obs_run.tracing.vocabulary import SpanContext, to_otel


def parent_of(parent: Any) -> Context | None:
    """Return the context that a span begins in; None for the current one."""
    if parent is None:
        return None
    context: Context | None = guard.call("parent of a span", _context_of, parent)
    if context is None:
        guard.warn_once(
            f"parent_context of type {type(parent).__name__} is not allowed; allowed: a span, its context, what "
            "extract() returned, headers; the current span is the parent",
            about="parent_context",
        )
    return context


def _context_of(parent: Any) -> Context | None:
    if isinstance(parent, Context):
        return parent
    span_context = _span_context_of(parent)
    if span_context is not None:
        return api.set_span_in_context(api.NonRecordingSpan(span_context))
    if isinstance(parent, api.Span):
        return api.set_span_in_context(parent)
    return context_of(parent) if isinstance(parent, Mapping) else None


def links_to(references: list[Any]) -> list[api.Link]:
    """Return links to those of ``references`` that are spans or contexts of spans."""
    contexts = (guard.call("reference of a span", _span_context_of, each) for each in references)
    return [api.Link(context) for context in contexts if context is not None]


def _span_context_of(reference: Any) -> api.SpanContext | None:
    if isinstance(reference, Span):
        return reference.otel_context or to_otel(reference.context)
    if isinstance(reference, SpanContext):
        return to_otel(reference)
    return reference if isinstance(reference, api.SpanContext) else None
