"""Requests that reach a script which serves: each in its caller's trace, and not in the one of the run."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry import trace
from opentelemetry.propagators.textmap import default_getter, default_setter

from obs_run import settings
from obs_run.base import guard
from obs_run.context import incoming_requests, run_context
from obs_run.core import server_requests

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.context import Context

_STARTER = "_start_internal_or_server_span"
_EXTRACT = "extract"
_OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
_STABILITY = ("_OpenTelemetrySemanticConventionStability", "_OpenTelemetryStabilitySignalType", "_StabilityMode")


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
        span = tracer.start_span(
            name=span_name,
            context=context,
            kind=trace.SpanKind.SERVER,
            start_time=start_time,
            attributes=attributes,
        )
        guard.call("request from outside", _go_on_in, trace.set_span_in_context(span, context))
        return span, api_context.attach(context)

    setattr(module, _STARTER, start)


def _go_on_in(context: Context) -> None:
    """Have what the server does after the application has returned done inside, as the parts of a stream are."""
    step = server_requests.current_step()
    if step is not None:
        step.go_on_in(incoming_requests.without_ids(context))


def fit_extract(module: Any) -> None:
    """Have an instrumentor of servers that reads the headers by ``extract`` take them as the others do."""
    original = getattr(module, _EXTRACT, None)
    if original is not None:
        module.extract = _extracting(original)


def fit_propagate(module: Any) -> None:
    """Have a framework that traces its requests itself, by the API's module ``propagate``, take the headers so, too."""
    if hasattr(module, "propagate"):
        module.propagate = _Propagate(module.propagate)


class _Propagate:
    """What a framework imported as the API's module."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.extract = _extracting(inner.extract)

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the module has."""
        return getattr(self._inner, name)


def _extracting(original: Any) -> Any:
    @wraps(original)
    def extract_request(carrier: Any, context: Context | None = None, getter: Any = default_getter) -> Any:
        found = None
        if context is None:
            found = guard.call("request from outside", _context_of, carrier, getter)
        return original(carrier, context, getter) if found is None else found

    return extract_request


def _context_of(carrier: Any, getter: Any) -> Context | None:
    """Return the context that a request brings; None where it was received inside of another span."""
    is_inside = trace.get_current_span() is not trace.INVALID_SPAN and not run_context.is_run(None)
    if is_inside or getter is None:
        return None
    return incoming_requests.context_of(carrier, getter)


class _Answers:
    """What instrumentors of servers call a response propagator: it sends the ids back that came with the request."""

    def inject(self, carrier: Any, context: Context | None = None, setter: Any = default_setter) -> None:
        """Add the headers that are missing."""
        guard.call("answer", _answer, carrier, context, setter)


def _answer(carrier: Any, context: Context | None, setter: Any) -> None:
    span = trace.get_current_span(context)
    for name, value in incoming_requests.answers(api_context.get_current(), span, _names_in(carrier)).items():
        setter.set(carrier, name, value)


def _names_in(carrier: Any) -> list[str]:
    """Return the names of the headers in an answer: an ASGI message, a mapping, or pairs."""
    headers = carrier.get("headers", carrier) if isinstance(carrier, dict) else carrier
    names = headers if hasattr(headers, "keys") else [name for name, _ in headers or ()]
    return [name.decode("latin-1") if isinstance(name, bytes) else str(name) for name in names]


def answer_ids(module: Any) -> None:
    """Have instrumentors of servers answer the ids of requests, unless the agent has an answer of its own."""
    if module.get_global_response_propagator() is None:
        module.set_global_response_propagator(_Answers())


def leave_out_steps(module: Any) -> None:
    """Have the instrumentor of ASGI make no span of each message that goes between server and application."""
    kind = module.OpenTelemetryMiddleware
    original = kind.__init__

    @wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if settings.get("OBS_HTTP_SPANS") == "hidden" and not kwargs.get("exclude_spans"):
            kwargs["exclude_spans"] = ["receive", "send"]
        original(self, *args, **kwargs)

    kind.__init__ = init


def prefer_stable_names(module: Any) -> None:
    """Have instrumentors speak the stable conventions of HTTP and databases, unless the user says which."""
    if os.environ.get(_OPT_IN):
        return
    kind, signals, modes = (getattr(module, name, None) for name in _STABILITY)
    if kind is None or signals is None or modes is None:
        return
    original = kind._initialize  # noqa: SLF001 (there is no other way but the environment, which is the agent's)

    def initialize() -> None:
        original()
        mapping = kind._OTEL_SEMCONV_STABILITY_SIGNAL_MAPPING  # noqa: SLF001 (as above)
        for signal, mode in (("HTTP", "HTTP"), ("DATABASE", "DATABASE")):
            mapping[getattr(signals, signal)] = getattr(modes, mode)

    kind._initialize = staticmethod(initialize)  # noqa: SLF001 (as above)
