"""Operations as spans of OpenTelemetry's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, Status, StatusCode

from obs_run.core import semconv
from obs_run.pipeline.items import OperationItem
from obs_run.sdk.providers import global_meter_provider
from obs_run.sdk.span_processor import end_time, is_free

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.core.sink import Attributes, OperationRecord
    from obs_run.pipeline.queue import Items
    from obs_run.sdk.providers import Providers
    from obs_run.sdk.span_processor import QueueSpanProcessor

_KINDS = {kind.name: kind for kind in SpanKind}


class SpanSink:
    """Begins and ends spans of the global provider; the operation goes along with its span to the export thread."""

    def __init__(self, providers: Providers, processor: QueueSpanProcessor, queue: Items) -> None:
        self._providers = providers
        self._processor = processor
        self._queue = queue

    def start(
        self,
        name: str,
        kind: str,
        attributes: Callable[[], Attributes],
        parent: Context,
        start_ns: int | None = None,
    ) -> Span:
        """Begin a span; where nobody but our export thread reads spans, its attributes come with its end."""
        is_read_now = not self._providers.is_sole_span_reader()
        early_attributes = attributes() if is_read_now else None
        return self._providers.tracer().start_span(name, parent, _KINDS[kind], early_attributes, start_time=start_ns)

    def end(self, span: Span, complete: Callable[[], OperationRecord]) -> None:
        """End a span; its operation goes along with it, or alone where the span is not kept."""
        record = complete()
        if semconv.OBS_SPAN_UNFINISHED in record.attributes and not is_free(span):
            return
        context = span.get_span_context()
        is_kept = span.is_recording() and context.trace_flags.sampled
        if record.error is not None:
            span.set_status(Status(StatusCode.ERROR, record.error.message))
        if span.is_recording() and not self._providers.is_sole_span_reader():
            set_changed(span, record.attributes)
        if is_kept:
            self._processor.attach_operation(context.span_id, record)
        span.end(end_time(span, record.timing.end_ns))
        # Not sampled, or of a provider that takes no processor of ours: measured all the same.
        if not is_kept or self._processor.pop_unclaimed(context.span_id) is not None:
            self._queue.put(OperationItem(record))

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        """Have the export thread measure what has no span."""
        self._queue.put(OperationItem(complete()))


class IdleSpanSink(SpanSink):
    """For a process that exports nothing: spans have their ids, and what they stand for is made for the agent alone.

    It may have a processor or a meter provider of its own.
    """

    def end(self, span: Span, complete: Callable[[], OperationRecord]) -> None:
        """End a span, with its operation where anybody reads it."""
        if not self._providers.is_sole_span_reader() or global_meter_provider() is not None:
            super().end(span, complete)
        elif is_free(span):
            span.end()

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        """Measure what has no span, where the agent has a meter provider of its own."""
        if global_meter_provider() is not None:
            super().measure(complete)


class ConfiguredSpanSink:
    """Spans for providers that a configuration file set up, which export them their own way.

    ``complete(record)`` measures an operation at once, and returns what its span is to have besides: content and cost.
    """

    def __init__(self, providers: Providers, complete: Callable[[OperationRecord], Attributes]) -> None:
        self._providers = providers
        self._complete = complete

    def start(
        self,
        name: str,
        kind: str,
        attributes: Callable[[], Attributes],
        parent: Context,
        start_ns: int | None = None,
    ) -> Span:
        """Begin a span."""
        return self._providers.tracer().start_span(name, parent, _KINDS[kind], attributes(), start_time=start_ns)

    def end(self, span: Span, complete: Callable[[], OperationRecord]) -> None:
        """End a span with all that it is to have."""
        record = complete()
        if record.error is not None:
            span.set_status(Status(StatusCode.ERROR, record.error.message))
        added = self._complete(record)
        if span.is_recording():
            set_changed(span, record.attributes)
            span.set_attributes(added)
        span.end()

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        """Measure what has no span, at once."""
        self._complete(complete())


def set_changed(span: Any, attributes: Attributes) -> None:
    """Set the attributes that the span does not have with these values already."""
    before = getattr(span, "attributes", None) or {}
    changed = {name: value for name, value in attributes.items() if before.get(name) != value}
    if changed:
        span.set_attributes(changed)
