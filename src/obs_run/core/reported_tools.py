"""Tools that somebody else tells of: an instrumented framework, MCP's client, or a span of the agent's own.

Whoever tells of a tool himself is believed, and nothing is inferred.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.core import semconv
from obs_run.core.tool_windows import windows
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obs_run.core.tool_windows import RequestedCall, Window

_EXECUTE_TOOL = "execute_tool"
_MOST_EARLY_REPORTS = 64
_MOST_REPORTED = 256
_TOOL_MARKS = (
    (semconv.OPERATION_NAME, _EXECUTE_TOOL, semconv.TOOL_NAME),
    ("openinference.span.kind", "TOOL", "tool.name"),
    ("traceloop.span.kind", "tool", "traceloop.entity.name"),
)
"""How spans of others say that they are of a tool: an attribute, its value, and the attribute with the tool's name."""


class _EarlyReport(NamedTuple):
    name: str
    place: int
    trace_id: int
    reported_at: int


_early_reports: deque[_EarlyReport] = deque(maxlen=_MOST_EARLY_REPORTS)
"""What was reported of tools that nobody waited for, the newest last."""
_reported_calls: deque[tuple[str | None, int]] = deque(maxlen=_MOST_REPORTED)
"""The ids of calls that were reported, and their traces, the newest last."""


def tool_of_span(name: str, attributes: Mapping[str, Any] | None) -> tuple[str, str | None] | None:
    """Return name and call id of the tool that a span of somebody else is of, None where it is of none."""
    tool = _name_of_tool(name, attributes or {})
    if tool is None:
        return None
    call_id = None if attributes is None else attributes.get(semconv.TOOL_CALL_ID)
    return tool, call_id if isinstance(call_id, str) else None


def _name_of_tool(name: str, attributes: Mapping[str, Any]) -> str | None:
    for key, value, name_key in _TOOL_MARKS:
        if attributes.get(key) == value:
            tool = attributes.get(name_key)
            return tool if isinstance(tool, str) else name.removeprefix(f"{_EXECUTE_TOOL} ")
    operation, _, tool = name.partition(" ")
    return tool if operation == _EXECUTE_TOOL and tool else None


def window_of(name: str, call_id: str | None, place: int, trace_id: int) -> Window | None:
    """Return the time that a call of a tool which somebody tells of is in."""
    return next((window for window, _ in _matches(name, call_id, place, trace_id)), None)


def note_reported(name: str, call_id: str | None, place: int, trace_id: int) -> None:
    """Take note that somebody tells of a call of a tool."""
    for window, call in _matches(name, call_id, place, trace_id):
        call.is_reported = True
        _reported_calls.append((call.call_id, window.trace_id))
        if window.recording is not None:
            _step_back(window)
        elif window.is_reported():
            # Whoever tells of it may not say which results come.
            windows.discard(window)
        return
    _early_reports.append(_EarlyReport(name, place, trace_id, time.perf_counter_ns()))


def is_reported(call_id: str | None, trace_id: int) -> bool:
    """Whether somebody reported a call in this trace, whose result is then not that of another with the same id."""
    return trace_id != 0 and (call_id, trace_id) in _reported_calls


def take_early_report(name: str, place: int, trace_id: int, asked_at: int) -> bool:
    """Whether somebody reported a tool before the answer that asks for it was over, as in the midst of a stream."""
    for report in _early_reports.copy():
        is_near = report.place == place or (trace_id != 0 and report.trace_id == trace_id)
        # Who tells of it may have ids of his own.
        if is_near and report.name == name and report.reported_at >= asked_at:
            with suppress(ValueError):  # another thread was faster
                _early_reports.remove(report)
            return True
    return False


def _matches(name: str, call_id: str | None, place: int, trace_id: int) -> Iterator[tuple[Window, RequestedCall]]:
    """Go through the calls that may be meant: of the id, else of the name; far away both must agree."""
    if not windows.waiting:
        return
    near = [*windows.near(place), *windows.of_trace(trace_id)]
    if call_id is not None:
        yield from _calls(near, lambda call: call.call_id == call_id)
    # Who tells of it may have ids of his own.
    yield from _calls(near, lambda call: call.name == name and not call.is_reported)
    if call_id is not None:
        yield from _calls(windows.with_call(call_id), lambda call: call.call_id == call_id and call.name == name)


def _calls(among: list[Window], is_meant: Any) -> Iterator[tuple[Window, RequestedCall]]:
    for window in among:
        for call in window.waiting.copy():
            if is_meant(call):
                yield window, call


def _step_back(window: Window) -> None:
    """Have a span that others are inside of already be a step around the one that tells of the tool."""
    from obs_run.core.operations import Step

    tool = window.recording.operation
    if tool.IS_TOOL_CALL:
        window.recording.replace(Step(step_name=tool.tool_name, step_type="tool", extra=tool.extra))
