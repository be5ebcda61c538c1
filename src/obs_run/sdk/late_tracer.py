"""Tracers that start our providers when their first span begins."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace

from obs_run.sdk import lazy_api, providers


class LateTracer(trace.Tracer):
    """Becomes a real tracer when its first span begins."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._made: trace.Tracer | None = None

    def _tracer(self) -> trace.Tracer:
        if self._made is None:
            providers.set_up()
            provider = lazy_api.chosen_tracer_provider()
            self._made = provider.get_tracer(*self._arguments) if provider is not None else trace.NoOpTracer()
        return self._made

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        """Start a span."""
        return self._tracer().start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """Start a span and make it current."""
        return self._tracer().start_as_current_span(*args, **kwargs)


class LateTracerProvider(trace.TracerProvider):
    """Answers until there is a provider."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """Return a tracer that starts nothing yet."""
        names = ("instrumenting_module_name", "instrumenting_library_version", "schema_url", "attributes")
        rest = [kwargs.get(name) for name in names[len(args) :]]
        return LateTracer(*args, *rest)
