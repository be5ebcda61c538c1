"""Tools of agents without a framework: what runs them is the agent's own loop, which no hook sees.

A model's answer asks for them, and the next request brings what they gave. So each has a span from the one to the
other, beside the calls of the model and marked as inferred. What happens meanwhile in the same task or thread is inside
of the span where it can only be that tool's. Whoever tells of the tool himself is believed, and nothing is inferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from obs_run import settings
from obs_run.base import guard
from obs_run.context import propagation, threads
from obs_run.core import reported_tools, semconv
from obs_run.core.operations.tools import TOOL_ERROR
from obs_run.core.tool_windows import RequestedCall, Window, windows, with_window
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.core.operations import Operation, ToolResult

    Begin = Callable[[Operation, Context, int, int], Any]

_SETTING = "OBS_INFER_TOOLS"
_DEEPEST = 3
"""So many tools that ask models may be inside of each other; what looks like more is a chain of questions."""
_MOST_UNKNOWN = 16
"""So many results that nobody waits for are passed over in a request."""
_begin: list[Begin] = []


def record_with(begin: Begin) -> None:
    """Have ``begin`` start the recording of a tool in a context, at a time that is past by both clocks."""
    _begin[:] = [begin]


# What the recorder tells


def _call_ids(operation: Any, count: int) -> list[str | None]:
    """Return the id of each call; None for all where not each has one."""
    told = operation.tool_call_ids or []
    return told if len(told) == count else [None] * count


def note_answer(operation: Any, span: Span, context: Context, asked_in: Context, asked_at: int) -> None:
    """Begin to wait where an answer asks the agent for tools.

    ``asked_in`` is what was current around the call, ``asked_at`` when it began (``time.perf_counter_ns()``).
    """
    if operation.error_type is not None or operation.stream_end is not None or not settings.get(_SETTING):
        return
    call_ids = _call_ids(operation, len(operation.tool_calls))
    if operation.MAY_BE_KNOWN and any(call_id and windows.with_call(call_id) for call_id in call_ids):
        return
    calls = _requested_of(operation, call_ids)
    if not calls:
        return
    begun = (getattr(span, "end_time", None) or time.time_ns(), time.perf_counter_ns())
    place, trace_id = _place(asked_in)[0], span.get_span_context().trace_id
    window = Window(calls, context, place, trace_id, begun)
    for call in calls:
        call.is_reported = reported_tools.take_early_report(call.name, place, trace_id, asked_at)
    if window.is_reported():
        return
    window.may_stay_silent = getattr(operation, "must_call_tool", False) or windows.was_silent(window)
    propagation.refine_with(_inside_or_same)
    threads.carry_along(with_window)
    for oldest in windows.add(window):
        _abandon(oldest)


def _requested_of(asking: Any, call_ids: list[str | None]) -> list[RequestedCall]:
    """Return what an answer asks the agent for; what a tool by name gives back as the output is nobody's to run."""
    names: list[str] = asking.tool_calls
    output_tools = getattr(asking, "output_tools", ())
    fields = zip(names, call_ids, _arguments(asking, len(names)), strict=True)
    return [_requested(asking, *each) for each in fields if each[0] not in output_tools]


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
            reported_tools.note_reported(tool.tool_name, getattr(tool, "call_id", None), *_place(context))
    elif operation.ASKS_FOR_TOOLS:
        _note_request(operation, *_place(context))
    return context if is_given else inside(context)


def _place(context: Context) -> tuple[int, int]:
    """Return the ids of the span and of the trace that are current in a context."""
    current = get_current_span(context).get_span_context()
    return current.span_id, current.trace_id


def _note_request(operation: Any, place: int, trace_id: int) -> None:
    """Record the tools whose results a request brings, and close what it shows to be over."""
    results: Iterable[ToolResult] | None = getattr(operation, "tool_results", None)
    operation.tool_results = None
    offered = frozenset(getattr(operation, "offered_tools", None) or ())
    if results is not None and _record_results(results, offered, place, trace_id):
        return
    inside = [window for window in windows.chain() if window.place == place]
    for window in inside:
        # A model that may ask for the same tool again is asked by the same loop; any other may be asked by the tool.
        if window.may_stay_silent or offered & window.names or len(inside) > _DEEPEST:
            _close_silent(window)


def _record_results(results: Iterable[ToolResult], offered: frozenset[str | None], place: int, trace_id: int) -> bool:
    """Record the tools that a request brings results of; return whether it brings any that were waited for."""
    found: list[tuple[RequestedCall, ToolResult]] = []
    window: Window | None = None
    unknown = 0
    for result in results:
        window = window or _window_of(result, offered, place, trace_id)
        call = None if window is None else window.take(result)
        if call is not None:
            found.append((call, result))
        else:
            unknown += 1
            if found or unknown > _MOST_UNKNOWN:
                break
        if window is not None and not window.waiting:
            break
    if window is None or not found:
        return False
    for call, result in reversed(found):
        _record(window, call, result)
    _close_answered(window)
    return True


def _window_of(result: ToolResult, offered: frozenset[str | None], place: int, trace_id: int) -> Window | None:
    """Return the time that the call which a result is of is in: the nearest one; farther away the only one.

    Where ids come again in other conversations, these may have other tools.
    """
    near = _matching(windows.near(place), result, offered)
    if near:
        return near[0]
    far = _matching(windows.of_trace(trace_id), result, offered)
    if not far and result.call_id is not None and not reported_tools.is_reported(result.call_id, trace_id):
        far = windows.with_call(result.call_id)
    return far[0] if len(far) == 1 else None


def _matching(among: list[Window], result: ToolResult, offered: frozenset[str | None]) -> list[Window]:
    matching = [window for window in among if window.call_of(result) is not None]
    return [window for window in matching if window.names <= offered] or matching


def _close_answered(window: Window) -> None:
    windows.note_answer(window)
    here = list(windows.chain())
    if window in here:
        # What began inside of it is over, too; elsewhere it is when the span there ends.
        for inner in here[: here.index(window)]:
            if inner.place == window.place:
                _close(inner)
    windows.close(window)
    if not window.waiting:
        windows.discard(window)


def _record(window: Window, call: RequestedCall, result: ToolResult) -> None:
    recording = window.recording
    if recording is None:
        if call.is_reported:
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
    place, _ = _place(context)
    if place == 0:
        # Nothing tells the requests apart that a thread of a server works on one after the other.
        return context
    for window in windows.chain():
        if window.place != place or not window.may_have_children():
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


def _begin_tool(window: Window, call: RequestedCall) -> Any:
    context = window.context
    return None if context is None else _begin[0](call.operation, context, window.begun_ns, window.begun)


def parent_of_span(context: Context, name: str, attributes: Mapping[str, Any] | None) -> Context:
    """Return the context that a span of somebody else which is about to start in ``context`` belongs to."""
    tool = reported_tools.tool_of_span(name, attributes)
    return inside(context, None if tool is None else reported_tools.window_of(*tool, *_place(context)))


def note_span(span: Any) -> None:
    """Take note of what a span of somebody else says of itself by now, at its start and at its end."""
    tool = reported_tools.tool_of_span(span.name, span.attributes)
    span_id = span.context.span_id
    if tool is not None and span_id not in windows.reported_by:
        windows.reported_by[span_id] = True
        parent_id = 0 if span.parent is None else span.parent.span_id
        reported_tools.note_reported(*tool, parent_id, span.context.trace_id)


def note_end(span_id: int) -> None:
    """Close what was open at a span that has ended."""
    windows.reported_by.pop(span_id, None)
    for window in windows.at(span_id):
        _close_silent(window)


# Ends


def _close_silent(window: Window) -> None:
    # A tool that somebody told of did run.
    if not window.is_reported():
        windows.note_silence(window)
    _close(window)


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


def _inside_or_same(context: Context) -> Context:
    if not windows.waiting:
        return context
    changed: Context = guard.call("tools", inside, context, default=context)
    return changed
