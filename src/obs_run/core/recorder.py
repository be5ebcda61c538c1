"""From operations to records: one recording for each operation, ended exactly once."""

from __future__ import annotations

import traceback
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.context import current_context
from obs_run.core import content, conversations, inside_runs, log_records, nesting, ownership, semconv, sink
from obs_run.core.open_recordings import Ending, open_recordings
from obs_run.core.operation_kinds import kind_of
from obs_run.core.recording_scope import RecordingScope
from obs_run.core.sink import ErrorRecord, OperationRecord, Timing
from obs_run.core.tool_windows import windows
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.context.current_context import Entry
    from obs_run.core.nesting import NestedInvocation
    from obs_run.core.ongoing import FrameworkCall, OwnRecording
    from obs_run.core.operations import ExecutedTool, Operation
    from obs_run.core.operations.fields import Described
    from obs_run.core.run_statistics import Around
    from obs_run.core.sink import Sink

__all__ = ["Recording", "start"]

_OWNER_IS_GONE = Ending("owner is gone")
_INTERRUPTED = Ending("SIGINT")
_DEEPEST_CAUSE = 8


class Recording(RecordingScope):
    """An operation that is going on, with its span.

    It may be ended by whoever holds it, in any thread and order; a second end does nothing. ``with`` makes it current
    for as long as the library's own code works on the operation; children elsewhere start under ``context``.
    """

    __slots__ = (
        "__weakref__",
        "_chunks",
        "_end_ns",
        "_entries",
        "_first_chunk",
        "_last_chunk",
        "_marks",
        "_open",
        "_owner",
        "_place",
        "_request_content",
        "_sink",
        "_started",
        "around",
        "is_ended",
        "is_frameworks",
        "left_by",
        "operation",
        "outer",
        "provider_call",
        "read_unfinished",
        "runs",
        "shared_data",
        "span",
    )

    def __init__(
        self,
        operation: Operation,
        span: Span,
        parent: Context,
        outer: OwnRecording | None,
        to: Sink,
        place: Context,
        runs: tuple[Around, ...] = inside_runs.NOTHING,
    ) -> None:
        self.operation = operation
        self.span = span
        self.outer = outer
        """The recording around this one, for what holds of its parts too."""
        self.runs = runs
        """The runs around it that it is counted on."""
        self.is_ended = False
        self.read_unfinished: Callable[[], Callable[[], None] | None] | None = None
        """Gives, while there is a stream, what reads as much of it as has come in."""
        self.left_by = 0
        """The id of the exception that the last failed operation inside ended with."""
        self.shared_data: Any = None
        """What another package noted of the operation, from inside of it."""
        self.around = parent
        """The context that it was begun under."""
        self.is_frameworks = operation.IS_FRAMEWORKS
        """Whether the provider's own client may tell more of it."""
        self.provider_call: FrameworkCall | None = None
        self._place = place
        """What was current for the agent, which knows nothing of spans that are inferred."""
        self._sink = to
        self._marks: dict[str, Any] = {}
        # Until the call has ended the agent may change what it asked with.
        self._request_content = content.take(operation)
        self._entries: list[Entry] = []
        self._owner: weakref.ref[Any] | None = None
        self._first_chunk = self._last_chunk = self._chunks = 0
        # Taken by whoever ends it first: to take from a list is atomic.
        self._open = [True]
        self._end_ns: int | None = None
        self._started = time.perf_counter_ns()

    def replace(self, operation: Operation) -> None:
        """Tell of another operation, because more is known of what happens than when it began."""
        operation.take_over(self.operation)
        name = operation.span_name()
        if name != self.operation.span_name():
            self.span.update_name(name)
        self.operation = operation
        self._request_content = content.take(operation)

    def chunk(self) -> None:
        """Note that a chunk of a stream has come in."""
        now = time.perf_counter_ns()
        if not self._chunks:
            self._first_chunk = now
        self._last_chunk = now
        self._chunks += 1

    def end(self, error: BaseException | None = None) -> None:
        """End the operation, with the library's error if there was one."""
        if isinstance(error, KeyboardInterrupt):
            # The person at the keyboard has had enough; the call has not failed.
            self.end_unfinished(_INTERRUPTED)
            return
        try:
            self._open.pop()
        except IndexError:
            return
        self.is_ended = True
        if self.is_frameworks:
            self._read_rest()
        self.read_unfinished = None
        try:
            self._end(error)
        except Exception as failure:  # noqa: BLE001 (the guard, without the cost of a call to it)
            guard.failed("end", failure)

    def _read_rest(self) -> None:
        """Read what has come in of a provider's stream that the framework does not read to its end."""
        read = None if self.read_unfinished is None else self.read_unfinished()
        if read is not None:
            guard.call("end", read)

    def end_unfinished(self, ending: Ending) -> None:
        """End the operation with what is known of it so far, because nobody else will."""
        read = None if self.read_unfinished is None or self.is_ended else self.read_unfinished()
        if read is not None:
            guard.call("end", read)
        self._marks = {semconv.OBS_SPAN_UNFINISHED: True, semconv.OBS_SPAN_ENDED_BY: ending.ended_by}
        self._end_ns = ending.at_ns
        self.end()
        # A chain of operations that never ended must not be kept by the newest of them.
        self.outer = None

    def belongs_to(self, owner: object) -> None:
        """Have the operation ended, and marked, when ``owner`` is gone and nobody has ended it."""

        def end(_: object) -> None:
            self.end_unfinished(_OWNER_IS_GONE)

        self._owner = weakref.ref(owner, end)

    def _end(self, error: BaseException | None) -> None:
        open_recordings.discard(self.span.get_span_context().span_id)
        operation: Any = self.operation
        if getattr(operation, "executed_tools", None):
            guard.call("tools", self._record_tools, operation.executed_tools)
        if self.shared_data is not None:
            guard.call("shared call", nesting.merge_shared, operation, self.shared_data)
        if self.runs:
            guard.call("run statistics", inside_runs.end, operation, self.runs, has_failed=error is not None)
        self._sink.end(self.span, partial(self._complete, self._timing(), error))
        if operation.ASKS_FOR_TOOLS and operation.tool_calls and not self._marks:
            _inferred_tools().note_answer(operation, self.span, self.around, self._place, self._started)

    def _record_tools(self, tools: list[ExecutedTool]) -> None:
        """Record the tools that a service says it ran, inside of the run that it tells of."""
        for tool in tools:
            begun = now() if tool.begun is None else tool.begun
            recording = _begin(tool, self.context, self, self._sink, self.context, _wall_time(begun))
            recording.begun_at(begun)
            recording.over_at(begun if tool.over is None else tool.over)
            recording.end()

    def begun_at(self, moment: int) -> None:
        """Say when the operation began, by ``now()``, if that was not just now."""
        self._started = moment

    def over_at(self, moment: int) -> None:
        """Say when the operation, which is about to be ended, was over, by ``now()``, if that is not just now."""
        self._end_ns = _wall_time(moment)

    def _complete(self, timing: Timing, error: BaseException | None) -> OperationRecord:
        """Return the record; of no kind where that fails, so that nothing is measured of which nothing is known."""
        # The span ends whatever happens: an open one would be kept until the process ends.
        try:
            record = self._record(timing, error)
        except Exception as failure:  # noqa: BLE001 (as above)
            guard.failed("end", failure)
            return OperationRecord("", {}, {}, timing, {})
        if error is not None and record.error is not None:
            self._tell_exception(error, record.error)
        elif self.operation.failure is not None:
            guard.call("end", log_records.log_exception, self.operation.failure, self.span.get_span_context())
        return record

    def _tell_exception(self, error: BaseException, told: ErrorRecord) -> None:
        """Have the exception's event where it came up first, and not again for each run that it leaves on its way."""
        outer = self.outer
        if isinstance(outer, Recording):
            outer.left_by = id(error)
        if not _stems_from(error, self.left_by):
            guard.call("end", log_records.log_exception, told, self.span.get_span_context())

    def _record(self, timing: Timing, error: BaseException | None) -> OperationRecord:
        operation = self.operation
        if error is None and self.provider_call is not None:
            # It was tried again.
            operation.error_type = None
        if error is not None and operation.error_type is None:
            operation.error_type = error_name(error)
        if timing.first_chunk is not None and getattr(operation, "stream", False) is None:
            # Not every library has the agent say beforehand that it wants a stream.
            operation.stream = True  # type: ignore[attr-defined]
        attributes = operation.attributes()
        if timing.first_chunk is not None and hasattr(operation, "stream"):
            attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = timing.first_chunk
        attributes.update(self._marks)
        failure = None if operation.error_type is None else _failure(operation, operation.error_type, error)
        runs = inside_runs.ids(operation, self.runs)
        if operation.IS_RUN:
            attributes.update(inside_runs.sums(operation, timing.duration))
            if self.outer is not None:
                runs = inside_runs.tell_besides(operation, self.outer)
        plain_content, content_size = content.plain_content(operation, self._request_content)
        return OperationRecord(
            kind_of(type(operation)),
            content.plain_attributes(attributes),
            plain_content,
            timing,
            operation.pricing(),
            failure,
            content_size,
            runs,
            operation.agent_name if self.runs else None,
            self.span.get_span_context().span_id if operation.IS_RUN else None,
        )

    def _timing(self) -> Timing:
        end_ns = self._end_ns
        duration = (time.perf_counter_ns() - self._started) / 1e9
        if end_ns is not None:
            duration = max(0.0, duration - (time.time_ns() - end_ns) / 1e9)
        if not self._chunks:
            return Timing(duration, end_ns=end_ns)
        gap = None
        if self._chunks > 1:
            gap = (self._last_chunk - self._first_chunk) / (self._chunks - 1) / 1e9
        return Timing(duration, (self._first_chunk - self._started) / 1e9, gap, end_ns)


def _stems_from(error: BaseException, first: int) -> bool:
    """Whether an exception is the one with the id ``first``, or was raised because of it."""
    cause: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if cause is None:
            return False
        if id(cause) == first:
            return True
        cause = cause.__cause__
    return False


def measure(thing: Described, duration: float, error: BaseException | None = None) -> None:
    """Measure what took ``duration`` seconds and has no span of its own."""
    to = sink.current()
    if to is None:
        return
    attributes = content.plain_attributes(thing.field_attributes())
    if error is not None:
        attributes.setdefault(semconv.ERROR_TYPE, error_name(error))
    kind = kind_of(type(thing))
    to.measure(lambda: OperationRecord(kind, attributes, {}, Timing(duration), {}))


def now() -> int:
    """Return this moment, for what is told of it later."""
    return time.perf_counter_ns()


def _wall_time(moment: int) -> int:
    """Return a moment as nanoseconds since 1970."""
    return time.time_ns() - (time.perf_counter_ns() - moment)


def start(
    operation: Operation, parent: Context | None = None, owner: object = None, begun: int | None = None
) -> Recording | NestedInvocation | None:
    """Begin to record an operation; None where nobody wants it, or a library further out already records it.

    Its parent is what is current in the context ``parent`` (default: here). With ``owner``, which must allow weak
    references, the recording ends when that object is gone. ``begun`` is when it began, by ``now()``, if not just now.
    """
    try:
        return _start(operation, parent, owner, begun)
    except Exception as failure:  # noqa: BLE001 (as above)
        guard.failed("start", failure)
        return None


def _provider_call(operation: Operation, framework: Any) -> NestedInvocation | None:
    from obs_run.core import provider_calls

    return provider_calls.provider_call(operation, framework)


def _part_of(operation: Operation, outer: Any, context: Context) -> NestedInvocation | None:
    from obs_run.core import part_calls

    operation.inherit(outer.operation)
    return part_calls.part_call(operation, outer, context, kind_of(type(operation)))


def _start(
    operation: Operation, parent: Context | None, owner: object, begun: int | None
) -> Recording | NestedInvocation | None:
    context = current_context.current() if parent is None else parent
    if ownership.is_suppressed(operation, context):
        return None
    nested = nesting.nested(operation, context)
    if nested is not None:
        return nested
    to = sink.current()
    if to is None:
        return None
    place = context
    # Of a tool may be told before the answer that asks for it is over.
    if windows.waiting or operation.IS_TOOL_CALL:
        refine = _inferred_tools().parent_of
        context = guard.call("tools", refine, operation, context, is_given=parent is not None, default=context)
    outer = ownership.recording_in(context)
    if operation.IS_MODEL_CALL and getattr(outer, "is_frameworks", False):
        framework: Any = outer
        if kind_of(type(operation)) == kind_of(type(framework.operation)):
            call = _provider_call(operation, framework)
            if call is not None:
                return call
            # One call more than the framework tells of.
            context, outer = framework.around, framework.outer
    if outer is not None and operation.is_part_of(outer.operation):
        part = _part_of(operation, outer, context)
        if part is not None:
            return part
    recording = _begin(operation, context, outer, to, place, None if begun is None else _wall_time(begun))
    if begun is not None:
        recording.begun_at(begun)
    if owner is not None:
        recording.belongs_to(owner)
    return recording


def _begin(
    operation: Operation,
    context: Context,
    outer: OwnRecording | None,
    to: Sink,
    place: Context,
    begun_ns: int | None = None,
) -> Recording:
    runs = inside_runs.NOTHING
    if outer is not None:
        operation.inherit(outer.operation)
        runs = inside_runs.begin(operation, outer, may_refuse=begun_ns is None)
    span = to.start(operation.span_name(), operation.KIND, operation.attributes, context, begun_ns)
    recording = Recording(operation, span, context, outer, to, place, runs)
    if operation.IS_RUN and operation.conversation_id is not None and not _is_in_run(outer):
        guard.call("link", conversations.link_to_previous_run, span, operation.conversation_id)
    if span.is_recording():
        open_recordings.add(span.get_span_context().span_id, Recording.end_unfinished, recording)
    return recording


def _is_in_run(outer: Any) -> bool:
    """Whether what is around a run is one too, and not only a server's request, whose other side may be far away."""
    while outer is not None and not outer.operation.IS_RUN:
        outer = getattr(outer, "outer", None)
    return outer is not None


def _begin_tool(operation: Operation, context: Context, begun_ns: int, begun: int) -> Recording | None:
    """Begin to record a tool that the agent began to run before it was known; None where it did not run there."""
    to, parent = sink.current(), ownership.open_context(context)
    if to is None or parent is None:
        return None
    recording = _begin(operation, parent, ownership.recording_in(parent), to, parent, begun_ns)
    recording.begun_at(begun)
    return recording


def _inferred_tools() -> Any:
    # Most agents' models ask for no tools.
    from obs_run.core import inferred_tools

    inferred_tools.record_with(_begin_tool)
    return inferred_tools


def _failure(operation: Operation, error_type: str, error: BaseException | None) -> ErrorRecord:
    if error is None:
        return operation.failure or ErrorRecord(error_type, operation.error_message or error_type)
    return describe_error(error, error_type)


def describe_error(error: BaseException, error_type: str | None = None) -> ErrorRecord:
    """Return what is told of an exception, which need not be kept then."""
    error_type = error_type or error_name(error)
    stack = traceback.format_exception(type(error), error, error.__traceback__)
    return ErrorRecord(error_type, guard.shown(error), error_name(error), "".join(stack))
