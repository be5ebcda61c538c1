"""The trace and the correlation id on their way between services, in the headers of requests and messages."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, overload

from opentelemetry import context as api_context
from opentelemetry.context import Context

from obs_run.base import guard
from obs_run.context import trace_headers
from obs_run.context.current_context import ContextScope
from obs_run.process.standard_variables import corrected

with corrected():
    from opentelemetry import propagate

if TYPE_CHECKING:
    from collections.abc import Mapping

    Headers = Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None

H = TypeVar("H")

_OURS = trace_headers.TraceHeaders()
_WSGI = "HTTP_"
_PAIR = 2
_MOST = 1000
"""Of what may be no headers at all, but endless; servers take a hundred."""
_ELSEWHERE = ("current-span", "baggage")  # how OpenTelemetry's keys begin of what a request brings itself


@overload
def inject(headers: None = None) -> dict[str, str]: ...
@overload
def inject(headers: H) -> H: ...
def inject(headers: Any = None) -> Any:
    """Write the current trace and correlation id into ``headers`` (None: a new dict) and return it.

    These are the formats of OTEL_PROPAGATORS (W3C ``traceparent``, ``tracestate`` and ``baggage``), ``X-Trace-ID`` and
    ``X-Correlation-ID``; the latter two stay where the agent wrote them itself.
    """
    carrier: Any = {} if headers is None else headers
    guard.call("headers", _inject, carrier)
    return carrier


def _inject(carrier: Any) -> None:
    if not hasattr(carrier, "keys"):
        guard.warn_once(f"inject: headers of type {type(carrier).__name__} are not allowed; allowed: a mapping")
        return
    present = {str(name).lower(): name for name in carrier}
    written: dict[str, str] = {}
    _OURS.inject(written)
    propagate.inject(written)
    for name, value in written.items():
        before = present.get(name.lower())
        if before is not None and name in _OURS.fields:
            continue
        if before is not None:
            # It may be there in other letters, and some mappings keep both.
            del carrier[before]
        carrier[name] = value


def extract(headers: Headers) -> Context:
    """Return the context that ``headers`` bring: the trace to go on in, and baggage with the correlation id.

    Read are a mapping or pairs, of text or bytes, names in any case, and WSGI's environ. Without a trace in them, or
    with a malformed one, the context has none.
    """
    context: Context = guard.call("headers", _extract, headers, Context(), default=Context())
    return context


def continued(headers: Headers) -> ContextScope:
    """Return a context manager in which the trace and the correlation id of ``headers`` go on.

    Without any in the headers what begins in it begins anew, whatever was current outside.
    """
    return ContextScope(context_of(headers))


def context_of(headers: Headers) -> Context:
    """Return the current context with trace and baggage as ``headers`` have them."""
    current = api_context.get_current()
    base = Context({name: value for name, value in current.items() if not name.startswith(_ELSEWHERE)})
    context: Context = guard.call("headers", _extract, headers, base, default=base)
    return context


def _extract(headers: Headers, context: Context) -> Context:
    carrier = _lower_case(headers)
    return _OURS.extract(carrier, propagate.extract(carrier, context))


def _lower_case(headers: Headers) -> dict[str, str]:
    """Return headers by their names in small letters, the first of each name."""
    carrier: dict[str, str] = {}
    for name, value in _pairs(headers):
        key = _text(name)
        if key.startswith(_WSGI):
            key = key[len(_WSGI) :].replace("_", "-")
        first = value[0] if isinstance(value, (list, tuple)) and value else value
        text = _text(first) if isinstance(first, (str, bytes)) else ""
        if text.isascii() and text.isprintable():
            carrier.setdefault(key.lower(), text)
    return carrier


def _pairs(headers: Any) -> list[tuple[Any, Any]]:
    if hasattr(headers, "items"):
        return list(islice(headers.items(), _MOST))
    if isinstance(headers, Iterable) and not isinstance(headers, (str, bytes)):
        return [pair for pair in islice(headers, _MOST) if isinstance(pair, tuple) and len(pair) == _PAIR]
    if headers is not None:
        kind = type(headers).__name__
        guard.warn_once(f"headers of type {kind} are not allowed; allowed: a mapping, or pairs", about="headers")
    return []


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
