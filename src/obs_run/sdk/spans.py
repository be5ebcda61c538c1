"""Spans on their way: which are open, and what becomes of those that end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import Status, StatusCode

from obs_run.core import semconv
from obs_run.pipeline.items import SpanItem
from obs_run.pipeline.queue import queue

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from obs_run.core.operations import Operation
    from obs_run.launch.leaving import Leaving
    from obs_run.pipeline.measurements import Timing

_open: dict[int, Span] = {}
_operations: dict[int, tuple[Operation, Timing]] = {}


class QueueProcessor(SpanProcessor):
    """Puts each span that ends into the queue, together with the operation that it tells of."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 (the interface)
        """Remember that the span is open."""
        _open[span.context.span_id] = span

    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span over."""
        context = span.context
        if context is None:
            return
        _open.pop(context.span_id, None)
        operation, timing = _operations.pop(context.span_id, (None, None))
        if context.trace_flags.sampled:
            queue().put(SpanItem(span, operation, timing))

    def shutdown(self) -> None:
        """Do nothing: the queue is flushed when the process leaves, whoever shuts a provider down before."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Export what waits."""
        import time

        return queue().flush(time.monotonic() + timeout_millis / 1000)


def tells_of(span_id: int, operation: Operation, timing: Timing) -> None:
    """Say which operation the span that is about to end tells of."""
    _operations[span_id] = (operation, timing)


def end_open(left: Leaving) -> None:
    """End every span that is still open, children first, marked as unfinished."""
    ended_by = ending_name(left)
    for span in reversed(list(_open.values())):
        span.set_attribute(semconv.OBS_SPAN_UNFINISHED, True)  # noqa: FBT003 (the API's order)
        span.set_attribute(semconv.OBS_SPAN_ENDED_BY, ended_by)
        if left.kind == "signal":
            span.set_status(Status(StatusCode.ERROR, f"the process was ended by {ended_by}"))
        span.end()


def ending_name(left: Leaving) -> str:
    """Return how the process leaves, in one word: a signal's name, "exit", "os._exit" or "exec"."""
    if left.signal is None:
        return left.kind
    import signal

    return signal.Signals(left.signal).name


def forget_open() -> None:
    """In a child process: the open spans are the parent's to end."""
    _open.clear()
    _operations.clear()
