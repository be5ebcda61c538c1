"""Requests that reach a server: the context that their headers bring, and the ids in them, which are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import default_getter

from obs_run import settings
from obs_run.context import trace_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.propagators.textmap import Getter

_HEADERS = trace_headers.TraceHeaders()
_IDS = "obs-run-request-ids"
_IN_CONTEXT = (trace_headers.TRACE_ID, trace_headers.CORRELATION_ID, trace_headers.REQUEST_ID)
_LONGEST = 1024


def context_of(carrier: Any, getter: Getter[Any] = default_getter) -> Context:
    """Return the context that a request brings: W3C's headers, and ours where those say nothing."""
    from opentelemetry.propagate import extract

    context = extract(carrier, Context(), getter)
    if "none" in settings.get("OTEL_PROPAGATORS"):
        return context
    context = _HEADERS.extract(carrier, context, getter)
    return Context({**context, _IDS: _ids_of(carrier, getter)})


def _ids_of(carrier: Any, getter: Getter[Any]) -> dict[str, str]:
    ids = {}
    for name in _IN_CONTEXT:
        value = trace_headers.first_value(getter, carrier, name)
        # Others stay unanswered, and unknown: nothing that breaks a header may be said again.
        if value and len(value) <= _LONGEST and value.isascii() and value.isprintable():
            ids[name] = value
    return ids


def is_of_request(context: Context) -> bool:
    """Whether ``context`` is one that ``context_of`` gave, or inside of such a one."""
    return _IDS in context


def without_ids(context: Context) -> Context:
    """Return ``context`` as that of any work, for whoever puts the ids on the span himself."""
    return Context({name: value for name, value in context.items() if name != _IDS})


def ids(context: Context) -> Mapping[str, str]:
    """Return the ids that the request brought of which this is the context, by the names of their headers."""
    found: Any = context.get(_IDS)
    return found or {}


def answers(context: Context, span: trace.Span, present: Iterable[str]) -> dict[str, str]:
    """Return the headers to be added to the answer, where ``present`` are those that it has.

    Who sends an id gets it back; of the trace its id, which is another where W3C's header said more.
    """
    sent = ids(context)
    if not sent:
        return {}
    names = {name.lower() for name in present}
    missing = {name: value for name, value in sent.items() if name.lower() not in names}
    current = span.get_span_context()
    if trace_headers.TRACE_ID in missing and current.is_valid:
        missing[trace_headers.TRACE_ID] = trace.format_trace_id(current.trace_id)
    return missing
