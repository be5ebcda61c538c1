"""Requests that begin traces of their own: each is linked to the run that received it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

from obs_run.base import guard
from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Span


def link_to_receiver(span: Span, context: Context) -> None:
    """Link the span of a request to what is current in the context that it was received in, as the run is."""
    receiver = get_current_span(context).get_span_context()
    if receiver.is_valid and receiver.trace_id != span.get_span_context().trace_id:
        guard.call("link", span.add_link, receiver, {semconv.OBS_LINK_KIND: "receiver"})


def link_to_senders(span: Span, contexts: Sequence[Context | None], parent: Context | None) -> None:
    """Link the span of the work on several messages to those that sent them, but for the one that is its parent."""
    seen = set() if parent is None else {get_current_span(parent).get_span_context().span_id}
    for context in contexts:
        sender = get_current_span(context).get_span_context() if context is not None else None
        if sender is not None and sender.span_id not in seen:
            seen.add(sender.span_id)
            guard.call("link", span.add_link, sender, {semconv.OBS_LINK_KIND: "sender"})
