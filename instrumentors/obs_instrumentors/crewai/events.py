"""What each of the library's events means for the tree."""

from __future__ import annotations

import sys
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.base import guard, payload
from obs_run.core import content, ownership
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.callback_wrappers import CallScope
from obs_run.core.operations import ToolCall

from . import models, runs

if TYPE_CHECKING:
    from obs_run.core.callback_runs import Run
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

ongoing = CallbackRuns({"HookAborted": "blocked", "HumanFeedbackPending": "interrupted"})
_FAILURES = ("failed", "error")
_ENDS = (*_FAILURES, "finished", "completed", "paused", "canceled")
"""The last words of the names of events that end a run."""
_OUTCOMES = {"paused": "interrupted", "canceled": "cancelled"}
_CALL_IDS = ("call_id", "id", "toolUseId")
_BACKGROUND = "memory_save"
"""What may go on when what it began in is over."""
_entered: ContextVar[_Entered | None] = ContextVar("obs-run-crewai", default=None)
_called: ContextVar[str | None] = ContextVar("obs-run-crewai-call", default=None)


class _Begun(NamedTuple):
    """What is to be known of a run until it is over."""

    kind: str
    """The names of its events without their last word."""
    run_id: str


class _Entered(CallScope):
    """A call by which the agent has something run: whatever the library leaves open ends with it."""

    __slots__ = ("_token", "first", "is_resumed")

    def __init__(self, *, is_resumed: bool = False) -> None:
        super().__init__()
        self._token: Token[_Entered | None] | None = None
        self.is_resumed = is_resumed
        self.first: str | None = None
        """The id of the run that began first in it, with all others inside."""

    def __enter__(self) -> None:
        """Be there for the events of what begins inside, in whatever thread."""
        super().__enter__()
        self._token = _entered.set(self)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """End what goes on, where the call is left by an exception; else something goes on after it."""
        super().__exit__(kind, error, traceback)
        if self._token is not None:
            _entered.reset(self._token)
        run = ongoing.get(self.first)
        if run is not None and error is not None:
            _end(run, error)


def entered(call: Call) -> _Entered:  # noqa: ARG001 (each call is one)
    """Return the scope of ``Crew.kickoff`` and its kin."""
    return _Entered()


def resumed(call: Call) -> _Entered:  # noqa: ARG001 (as above)
    """Return the scope of ``Flow.resume_async``."""
    return _Entered(is_resumed=True)


class _Calling:
    """The call of a tool, whose id the library's events have not."""

    __slots__ = ("_call_id", "_token")

    def __init__(self, call_id: str | None) -> None:
        self._call_id = call_id
        self._token: Token[str | None] | None = None

    def __enter__(self) -> None:
        """Be there for the event of the tool."""
        self._token = _called.set(self._call_id)

    def __exit__(self, *_: object) -> None:
        """Go on without."""
        if self._token is not None:
            _called.reset(self._token)


def calling(call: Call) -> _Calling:
    """Return the scope of the tool's call for which a model asked in whatever form."""
    asked = call.argument(0, "tool_call")
    return _Calling(next((found for name in _CALL_IDS if (found := payload.get_text(asked, name)) is not None), None))


def note(call: Call) -> None:
    """Read an event, once the bus has given it its ids."""
    source, event = call.argument(0, "source"), call.argument(1, "event")
    name = payload.get_text(event, "type") or ""
    kind, _, word = name.rpartition("_")
    if name == "llm_stream_chunk":
        _note_chunk()
    elif kind in runs.PASSED_OVER or kind in runs.OPERATIONS or kind == models.KIND:
        if word == "started":
            _begin(kind, source, event)
        elif word in _ENDS:
            _finish(kind, word, event)


def _begin(kind: str, source: Any, event: Any) -> None:
    parent = payload.get_text(event, "parent_event_id")
    begun = _Begun(kind, event.event_id)
    operation = content.read("begin", _operation, kind, source, event)
    if operation is None:
        ongoing.pass_over(begun.run_id, parent, begun)
    else:
        run = ongoing.start(begun.run_id, parent, operation, begun)
        if run.is_recorded:
            # It is emitted where the library goes on, and not in a handler.
            run.recording.__enter__()
    around = _entered.get()
    if around is not None and around.first is None:
        around.first = begun.run_id


def _operation(kind: str, source: Any, event: Any) -> Operation | None:
    if kind == models.KIND:
        return models.inference(source, event)
    if kind in runs.PASSED_OVER or runs.is_librarys_own(source, kind):
        return None
    operation = runs.OPERATIONS[kind](source, event)
    around = _entered.get()
    if isinstance(operation, ToolCall):
        operation.call_id = _called.get()
    elif around is not None and around.is_resumed and around.first is None:
        runs.resume(operation, source)
    return operation


def _note_chunk() -> None:
    recording: Any = ownership.current_recording()
    if recording is not None and recording.is_frameworks and recording.provider_call is None:
        recording.chunk()


def _finish(kind: str, word: str, event: Any) -> None:
    run = _begun_by(kind, event)
    if run is None:
        return
    error = _error_of(event) if word in _FAILURES else None
    if run.is_recorded:
        content.read("result", _read_end, run, event)
        operation = run.recording.operation
        if word in _OUTCOMES and hasattr(operation, "outcome"):
            operation.outcome = _OUTCOMES[word]
        if word in _FAILURES and error is None:
            operation.error_type = operation.error_type or runs.error_type_of(event)
    _end(run, error)


def _begun_by(kind: str, event: Any) -> Run | None:
    """Return the run that an event ends.

    Where the library has left a run without an event, or ends one twice, it takes another one for it, and says so.
    """
    around = _entered.get()
    first = None if around is None else around.first
    for run_id in (payload.get_text(event, "started_event_id"), payload.get_text(event, "parent_event_id"), first):
        run = ongoing.get(run_id)
        while run is not None:
            if run.about.kind == kind:
                return run
            run = run.parent
    return None


def _error_of(event: Any) -> BaseException | None:
    """Return the exception that an event tells of, which may have its text only."""
    error = payload.get(event, "error")
    if isinstance(error, BaseException):
        return error
    handled = sys.exc_info()[1]
    # The library emits some events while it handles another one.
    return handled if handled is not None and str(handled) in str(error) else None


def _read_end(run: Run, event: Any) -> None:
    operation = run.recording.operation
    if operation.IS_MODEL_CALL:
        models.read_answer(operation, event, is_reported=run.recording.provider_call is not None)
        agent = ownership.agent_around(run.recording)
        if agent is not None:
            runs.note_answer(agent, operation)
    elif isinstance(operation, ToolCall):
        runs.read_tool_result(operation, event)
    else:
        runs.read_result(operation, event)


def _end(run: Run, error: BaseException | None) -> None:
    """End a run and what goes on inside of it."""
    for inner in list(run.inside.values()):
        if error is not None or inner.about.kind != _BACKGROUND:
            _end(inner, error)
    if ongoing.pop(run.about.run_id) is not None:
        guard.call("context", run.recording.__exit__, None, None, None)
        ongoing.end(run, error)
