"""Tools of agents without a framework: what runs them is the agent's own loop, which no hook sees.

A model's answer asks for them, and the next request brings what they gave. So each has a span from the one to the
other, beside the calls of the model and marked as inferred. What happens meanwhile in the same task or thread is inside
of the span where it can only be that tool's. Whoever tells of the tool himself is believed, and nothing is inferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.trace import get_current_span

from obs_run import settings
from obs_run.base import guard
from obs_run.context import propagation, threads
from obs_run.core import semconv
from obs_run.core.operations.tools import TOOL_ERROR
from obs_run.core.tool_windows import RequestedCall, Window, windows, with_window
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.core.operations import Operation, ToolResult

    class ToolRecording(Protocol):
        """The recording of a tool."""

        operation: Any
        span: Span

        def end(self) -> None:
            """End it."""

        def inside(self, context: Context) -> Context:
            """Return ``context`` with the recording as what is current."""

    class Begin(Protocol):
        """Begins the recording of a tool, at a time that is past by both clocks."""

        def __call__(self, operation: Operation, context: Context, begun_ns: int, begun: int) -> ToolRecording | None:
            """Return the recording; None where nobody takes it."""


_SETTING = "OBS_INFER_TOOLS"
_DEEPEST = 3
"""So many tools that ask models may be inside of each other; what looks like more is a chain of questions."""
_MOST_UNKNOWN = 16
"""So many results that nobody waits for are passed over in a request."""
_EXECUTE_TOOL = "execute_tool"
_TOOL_MARKS = (
    (semconv.OPERATION_NAME, _EXECUTE_TOOL, semconv.TOOL_NAME),
    ("openinference.span.kind", "TOOL", "tool.name"),
    ("traceloop.span.kind", "tool", "traceloop.entity.name"),
)
"""How spans of others say that they are of a tool: an attribute, its value, and the attribute with the tool's name."""
_begin: list[Begin] = []


def record_with(begin: Begin) -> None:
    """Have tools recorded by ``begin``."""
    _begin[:] = [begin]


def is_waiting() -> bool:
    """Whether results of any tool are waited for; where not, nothing else here has anything to do."""
    return len(windows) > 0


# What the recorder tells


def note_answer(operation: Any, span: Span, context: Context, place: int) -> None:
    """Begin to wait where an answer asks the agent for tools; ``place`` is what was current around the call."""
    if operation.error_type is not None or operation.stream_end is not None or not settings.get(_SETTING):
        return
    names: list[str] = operation.tool_calls
    call_ids = operation.tool_call_ids or []
    if len(call_ids) != len(names):
        call_ids = [None] * len(names)
    arguments = _arguments(operation, len(names))
    calls = [_requested(operation, *fields) for fields in zip(names, call_ids, arguments, strict=True)]
    begun = (getattr(span, "end_time", None) or time.time_ns(), time.perf_counter_ns())
    window = Window(calls, context, place, begun)
    window.may_stay_silent = getattr(operation, "must_call_tool", False) or windows.was_silent(window)
    propagation.refine_with(_inside_or_same)
    threads.carry_along(with_window)
    for oldest in windows.add(window):
        _abandon(oldest)


def _requested(asking: Operation, name: str, call_id: str | None, arguments: Any) -> RequestedCall:
    # Most agents' models ask for none, and a class costs most of a millisecond.
    from obs_run.core.operations import ToolCall

    operation = ToolCall(
        tool_name=name,
        tool_type="function",
        call_id=call_id,
        arguments=arguments,
        extra={semconv.OBS_TOOL_INFERRED: True, semconv.OBS_TOOL_UNCONFIRMED: True},
    )
    operation.inherit(asking)
    return RequestedCall(name, call_id, operation)


def _arguments(operation: Any, count: int) -> list[Any]:
    """Return the arguments of the calls, in the order of the calls; None for each where content is not wanted."""
    arguments = [
        part.get("arguments")
        for message in operation.output_messages or ()
        for part in message["parts"]
        if part["type"] == "tool_call"
    ]
    return arguments if len(arguments) == count else [None] * count


def parent_of(operation: Operation, context: Context, *, is_given: bool) -> Context:
    """Return the context that a recording which starts in ``context`` belongs to; results that it brings are recorded.

    A parent that the caller gave stays.
    """
    if operation.IS_TOOL_CALL:
        tool: Any = operation
        if tool.tool_name is not None:
            _note_told(tool.tool_name, getattr(tool, "call_id", None), _trace_id(context))
    elif operation.ASKS_FOR_TOOLS:
        _note_request(operation, _span_id(context))
    return context if is_given else inside(context)


def _note_request(operation: Any, place: int) -> None:
    """Record the tools whose results a request brings, and close what it shows to be over."""
    results: Iterable[ToolResult] | None = getattr(operation, "tool_results", None)
    operation.tool_results = None
    if results is not None and _record_results(results, place):
        return
    offered = getattr(operation, "offered_tools", None)
    names = frozenset(() if offered is None else offered)
    inside = [window for window in windows.chain() if window.place == place]
    for window in inside:
        # A model that may ask for the same tool again is asked by the same loop; any other may be asked by the tool.
        if not window.may_have_calls() or names & window.names or len(inside) > _DEEPEST:
            windows.note_silence(window)
            _close(window)


def _record_results(results: Iterable[ToolResult], place: int) -> bool:
    """Record the tools that a request brings results of; return whether it brings any that were waited for."""
    found: list[tuple[Window, RequestedCall, ToolResult]] = []
    window: Window | None = None
    unknown = 0
    for result in results:
        window, call = _find(result, place, window)
        if window is not None and call is not None:
            found.append((window, call, result))
            if not window.waiting:
                break
        else:
            unknown += 1
            if found or unknown > _MOST_UNKNOWN:
                break
    for one, call, result in reversed(found):
        _record(one, call, result)
    for answered in {id(one): one for one, _, _ in found}.values():
        _close_answered(answered)
    return bool(found)


def _find(result: ToolResult, place: int, window: Window | None) -> tuple[Window | None, RequestedCall | None]:
    """Return the call that a result is of, and its window: of this task or thread, of this place, or anywhere."""
    if window is not None:
        return window, window.take(result)
    for near in windows.chain():
        call = near.take(result)
        if call is not None:
            return near, call
    others = windows.newest_first()
    for other in others:
        if other.place == place:
            call = other.take(result)
            if call is not None:
                return other, call
    if result.call_id is not None:
        for other in others:
            if any(call.call_id == result.call_id for call in other.waiting):
                return other, other.take(result)
    return None, None


def _close_answered(window: Window) -> None:
    windows.note_answer(window)
    inner = windows.current()
    if any(each is window for each in windows.chain()):
        # Windows that began inside of it are over, too.
        while inner is not None and inner is not window:
            if inner.is_open:
                _close(inner)
            inner = inner.outer
    windows.close(window)
    if not window.waiting:
        windows.discard(window)


def _record(window: Window, call: RequestedCall, result: ToolResult) -> None:
    recording = window.recording
    if recording is None:
        if call.is_told:
            return
        recording = _begin_tool(window, call)
        if recording is None:
            return
    operation = recording.operation
    operation.extra.pop(semconv.OBS_TOOL_UNCONFIRMED, None)
    if operation.IS_TOOL_CALL:
        operation.result = result.result
        if result.is_error:
            operation.error_type = TOOL_ERROR
    recording.end()


# What happens while a tool runs


def inside(context: Context, told: Window | None = None) -> Context:
    """Return ``context`` inside of the tool that runs there, or as it is; ``told`` is about to be told of."""
    span_id = 0
    for window in windows.chain():
        span_id = span_id or _span_id(context)
        if window.place != span_id or not window.may_have_children():
            continue
        if window is told and window.recording is None:
            continue
        recording = window.recording or _begin_inside(window)
        if recording is not None:
            changed: Context = recording.inside(context)
            return changed
    return context


def _begin_inside(window: Window) -> Any:
    """Begin the recording of a tool that something happens inside of; by one thread, once."""
    try:
        window.unmade.pop()
        call = window.waiting[0]
    except IndexError:
        return None
    window.recording = _begin_tool(window, call)
    return window.recording


def _begin_tool(window: Window, call: RequestedCall) -> ToolRecording | None:
    context = window.context
    if context is None:
        return None
    return _begin[0](call.operation, context, window.begun_ns, window.begun)


def parent_of_span(context: Context, name: str, attributes: Mapping[str, Any] | None) -> Context:
    """Return the context that a span of somebody else which is about to start in ``context`` belongs to."""
    tool = _told_tool(name, attributes)
    if tool is None:
        return inside(context)
    told, _ = _find_told(tool, _call_id(attributes), _trace_id(context))
    return inside(context, told)


def note_span(span: Any) -> None:
    """Take note of what a span of somebody else says of itself by now, at its start and at its end."""
    attributes = span.attributes
    tool = _told_tool(span.name, attributes)
    if tool is None:
        return
    span_id = span.context.span_id
    if span_id not in windows.told_by:
        windows.told_by[span_id] = True
        _note_told(tool, _call_id(attributes), span.context.trace_id)


def note_end(span_id: int) -> None:
    """Close what was open at a span that has ended."""
    windows.told_by.pop(span_id, None)
    for window in windows.at(span_id):
        windows.note_silence(window)
        _close(window)


def _told_tool(name: str, attributes: Mapping[str, Any] | None) -> str | None:
    """Return the name of the tool that a span of somebody else is of, None where it is of none."""
    for key, value, name_key in _TOOL_MARKS:
        if attributes is not None and attributes.get(key) == value:
            tool = attributes.get(name_key)
            return tool if isinstance(tool, str) else name.removeprefix(f"{_EXECUTE_TOOL} ")
    operation, _, tool = name.partition(" ")
    return tool if operation == _EXECUTE_TOOL and tool else None


def _call_id(attributes: Mapping[str, Any] | None) -> str | None:
    call_id = None if attributes is None else attributes.get(semconv.TOOL_CALL_ID)
    return call_id if isinstance(call_id, str) else None


def _note_told(name: str, call_id: str | None, trace_id: int) -> None:
    """Take note that somebody tells of a tool."""
    window, call = _find_told(name, call_id, trace_id)
    if window is not None and call is not None:
        call.is_told = True
        _step_back(window)


def _find_told(name: str, call_id: str | None, trace_id: int) -> tuple[Window | None, RequestedCall | None]:
    """Return which call somebody tells of: that with this id, else the first one of this name in the trace."""
    near = list(windows.chain())
    everywhere = windows.newest_first()
    if call_id is not None:
        for window in (*near, *everywhere):
            for call in window.waiting.copy():
                if call.call_id == call_id and not call.is_told:
                    return window, call
    # Who tells of it may have ids of his own.
    for window in (*near, *everywhere):
        if window in near or window.is_of_trace(trace_id):
            for call in window.waiting.copy():
                if call.name == name and not call.is_told:
                    return window, call
    return None, None


def _step_back(window: Window) -> None:
    """Have a span that others are inside of already be a step around the one that tells of the tool."""
    recording = window.recording
    if recording is None:
        return
    from obs_run.core.operations import Step

    tool = recording.operation
    step = Step(step_name=tool.tool_name, step_type="tool", extra=tool.extra)
    step.inherit(tool)
    recording.operation = step
    recording.span.update_name(step.span_name())


# Ends


def _close(window: Window) -> None:
    windows.close(window)
    if window.recording is not None:
        _abandon(window)


def _abandon(window: Window) -> None:
    """Wait no more; the span that others are inside of ends unconfirmed."""
    recording = window.recording
    windows.discard(window)
    if recording is not None:
        recording.end()


def _span_id(context: Context) -> int:
    return get_current_span(context).get_span_context().span_id


def _trace_id(context: Context) -> int:
    return get_current_span(context).get_span_context().trace_id


def _inside_or_same(context: Context) -> Context:
    if not windows:
        return context
    changed: Context = guard.call("tools", inside, context, default=context)
    return changed
