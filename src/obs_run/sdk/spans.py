"""Spans on their way: which are open, and what becomes of those that end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import Status, StatusCode

from obs_run.core import semconv
from obs_run.pipeline.items import SpanItem
from obs_run.pipeline.queue import queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from obs_run.core.operations import Operation
    from obs_run.core.sink import Timing
    from obs_run.process.exit_hooks import Leaving

_open: dict[int, Span] = {}
_inherited: set[int] = set()
_operations: dict[int, tuple[Operation, Timing]] = {}
_finishers: dict[int, Callable[[], None]] = {}
# How long a span's lock is waited for: the thread that a signal interrupted may hold it, and would for ever.
_LOCK_PATIENCE = 0.05


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
        span_id = context.span_id
        _open.pop(span_id, None)
        _finishers.pop(span_id, None)
        operation, timing = _operations.pop(span_id, (None, None))
        if span_id in _inherited:
            # Begun before a fork: the parent ends it too, and exports it.
            _inherited.discard(span_id)
        elif context.trace_flags.sampled and not queue().in_export_thread():
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


def finished_by(span_id: int, finish: Callable[[], None]) -> None:
    """Say what ends an open span together with what is known of its operation so far."""
    _finishers[span_id] = finish


def untold(span_id: int) -> bool:
    """Whether the span that ended did not come by here; its operation then stays to be told otherwise."""
    return _operations.pop(span_id, None) is not None


def end_open(left: Leaving) -> None:
    """End every span that is still open, children first, marked as unfinished."""
    ended_by = ending_name(left)
    for span in reversed(list(_open.values())):
        if not _free(span):
            continue
        span.set_attribute(semconv.OBS_SPAN_UNFINISHED, True)  # noqa: FBT003 (the API's order)
        span.set_attribute(semconv.OBS_SPAN_ENDED_BY, ended_by)
        if left.kind == "signal":
            span.set_status(Status(StatusCode.ERROR, f"the process was ended by {ended_by}"))
        _finishers.get(span.context.span_id, span.end)()


def _free(span: Span) -> bool:
    lock = getattr(span, "_lock", None)
    if lock is None:
        return True
    taken: bool = lock.acquire(timeout=_LOCK_PATIENCE)
    if taken:
        lock.release()
    return taken


def ending_name(left: Leaving) -> str:
    """Return how the process leaves, in one word: a signal's name, "exit", "os._exit" or "exec"."""
    if left.signal is None:
        return left.kind
    import signal

    return signal.Signals(left.signal).name


def forget_open() -> None:
    """In a child process: the open spans are the parent's to end."""
    _inherited.update(_open)
    _open.clear()
    _operations.clear()
    _finishers.clear()
