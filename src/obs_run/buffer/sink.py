"""The sink of an agent that a relay exports for: what core records goes into the buffer, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.base import guard
from obs_run.buffer import codec
from obs_run.buffer.spans import BufferedSpan
from obs_run.context import log_context
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeGuard

    from opentelemetry.context import Context

    from obs_run.buffer.writer import Writer
    from obs_run.core.sink import Attributes, OperationRecord


class BufferSpanSink:
    """Begins and ends spans that are nobody's but ours; their records go into ``writer``."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.latest_end_ns = 0
        """When the span ended that ended last."""

    def start(
        self,
        name: str,
        kind: str,
        attributes: Callable[[], Attributes],  # noqa: ARG002 (nobody reads them before its end)
        parent: Context,
        start_ns: int | None = None,
    ) -> BufferedSpan:
        """Begin a span; that it has begun is written at once, for nobody may be left to end it.

        What begins where the buffer is full is left out as a whole, and counted.
        """
        span = BufferedSpan(name, kind, parent, start_ns)
        if span.is_dropped or not self._writer.has_room():
            # With all that is to be inside of it: half a tree would be read as a whole one.
            span.is_dropped = True
        elif span.is_sampled:
            own, outer = span.get_span_context(), span.parent
            state = own.trace_state.to_header() if own.trace_state else ""
            parent_id, is_remote = (0, False) if outer is None else (outer.span_id, outer.is_remote)
            begun = codec.encode_begun(
                name, kind, own.trace_id, own.span_id, span.start_time, parent_id, is_remote, state
            )
            self._writer.put(begun, is_vital=False)
            for key, value in log_context.ids(parent).items():
                span.set_attribute(key, guard.shown(value))
        return span

    @staticmethod
    def is_own(span: object) -> TypeGuard[BufferedSpan]:
        """Whether a span is one of these."""
        return isinstance(span, BufferedSpan)

    def end(self, span: BufferedSpan, complete: Callable[[], OperationRecord]) -> None:
        """End a span with its operation, or write that alone where the span is not kept."""
        operation = complete()
        end_ns = operation.timing.end_ns
        if operation.error is not None:
            span.has_failed, span.status_description = True, operation.error.message
        span.end_time = time.time_ns() if end_ns is None else max(end_ns, span.start_time)
        self.latest_end_ns = max(self.latest_end_ns, span.end_time)
        if span.is_dropped:
            self._writer.count_lost()
        elif span.is_sampled:
            span_id = span.get_span_context().span_id
            self._writer.put(codec.encode_ended(span_id, span.end_time, span.changes(), operation))
        else:
            self._writer.put(codec.encode(codec.Measured(operation)))

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        """Write what has no span."""
        self._writer.put(codec.encode(codec.Measured(complete())))
