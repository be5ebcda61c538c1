"""Spans for an OTLP endpoint of the agent's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import semconv
from obs_run.runtime.own_endpoint import own_endpoint
from obs_run.tracing.attribute_values import all_exported
from obs_run.tracing.recorders import MOST_SPANS, InMemorySpanRecorder
from obs_run.tracing.scrubbed_spans import scrubbed
from obs_run.tracing.vocabulary import KINDS, SpanKind, SpanStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

    from obs_run.tracing.span import Span

_SPAN_BYTES = 2000
_OLD_BATCH, _OLD_INTERVAL = 100, 5.0


class RemoteSpanRecorder(InMemorySpanRecorder):
    """Sends spans by OTLP over HTTP to ``endpoint``, beside what the pipeline does with them, and keeps the newest.

    Without ``endpoint`` nothing more is sent: every span goes where OTEL_EXPORTER_OTLP_* or the local store say. The
    export thread sends, in requests of at most ``batch_size`` spans; what cannot be delivered waits in memory, is tried
    again, and is flushed as the process leaves. ``flush_interval`` is there for old code's sake: spans wait
    OTEL_BSP_SCHEDULE_DELAY for company. ``headers`` are sent along; those of the settings are another server's.
    """

    outlives_process = True

    def __init__(
        self,
        endpoint: str | None = None,
        batch_size: int = _OLD_BATCH,
        flush_interval: float = _OLD_INTERVAL,
        *,
        headers: Mapping[str, str] | None = None,
        max_spans: int = MOST_SPANS,
    ) -> None:
        super().__init__(max_spans)
        self.endpoint, self.batch_size, self.flush_interval = endpoint, batch_size, flush_interval
        self._to = own_endpoint("RemoteSpanRecorder", "traces", endpoint, batch_size, headers, _readable)

    def record_span(self, span: Span) -> Awaitable[Any]:
        """Put the span into the queue of the pipeline, for this recorder's endpoint."""
        if self._to is not None:
            self._to.put(span, _SPAN_BYTES + span.weight)
        return super().record_span(span)


def _readable(span: Span, resource: Resource) -> ReadableSpan:
    """Return a span that has ended in the SDK's form."""
    from opentelemetry import trace as api
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    values = scrubbed(span)
    attributes = all_exported(values["tags"])
    failed = span.status in (SpanStatus.ERROR, SpanStatus.TIMEOUT)
    if span.status in (SpanStatus.TIMEOUT, SpanStatus.CANCELLED):
        attributes[semconv.OBS_SPAN_STATUS] = span.status.value
    context = span.otel_context
    assert context is not None
    return ReadableSpan(
        name=values["operation_name"],
        context=context,
        parent=_parent(span, context),
        resource=resource,
        attributes=attributes,
        events=[_event(log) for log in values["logs"]],
        kind=KINDS.get(span.kind, KINDS[SpanKind.INTERNAL]),
        status=api.Status(api.StatusCode.ERROR if failed else api.StatusCode.UNSET),
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=InstrumentationScope(str(span.tags.get("service.name", ""))),
    )


def _parent(span: Span, context: Any) -> Any:
    from opentelemetry import trace as api

    parent_id = span.context.parent_span_id
    if parent_id is None:
        return None
    return api.SpanContext(context.trace_id, int(parent_id, 16), is_remote=False, trace_flags=context.trace_flags)


def _event(log: dict[str, Any]) -> Any:
    from opentelemetry.sdk.trace import Event

    fields = {name: value for name, value in log.items() if name not in ("timestamp", "event")}
    return Event(str(log["event"]), all_exported(fields), round(log["timestamp"] * 1e9))
