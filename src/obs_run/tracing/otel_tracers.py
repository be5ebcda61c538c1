"""OpenTelemetry tracers by name for ``obs_run.tracing``: made by the global provider when their first span begins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from opentelemetry import trace

from obs_run import settings

if TYPE_CHECKING:
    from collections.abc import Callable


class UserTracer:
    """A tracer that follows the global provider: the agent's own whenever it sets one, ours else.

    With OTEL_SDK_DISABLED it is the API's, whose spans do nothing.
    """

    def __init__(self, name: str) -> None:
        if settings.get("OTEL_SDK_DISABLED"):
            self._proxy = trace.ProxyTracer(name)
        else:
            from obs_run.sdk.late_tracer import LateTracer

            self._proxy = LateTracer(name)

    def now(self) -> trace.Tracer:
        """Return the tracer of the provider that is the global one now."""
        return self._proxy._tracer  # noqa: SLF001 (asking the proxy to start a span takes twice as long)


def finished_at_exit(span: trace.Span, finish: Callable[[], object]) -> None:
    """Have ``finish`` called if ``span`` is still open when the process leaves, which then ends it."""
    # Looked up: a provider of the agent's, or of a configuration file, may have nothing of ours.
    spans, providers = (sys.modules.get(f"obs_run.sdk.{name}") for name in ("spans", "providers"))
    known = None if spans is None or providers is None else providers.known()
    if spans is not None and known is not None and known.queues_spans:
        spans.finished_by(span.get_span_context().span_id, finish)
