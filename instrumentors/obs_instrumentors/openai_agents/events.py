"""What the beginning and end of each of the library's spans means for the tree."""

from __future__ import annotations

import sys
from contextlib import suppress
from contextvars import ContextVar, Token
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.core import content, ownership
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.operations import Handoff, Step, ToolCall

from . import models, runs

if TYPE_CHECKING:
    from collections.abc import Hashable

    from obs_run.core.callback_runs import Run
    from obs_run.core.operations import Operation, Workflow
    from obs_run.core.outcomes import Call

ongoing = CallbackRuns({"InputGuardrailTripwireTriggered": "blocked", "OutputGuardrailTripwireTriggered": "blocked"})
_NO_ID = "no-op"
_asked: ContextVar[runs.Asked | None] = ContextVar("obs-run-openai-agents", default=None)


class _Begun:
    """What is to be known of a span until it is over."""

    __slots__ = ("handled", "noted", "workflow")

    def __init__(self, workflow: Workflow | None = None) -> None:
        self.handled = sys.exc_info()[1]
        """What the code around it was about to handle when it began."""
        self.noted: BaseException | None = None
        """What the library handled when it noted an error."""
        self.workflow = workflow
        """What a trace that the library does not record is, once an agent runs in it."""


class _AskedScope:
    """What the agent asked for, while the library sees to it; a task that begins inside keeps it."""

    __slots__ = ("_asked", "_token")

    def __init__(self, asked: runs.Asked) -> None:
        self._asked = asked
        self._token: Token[runs.Asked | None] | None = None

    def __enter__(self) -> None:
        """Be there for the spans that begin inside."""
        self._token = _asked.set(self._asked)

    def __exit__(self, *_: object) -> None:
        """Go on without."""
        # A run that is let go of is closed in whatever context, where there is nothing to reset.
        with suppress(ValueError):
            if self._token is not None:
                _asked.reset(self._token)


def asked(call: Call) -> _AskedScope:
    """Return the scope of ``AgentRunner.run`` and its kin."""
    return _AskedScope(runs.asked(call))


def start_trace(call: Call) -> None:
    """Begin a trace of the library's, which is a workflow."""
    trace = call.instance
    key = _key(trace.trace_id, trace)
    if ongoing.get(key) is not None:
        return
    workflow = runs.workflow(trace, _asked.get())
    if trace.trace_id == _NO_ID:
        # The library makes some that nothing happens in.
        ongoing.pass_over(key, None, _Begun(workflow))
    else:
        _make_current(ongoing.start(key, None, workflow, _Begun()), is_wanted=True)


def finish_trace(call: Call) -> None:
    """End a trace of the library's."""
    _finish(_key(call.instance.trace_id, call.instance))


def start_span(call: Call) -> None:
    """Begin a span of the library's of any kind."""
    span = call.instance
    key = _key(span.span_id, span)
    if ongoing.get(key) is not None:
        return
    parent_key = _parent_key(span)
    operation = content.read("begin", _operation, span)
    if operation is None:
        if parent_key is not None:
            ongoing.pass_over(key, parent_key, _Begun())
        return
    if parent_key is None:
        _record_workflow()
    run = ongoing.start(key, parent_key, operation, _Begun())
    _make_current(run, is_wanted=bool(call.argument(0, "mark_as_current")))


def _record_workflow() -> None:
    """Begin the workflow of a trace that the library does not record, now that something happens in it."""
    if ownership.agent_around(ownership.current_recording()) is not None:
        return
    trace = import_module("agents.tracing.scope").Scope.get_current_trace()
    run = None if trace is None else ongoing.get(_key(trace.trace_id, trace))
    if run is not None and run.about.workflow is not None and not run.is_recorded:
        ongoing.record(run, run.about.workflow)
        _make_current(run, is_wanted=True)


def _operation(span: Any) -> Operation | None:
    data = span.span_data
    kind = payload.get_text(data, "type")
    if kind == "agent":
        return runs.agent(data, _asked.get())
    if kind in ("generation", "response"):
        return models.inference(data)
    if kind == "custom" and span.span_id == _NO_ID:
        # The library makes some only to hide the agent's own spans from a run.
        return None
    make = runs.OPERATIONS.get(kind or "")
    return None if make is None else make(data)


def _make_current(run: Run, *, is_wanted: bool) -> None:
    if is_wanted and run.is_recorded:
        run.recording.__enter__()


def note_error(call: Call) -> None:
    """Note the exception that the library handles as it notes an error."""
    run = ongoing.get(_key(call.instance.span_id, call.instance))
    if run is not None:
        run.about.noted = sys.exc_info()[1]


def note_tool_call(call: Call) -> None:
    """Note the id of a tool's call, which the library's span has not."""
    operation = _current_tool()
    if operation is not None and operation.call_id is None:
        operation.call_id = payload.as_text(call.argument(1, "tool_call_id"))


def note_result(call: Call) -> None:
    """Note that a tool waits for somebody to allow it."""
    operation = _current_tool()
    item = call.argument(2, "run_item")
    if operation is not None and payload.get_text(item, "type") == "tool_approval_item":
        operation.outcome = "interrupted"
        agent = ownership.agent_around(ownership.current_recording())
        if agent is not None:
            agent.outcome = "interrupted"


def _current_tool() -> ToolCall | None:
    operation = payload.get(ownership.current_recording(), "operation")
    return operation if isinstance(operation, ToolCall) else None


def finish_span(call: Call) -> None:
    """End a span of the library's of any kind."""
    span = call.instance
    run = ongoing.get(_key(span.span_id, span))
    if run is not None and run.is_recorded:
        content.read("result", _read_end, run, span)
    _finish(_key(span.span_id, span))


def _read_end(run: Run, span: Any) -> None:
    operation, data = run.recording.operation, span.span_data
    if isinstance(operation, ToolCall):
        runs.read_tool_result(operation, data, span.error, run.about.noted)
    elif isinstance(operation, Handoff):
        _read_handoff(run.recording, data)
    elif isinstance(operation, Step):
        operation.outcome = "blocked" if payload.get(data, "triggered") is True else None
    elif operation.IS_MODEL_CALL:
        models.read_answer(operation, data, is_reported=run.recording.provider_call is not None)
        agent = ownership.agent_around(run.recording)
        if agent is not None:
            runs.note_answer(agent, operation)


def _read_handoff(recording: Any, data: Any) -> None:
    if payload.get_text(data, "to_agent") is None:
        return
    # Only now it is known to whom.
    recording.replace(runs.handoff(data))
    agent = ownership.agent_around(recording)
    if agent is not None:
        agent.outcome = "handoff"


def _finish(key: Hashable) -> None:
    run = ongoing.pop(key)
    if run is None:
        return
    guard.call("context", run.recording.__exit__, None, None, None)
    error = sys.exc_info()[1]
    if error is run.about.handled:
        # What a tool raises is told to the model, and goes no further.
        error = run.about.noted if isinstance(run.recording.operation, ToolCall) else None
    ongoing.end(run, error)


def _key(library_id: str, thing: Any) -> Hashable:
    """Return what a span or trace is found by again; those that the library does not record have no id."""
    return id(thing) if library_id == _NO_ID else library_id


def _parent_key(span: Any) -> Hashable | None:
    """Return what a span's parent is found by; of those that the library does not record the parent is current."""
    if span.span_id == _NO_ID:
        return None
    return payload.get_text(span, "parent_id") or payload.get_text(span, "trace_id")
