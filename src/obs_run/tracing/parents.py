"""What agents give as the parent of a span, or as spans that it is linked to, in OpenTelemetry's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace as api
from opentelemetry.context import Context

from obs_run.base import guard
from obs_run.tracing.headers import context_of
from obs_run.tracing.span import Span
from obs_run.tracing.vocabulary import SpanContext, understood


def parent_of(given: Any) -> Context | None:
    """Return the context that a span begins in; None for the current one."""
    if given is None:
        return None
    found: Context | None = guard.call("parent of a span", _context_of, given)
    if found is None:
        guard.warn_once(
            f"parent_context of type {type(given).__name__} is not allowed; allowed: a span, its context, what "
            "extract() returned, headers; the current span is the parent",
            about="parent_context",
        )
    return found


def _context_of(given: Any) -> Context | None:
    if isinstance(given, Context):
        return given
    context = _span_context_of(given)
    if context is not None:
        return api.set_span_in_context(api.NonRecordingSpan(context))
    if isinstance(given, api.Span):
        return api.set_span_in_context(given)
    return context_of(given) if isinstance(given, Mapping) else None


def links_to(references: list[Any]) -> list[api.Link]:
    """Return links to those of ``references`` that are spans or contexts of spans."""
    contexts = (guard.call("reference of a span", _span_context_of, each) for each in references)
    return [api.Link(context) for context in contexts if context is not None]


def _span_context_of(given: Any) -> api.SpanContext | None:
    if isinstance(given, Span):
        return given.otel_context or understood(given.context)
    if isinstance(given, SpanContext):
        return understood(given)
    return given if isinstance(given, api.SpanContext) else None
