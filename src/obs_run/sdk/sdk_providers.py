"""The SDK's providers with two differences: requests from outside begin traces, and forks cost nothing.

After a fork the SDK's providers look for their resource again, in threads of a pool: that takes 15 ms in each child,
and hangs it where ``concurrent.futures`` was first imported after the provider was made (SDK 1.45, its lock is renewed
later than it is asked for). The export path gives a child its new resource.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import context as api_context
from opentelemetry.context import Context
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk import _logs, metrics
from opentelemetry.sdk import trace as sdk
from opentelemetry.trace import NoOpTracer, SpanKind

from obs_run.base import guard
from obs_run.context import run_context
from obs_run.core.tool_windows import windows
from obs_run.process import run
from obs_run.process.unpatched import allocate_lock, steady_ns, time

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span as ApiSpan

_MCP = "mcp-python-sdk"  # the scope of mcp's own spans
_FOR_VENDORS = frozenset({"crewai.telemetry"})
"""Scopes by which a library means to tell those who made it, and not those who run it, how it is used."""
_ARGUMENTS_WITH_START = 3  # after the kind: attributes, links, start_time
_FROM_OUTSIDE = (SpanKind.SERVER, SpanKind.CONSUMER)


class Span(sdk._Span):  # noqa: SLF001 (the class of all spans)
    """A span that lasts as long as a steady clock says, whatever becomes of the wall clock meanwhile."""

    begun: int | None = None
    """When it began by the steady clock; None where the agent said when it began."""

    def begin(self) -> None:
        """Have the span begin now, by both clocks: read apart, they would have it end before what is inside of it."""
        self._start_time = time.time_ns()
        self.begun = steady_ns()

    def end(self, end_time: int | None = None) -> None:
        """End the span."""
        super().end(guard.call("clock", self._now) if end_time is None else end_time)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Add an event."""
        super().add_event(name, attributes, guard.call("clock", self._now) if timestamp is None else timestamp)

    def _now(self) -> int:
        started = self._start_time or 0
        if self.begun is None:
            return max(started, time.time_ns())
        return started + steady_ns() - self.begun


class Tracer(sdk.Tracer):
    """Starts spans; one for a request that came without a trace begins a trace of its own."""

    def start_span(
        self, name: str, context: Context | None = None, kind: SpanKind = SpanKind.INTERNAL, *args: Any, **kwargs: Any
    ) -> ApiSpan:
        """Start a span."""
        if kind in _FROM_OUTSIDE:
            context = guard.call("request from outside", self._context_from_outside, context, default=context)
        if context is None and windows.waiting:
            context = guard.call("tools", _inside_tool, name, args, kwargs)
        has_start = len(args) >= _ARGUMENTS_WITH_START or kwargs.get("start_time") is not None
        if not has_start:
            kwargs["start_time"] = time.time_ns()
        span = super().start_span(name, context, kind, *args, **kwargs)
        if type(span) is sdk._Span:  # noqa: SLF001 (as above)
            # The SDK makes its spans itself too.
            span.__class__ = Span
            if not has_start:
                guard.call("clock", cast("Span", span).begin)
        return span

    def _context_from_outside(self, context: Context | None) -> Context | None:
        """Return a context without the run span, unless the request belongs to the run."""
        if not run_context.is_run(context) or self._serves_parent() or run_context.is_of_run(context):
            return context
        current = api_context.get_current() if context is None else context
        return Context({key: value for key, value in current.items() if not key.startswith("current-span")})

    def _serves_parent(self) -> bool:
        # An MCP server over stdio serves the one program that started it, in whose trace it was started.
        return self._instrumentation_scope.name == _MCP and run.identity().parent_span_id is not None


def _inside_tool(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Context:
    """Return the context of a span that begins now."""
    from obs_run.core import inferred_tools

    attributes = args[0] if args else kwargs.get("attributes")
    return inferred_tools.parent_of_span(api_context.get_current(), name, attributes)


class TracerProvider(sdk.TracerProvider):
    """The SDK's provider with our tracers."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """Return a tracer for an instrumentation scope."""
        if (args[0] if args else kwargs.get("instrumenting_module_name")) in _FOR_VENDORS:
            return NoOpTracer()
        tracer = super().get_tracer(*args, **kwargs)
        if type(tracer) is sdk.Tracer:
            # The SDK makes its tracers itself and offers no factory; the class adds behaviour and no state.
            tracer.__class__ = Tracer
        return tracer

    def _handle_fork(self) -> None:
        self._tracers_lock = allocate_lock()


class Meter(metrics.Meter):
    """Makes instruments; what the SDK refuses by an exception measures nothing, as with the API alone."""


def _creating(method: str) -> Callable[..., Any]:
    original = getattr(metrics.Meter, method)

    @wraps(original)
    def create(self: Meter, name: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, name, *args, **kwargs)
        except Exception as problem:  # noqa: BLE001 (the SDK raises nothing more special)
            guard.warn_once(f"instrument {name!r} measures nothing: {problem}")
            return getattr(NoOpMeter("obs_run"), method)(name, *args, **kwargs)

    return create


for _method in [name for name in vars(metrics.Meter) if name.startswith("create_")]:
    setattr(Meter, _method, _creating(_method))


class MeterProvider(metrics.MeterProvider):
    """The SDK's provider with our meters, at home in forks."""

    def get_meter(self, *args: Any, **kwargs: Any) -> Any:
        """Return a meter for an instrumentation scope."""
        meter = super().get_meter(*args, **kwargs)
        if type(meter) is metrics.Meter:
            # As above.
            meter.__class__ = Meter
        return meter

    def _handle_fork(self) -> None:
        self._lock = allocate_lock()
        self._meter_lock = allocate_lock()


class LoggerProvider(_logs.LoggerProvider):
    """The SDK's provider, at home in forks."""

    def _handle_fork(self) -> None:
        self._logger_cache_lock = allocate_lock()
        self._active_loggers_lock = allocate_lock()
