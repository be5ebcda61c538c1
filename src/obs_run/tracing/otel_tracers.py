"""OpenTelemetry tracers by name for ``obs_run.tracing``: made by the global provider when their first span begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace

from obs_run import settings
from obs_run.core.open_recordings import open_recordings

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.open_recordings import Ending


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
    # Known there only if a processor of ours is on its provider.
    open_recordings.replace(span.get_span_context().span_id, _finish_unfinished, (span, finish))


def _finish_unfinished(open_span: tuple[trace.Span, Callable[[], object]], ending: Ending) -> None:
    from obs_run.sdk import span_processor

    span, finish = open_span
    if span_processor.mark_unfinished(span, ending):
        finish()
