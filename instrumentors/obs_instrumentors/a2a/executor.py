"""What the agent's own code does for a message, also where it goes on after the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.core import content, ownership, semconv
from obs_run.core.operations import A2aServerCall, AgentRun, attribute
from obs_run.core.outcomes import Reader

from . import events

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_asking: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""In which recording a request was put into a task's queue; older releases take it out in another one's."""


@dataclass(eq=False, repr=False)
class Execution(AgentRun):
    """The run of an executor, for a task."""

    task_id: str | None = attribute(semconv.OBS_A2A_TASK_ID)
    task_state: str | None = attribute(semconv.OBS_A2A_TASK_STATE)
    answer: events.Answer | None = None


def note_request(call: Call) -> None:
    """Note where ``ActiveTask.enqueue_request`` is called."""
    request, recording = call.argument(0, "request_context"), ownership.current_recording()
    if request is not None and recording is not None:
        _asking[request] = recording


def begin_execution(call: Call) -> tuple[Execution, Reader[Any], Any] | None:
    """Return the operation of ``AgentExecutor.execute``, and the context of the request where that is another."""
    request = call.argument(0, "context")
    current: Any = ownership.current_recording()
    operation = Execution(answer=events.Answer())
    events.note_ids(operation, request)
    around = None if current is None else current.operation
    if isinstance(around, Execution) and around.task_id == operation.task_id:
        # An executor that asks the one that it is derived from, or made around.
        return None
    asking: Any = _asking.get(request) or current
    asked = None if asking is None else asking.operation
    if isinstance(asked, A2aServerCall):
        operation.agent_name, operation.agent_version = asked.agent_name, asked.agent_version
        operation.agent_description = asked.agent_description
        events.note_ids(asked, request)
    if events.is_waiting(payload.get(request, "current_task", "status")):
        operation.extra[semconv.OBS_RESUMED] = True
    message = payload.get(request, "message")
    if content.wanted() and message is not None:
        operation.input_messages = [events.message_of(message)]
    return operation, Reader(_end, failure=_end), None if asking is None else asking.context


def _end(operation: Execution, _: Any) -> None:
    if operation.answer is not None:
        operation.answer.end(operation)


def note_event(call: Call) -> None:
    """Read what an executor puts into ``EventQueue.enqueue_event``."""
    recording: Any = ownership.current_recording()
    while recording is not None and not isinstance(recording.operation, Execution):
        recording = getattr(recording, "outer", None)
    if recording is not None and not recording.is_ended:
        recording.operation.answer.read(recording.operation, call.argument(0, "event"))
