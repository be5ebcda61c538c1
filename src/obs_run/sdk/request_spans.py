"""Spans that others begin of a request from outside: the ids that it brought, and the run that received it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as api_context
from opentelemetry.trace import get_current_span

from obs_run.context import incoming_requests, run_context
from obs_run.core import semconv

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span


def describe(span: Span, parent_context: Context | None) -> None:
    """Put the ids of the request on its span, and link one that begins a trace to the run."""
    context = api_context.get_current() if parent_context is None else parent_context
    parent = span.parent
    is_inside = parent is not None and not parent.is_remote
    if is_inside or not incoming_requests.is_of_request(context):
        return
    for name, value in incoming_requests.ids(context).items():
        span.set_attribute(semconv.HTTP_REQUEST_HEADER + name.lower(), [value])
    receiver = get_current_span(run_context.current()).get_span_context()
    if parent is None and receiver.is_valid:
        span.add_link(receiver, {semconv.OBS_LINK_KIND: "receiver"})
