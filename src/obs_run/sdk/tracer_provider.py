"""The tracer provider: the SDK's, except that requests and messages from outside do not belong to the run's trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.trace import SpanKind

from obs_run.sdk import run_context

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_FROM_OUTSIDE = (SpanKind.SERVER, SpanKind.CONSUMER)


class Tracer(sdk.Tracer):
    """Starts spans; one for a request that came without a trace begins a trace of its own."""

    def start_span(
        self, name: str, context: Context | None = None, kind: SpanKind = SpanKind.INTERNAL, *args: Any, **kwargs: Any
    ) -> Span:
        """Start a span."""
        if kind in _FROM_OUTSIDE and run_context.is_run(context):
            current = api_context.get_current() if context is None else context
            context = Context({key: value for key, value in current.items() if not key.startswith("current-span")})
        return super().start_span(name, context, kind, *args, **kwargs)


class TracerProvider(sdk.TracerProvider):
    """The SDK's provider with our tracers."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """Return a tracer for an instrumentation scope."""
        tracer = super().get_tracer(*args, **kwargs)
        if type(tracer) is sdk.Tracer:
            # The SDK makes its tracers itself and offers no factory; the class adds behaviour and no state.
            tracer.__class__ = Tracer
        return tracer
