"""OpenTelemetry tracers by name for ``obs_run.tracing``: made by the global provider when their first span begins."""

from __future__ import annotations

from opentelemetry import trace

from obs_run import settings


def tracer(name: str) -> trace.Tracer:
    """Return a tracer that follows the global provider: the agent's own whenever it sets one, ours else.

    With OTEL_SDK_DISABLED it is the API's, whose spans do nothing.
    """
    if settings.get("OTEL_SDK_DISABLED"):
        return trace.get_tracer(name)
    from obs_run.sdk.late_tracer import LateTracer

    return LateTracer(name)
