"""Runs of one conversation, each a trace of its own: a run is linked to the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.base.latest import Latest
from obs_run.core import semconv

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext

_last_runs: Latest[SpanContext] = Latest(1000)
"""By conversations."""


def link_to_previous_run(span: Span, conversation_id: str) -> None:
    """Link the span of a run to that of the run before it in its conversation, as far as this process knows it."""
    context = span.get_span_context()
    previous = _last_runs.keep(conversation_id, context)
    if previous is not None and previous.trace_id != context.trace_id:
        span.add_link(previous, {semconv.OBS_LINK_KIND: "previous_run"})
