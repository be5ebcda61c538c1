"""Orchestrations of several agents, which a runtime runs in the background, and hand-offs between their agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.core import content, ownership
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.operations import Handoff, Workflow

from .contents import message

if TYPE_CHECKING:
    from obs_run.core.messages import Message
    from obs_run.core.outcomes import Call

ongoing = CallbackRuns()
"""By the names of the topics in which an orchestration's agents talk, each of which is of one run."""


def watch(call: Call) -> None:
    """Begin to record an orchestration as it is prepared, and have it end as its callbacks are called."""
    topic = call.kwargs.get("internal_topic_type")
    if topic is None:
        return
    name = payload.get_text(call.instance, "name")
    is_made_up = name is not None and name.startswith(f"{type(call.instance).__name__}_")
    ongoing.start(topic, None, Workflow(workflow_name=None if is_made_up else name))
    told, failed = call.kwargs.get("result_callback"), call.kwargs.get("exception_callback")

    async def result_callback(result: Any) -> Any:
        guard.call("callback", _end, topic, result)
        return await told(result)  # type: ignore[misc]

    def exception_callback(error: BaseException) -> Any:
        guard.call("callback", _fail, topic, error)
        return failed(error)  # type: ignore[misc]

    callbacks = {"result_callback": result_callback, "exception_callback": exception_callback}
    ours = {each: callback for each, callback in callbacks.items() if call.kwargs.get(each) is not None}
    call.kwargs = {**call.kwargs, **ours}


def start(call: Call) -> Any:
    """Return the recording of an orchestration that starts, and have it end where it is cancelled."""
    topic = call.argument(2, "internal_topic_type")
    run = ongoing.get(topic)
    if run is None or run.recording is None:
        return None
    if content.wanted():
        said = call.argument(0, "task")
        # What is asked is known only now.
        run.recording.operation.input_messages = [
            message(each) for each in (said if isinstance(said, list) else [said])
        ]
    token = call.argument(3, "cancellation_token")
    token.add_callback(lambda: guard.call("callback", _cancel, topic))
    return run.recording


def _messages(said: Any, finish_reason: str | None = None) -> list[Message]:
    return [message(each, finish_reason) for each in (said if isinstance(said, list) else [said])]


def _end(topic: str, result: Any) -> None:
    run = ongoing.pop(topic)
    if run is None:
        return
    if content.wanted():
        run.recording.operation.output_messages = _messages(result, "stop")
    ongoing.end(run)


def _fail(topic: str, error: BaseException) -> None:
    run = ongoing.pop(topic)
    if run is not None:
        ongoing.end(run, error)


def _cancel(topic: str) -> None:
    run = ongoing.pop(topic)
    if run is not None:
        run.recording.operation.outcome = "cancelled"
        ongoing.end(run)


def workflow_of(call: Call) -> Any:
    """Return the recording of the orchestration in which a message was sent that the runtime now brings."""
    return ownership.workflow_with(payload.get_text(call.argument(0, "message_envelope"), "metadata", "traceparent"))


def note_handoff(call: Call) -> None:
    """Record a hand-off inside of the function by which the model asks for it."""
    agent = ownership.agent_around(ownership.current_recording())
    if agent is not None:
        agent.outcome = "handoff"
        operation = Handoff(to_agent=payload.as_text(call.argument(0, "agent_name")))
        operation.agent_name = agent.agent_name
        ongoing.moment(operation, None)
