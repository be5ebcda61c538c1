"""Requests that reach a script which serves: each in its caller's trace, and not in the one of the run."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.propagators.textmap import default_getter

from obs_run import settings
from obs_run.base import guard
from obs_run.context import run_context, trace_headers

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.context import Context

_STARTER = "_start_internal_or_server_span"
_headers = trace_headers.TraceHeaders()


def fit(module: ModuleType) -> None:
    """Have the instrumentors of web frameworks take the run span for what it is; called when ``module`` is imported.

    They ask whether any span is current, and if so make the request a step of that span's trace.
    """
    original = getattr(module, _STARTER, None)
    if original is None:
        return

    @wraps(original)
    def start(
        tracer: Any,
        span_name: str,
        start_time: int | None,
        context_carrier: Any,
        context_getter: Any = None,
        attributes: Any = None,
        **more: Any,
    ) -> tuple[Any, Any]:
        context = guard.call("request from outside", _context_of, context_carrier, context_getter)
        if context is None or more:
            return original(tracer, span_name, start_time, context_carrier, context_getter, attributes, **more)  # type: ignore[no-any-return]
        token = api_context.attach(context)
        span = tracer.start_span(
            name=span_name,
            context=context,
            kind=trace.SpanKind.SERVER,
            start_time=start_time,
            attributes=attributes,
        )
        return span, token

    setattr(module, _STARTER, start)


def fit_extract(module: ModuleType) -> None:
    """Have an instrumentor of servers that reads the headers by ``extract`` take them as the others do."""
    original = getattr(module, "extract", None)
    if original is None:
        return

    @wraps(original)
    def extract_request(carrier: Any, context: Context | None = None, getter: Any = default_getter) -> Any:
        found = None
        if context is None:
            found = guard.call("request from outside", _context_of, carrier, getter)
        return original(carrier, context, getter) if found is None else found

    module.extract = extract_request  # type: ignore[attr-defined]


def _context_of(carrier: Any, getter: Any) -> Context | None:
    """Return the context that a request brings; None where it was received inside of another span."""
    is_inside = trace.get_current_span() is not trace.INVALID_SPAN and not run_context.is_run(None)
    if is_inside or getter is None:
        return None
    context = extract(carrier, getter=getter)
    if "none" in settings.get("OTEL_PROPAGATORS"):
        return context
    return _headers.extract(carrier, context, getter)
