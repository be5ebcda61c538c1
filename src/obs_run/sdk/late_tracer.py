"""Tracers that start our providers when their first span begins."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace

from obs_run.base import guard
from obs_run.sdk import providers, starting


class LateTracer(trace.ProxyTracer):
    """The API's stand-in, which libraries know; it starts our providers and follows a change of the provider."""

    _asked: Any = None

    @property
    def _tracer(self) -> trace.Tracer:
        provider = guard.call("set-up", starting.provider, trace, "_TRACER_PROVIDER")
        if provider is None:
            return self._noop_tracer
        if provider is not self._asked:
            self._real_tracer = provider.get_tracer(
                self._instrumenting_module_name,
                self._instrumenting_library_version,
                self._schema_url,
                self._attributes,
            )
            self._asked = provider
        return self._real_tracer or self._noop_tracer


class LateTracerProvider(trace.ProxyTracerProvider):
    """The API's stand-in for a provider, until there is one."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """Return a tracer that starts nothing yet."""
        chosen = guard.call("tracer", providers.global_tracer_provider)
        return LateTracer(*args, **kwargs) if chosen is None else chosen.get_tracer(*args, **kwargs)

    def add_span_processor(self, span_processor: Any) -> None:
        """Add a processor to our provider, which is there from now on."""
        provider = guard.call("set-up", starting.provider, trace, "_TRACER_PROVIDER")
        if provider is not None:
            provider.add_span_processor(span_processor)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Export what waits, if anything was recorded."""
        chosen: Any = guard.call("tracer", providers.global_tracer_provider)
        return True if chosen is None else bool(chosen.force_flush(timeout_millis))

    def shutdown(self) -> None:
        """Shut the provider down, if there is one."""
        chosen: Any = guard.call("tracer", providers.global_tracer_provider)
        if chosen is not None:
            chosen.shutdown()
