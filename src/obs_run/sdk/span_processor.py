"""The processor of ours on every provider: it knows which spans are open, and hands over those that end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind

from obs_run.base import guard
from obs_run.context import log_context
from obs_run.core import inside_runs, ownership, semconv
from obs_run.core.open_recordings import open_recordings
from obs_run.core.tool_windows import windows
from obs_run.pipeline.items import SpanItem
from obs_run.process import termination
from obs_run.process.unpatched import time
from obs_run.sdk import request_spans

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from obs_run.core.open_recordings import Ending
    from obs_run.core.sink import OperationRecord
    from obs_run.pipeline.queue import Items

# How long a span's lock is waited for: the thread that a signal interrupted may hold it, and would for ever.
_LOCK_PATIENCE = 0.05
_CHANGES = (
    "add_event",
    "add_link",
    "end",
    "record_exception",
    "set_attribute",
    "set_attributes",
    "set_status",
    "update_name",
)


class QueueSpanProcessor(SpanProcessor):
    """Puts each span that ends into the queue, together with the operation that it stands for.

    Without ``exports_spans`` only operations are wanted there, which are measured.
    """

    def __init__(self, queue: Items, *, exports_spans: bool = True) -> None:
        self._queue = queue
        self._exports_spans = exports_spans
        self._inherited: set[int] = set()
        self._own: set[int] = set()
        """Begun by the export thread. What it only ends may be the agent's: the garbage collector runs anywhere."""
        self._operations: dict[int, OperationRecord] = {}
        self.latest_end_ns = 0
        """When the span ended that ended last."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember that the span is open."""
        try:
            if termination.suspended:
                termination.resume()
            if self._queue.is_export_thread():
                self._own.add(span.context.span_id)
            open_recordings.add(span.context.span_id, end_unfinished, span)
            if self._exports_spans:
                self._queue.note_begun(span)
            ids = log_context.ids(parent_context)
            if ids:
                span.set_attributes({name: guard.shown(value) for name, value in ids.items()})
            if windows.waiting:
                _note_tool(span)
            if span.kind is SpanKind.SERVER:
                guard.call("request", request_spans.describe, span, parent_context)
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            guard.failed("span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span over."""
        try:
            self._take(span)
        except Exception as error:  # noqa: BLE001 (as above)
            guard.failed("span", error)

    def _take(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None:
            return
        span_id = context.span_id
        self.latest_end_ns = max(self.latest_end_ns, span.end_time or 0)
        open_recordings.discard(span_id)
        operation = self._operations.pop(span_id, None)
        if windows.waiting:
            _note_tool(span, is_over=True)
        if span_id in self._inherited:
            # Begun before a fork: the parent ends it too, and exports it.
            self._inherited.discard(span_id)
        elif span_id in self._own:
            self._own.discard(span_id)
        elif operation is None and not self._exports_spans:
            return
        elif context.trace_flags.sampled:
            self._queue.put(_foreign_item(span) if operation is None else SpanItem(span, operation))

    def attach_operation(self, span_id: int, operation: OperationRecord) -> None:
        """Say which operation the span that is about to end stands for."""
        self._operations[span_id] = operation

    def pop_unclaimed(self, span_id: int) -> OperationRecord | None:
        """Return the operation of a span that ended and did not come by here; None where it did."""
        return self._operations.pop(span_id, None)

    def after_fork(self, open_ids: set[int]) -> None:
        """In a child process: the spans that are open, by their ids, are the parent's to end."""
        self._inherited.update(open_ids)
        self._operations.clear()

    def shutdown(self) -> None:
        """Do nothing: the queue is flushed when the process leaves, whoever shuts a provider down before."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Export what waits."""
        return bool(guard.call("flush", self._queue.flush, time.monotonic() + timeout_millis / 1000))


def _foreign_item(span: ReadableSpan) -> SpanItem:
    """Return the item of a span that is not ours, with what of ours goes on around it."""
    recording = ownership.current_recording()
    if recording is None:
        return SpanItem(span)
    runs = inside_runs.ids_around(recording)
    return SpanItem(span, is_told=recording.operation.IS_MODEL_CALL, runs=runs)


def _note_tool(span: ReadableSpan, *, is_over: bool = False) -> None:
    """Have taken note of what a span says of the tools that are waited for; of ours the recorder has told."""
    from obs_run.core import inferred_tools

    scope = span.instrumentation_scope
    if scope is None or scope.name != "obs_run":
        inferred_tools.note_span(span)
    if is_over and span.context is not None:
        inferred_tools.note_end(span.context.span_id)


def end_unfinished(span: Any, ending: Ending) -> None:
    """End a span that nobody ended, marked; one whose lock is held by whoever was interrupted stays open."""
    if mark_unfinished(span, ending):
        span.end(end_time(span, ending.at_ns))
        _accept_late_calls(span)


def end_time(span: Any, at_ns: int | None) -> int | None:
    """Return when a span ends: at ``at_ns``, unless it began later, or now."""
    return None if at_ns is None else max(at_ns, getattr(span, "start_time", None) or 0)


def _accept_late_calls(span: Any) -> None:
    """Have the agent end and change its span as if it were open: the SDK would print that it is not."""
    for name in _CHANGES:
        setattr(span, name, _do_nothing)


def _do_nothing(*_: Any, **__: Any) -> None:
    """Stand for a method of a span that was ended before its owner ended it."""


def mark_unfinished(span: Any, ending: Ending) -> bool:
    """Mark a span that nobody ended; False where one who was interrupted holds its lock, or had it nearly ended."""
    if not is_free(span) or getattr(span, "end_time", None) is not None:
        return False
    span.set_attributes({semconv.OBS_SPAN_UNFINISHED: True, semconv.OBS_SPAN_ENDED_BY: ending.ended_by})
    return True


def is_free(span: Any) -> bool:
    """Whether a span can be changed: nobody who was interrupted holds its lock."""
    lock = getattr(span, "_lock", None)
    if lock is None:
        return True
    is_taken: bool = lock.acquire(timeout=_LOCK_PATIENCE)
    if is_taken:
        lock.release()
    return is_taken
