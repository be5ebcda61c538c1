"""Requests that begin traces of their own: each is linked to the run that received it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

from obs_run.base import guard
from obs_run.core import semconv

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span


def link_to_receiver(span: Span, context: Context) -> None:
    """Link the span of a request to what is current in the context that it was received in, as the run is."""
    receiver = get_current_span(context).get_span_context()
    if receiver.is_valid and receiver.trace_id != span.get_span_context().trace_id:
        guard.call("link", span.add_link, receiver, {semconv.OBS_LINK_KIND: "receiver"})
