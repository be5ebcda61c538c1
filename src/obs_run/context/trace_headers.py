"""``X-Trace-ID``, ``X-Correlation-ID``, ``X-Request-ID``: what services without W3C Trace Context hand on themselves.

In OTEL_PROPAGATORS they are ``obs_run``, beside tracecontext and baggage, which know more and win. Needs the API only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from opentelemetry import baggage, trace
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from obs_run.base import guard
from obs_run.context import log_context
from obs_run.process import identity

if TYPE_CHECKING:
    from opentelemetry.context import Context

TRACE_ID, CORRELATION_ID, REQUEST_ID = "X-Trace-ID", "X-Correlation-ID", "X-Request-ID"
_TRACE = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST = 1024
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F)) + " "
_SPAN_BITS = (1 << 64) - 1


class TraceHeaders(TextMapPropagator):
    """Reads the headers, and writes the first two.

    ``X-Trace-ID`` holds 32 hex characters (an old dashed UUID is read, too) and continues that trace where nothing
    else does; who the parent was it cannot tell. ``X-Request-ID``, which proxies give each request, is the correlation
    id where there is no other.
    """

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Write the current trace id and correlation id, as far as there are any."""
        current = trace.get_current_span(context).get_span_context()
        if current.is_valid:
            setter.set(carrier, TRACE_ID, trace.format_trace_id(current.trace_id))
        correlation_id = log_context.correlation_id() if context is None else _correlation_id_of(context)
        if correlation_id:
            # Whatever stands in it, it must not break the request.
            setter.set(carrier, CORRELATION_ID, quote(correlation_id[:_LONGEST].strip(), safe=_SAFE))

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Return ``context`` with what the headers say and nothing said before; malformed ones say nothing."""
        from opentelemetry.context import Context

        given = Context() if context is None else context
        found: Context = guard.call("headers", self._extract, carrier, given, getter, default=given)
        return found

    def _extract(self, carrier: Any, context: Context, getter: Getter[Any]) -> Context:
        correlation_id = first_value(getter, carrier, CORRELATION_ID) or first_value(getter, carrier, REQUEST_ID)
        if correlation_id and len(correlation_id) <= _LONGEST and _correlation_id_of(context) is None:
            context = baggage.set_baggage(log_context.CORRELATION_ID, correlation_id, context)
        trace_id = parsed_trace_id(first_value(getter, carrier, TRACE_ID))
        if trace_id is None or trace.get_current_span(context).get_span_context().is_valid:
            return context
        # Some parent is needed for OpenTelemetry to go on in the trace; the same for all who go on in it.
        is_sampled = identity.root_sampled(trace_id)
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if is_sampled else trace.TraceFlags.DEFAULT)
        parent = trace.SpanContext(trace_id, trace_id & _SPAN_BITS or 1, is_remote=True, trace_flags=flags)
        return trace.set_span_in_context(trace.NonRecordingSpan(parent), context)

    @property
    def fields(self) -> set[str]:
        """The names of the headers that are written."""
        return {TRACE_ID, CORRELATION_ID}


def parsed_trace_id(text: str | None) -> int | None:
    """Return the trace id that a text of 32 hex characters or a dashed UUID stands for, None if it is neither."""
    small = (text or "").strip().lower()
    return int(small.replace("-", ""), 16) or None if _TRACE.fullmatch(small) else None


def _correlation_id_of(context: Context) -> str | None:
    found = baggage.get_baggage(log_context.CORRELATION_ID, context)
    return None if found is None else guard.shown(found)


def first_value(getter: Getter[Any], carrier: Any, name: str) -> str | None:
    """Return the first value of a header, whatever letters its name is written in."""
    for each in (name, name.lower()):
        values = getter.get(carrier, each)
        if values:
            return str(values[0]).strip()
    return None
