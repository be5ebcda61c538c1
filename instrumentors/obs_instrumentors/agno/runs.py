"""Runs of agents, teams and workflows, at once or as their events are read, and the steps of workflows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import text_or_json
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import AgentRun, Step, Workflow
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.messages import Message
    from obs_run.core.outcomes import Call

    Start = Callable[[Call], tuple[Any, Reader[Any]]]

_OUTCOMES = {"InputCheckError": "blocked", "OutputCheckError": "blocked", "RunCancelledException": "cancelled"}
_STATUSES = {"PAUSED": "interrupted", "CANCELLED": "cancelled"}
"""What the status of a result, and the end of the name of an event, say of a run that has not failed."""
STEPS = ("execute", "aexecute", "execute_stream", "aexecute_stream")


def _start_run(call: Call, *, is_resumed: bool = False, is_lazy: bool = False) -> tuple[AgentRun, Reader[Any]]:
    """Read the call of an ``Agent`` or ``Team``."""
    agent = call.instance
    operation = AgentRun(request_model=payload.get_text(agent, "model", "id"))
    operation.agent_id = payload.get_text(agent, "id")
    operation.agent_name = payload.get_text(agent, "name")
    operation.agent_description = payload.get_text(agent, "description")
    return _asked(operation, call, is_resumed=is_resumed, is_lazy=is_lazy)


def _start_workflow(call: Call, *, is_resumed: bool = False, is_lazy: bool = False) -> tuple[Workflow, Reader[Any]]:
    """Read the call of a ``Workflow``."""
    operation = Workflow(workflow_name=payload.get_text(call.instance, "name"))
    return _asked(operation, call, is_resumed=is_resumed, is_lazy=is_lazy)


def _asked(operation: Any, call: Call, *, is_resumed: bool, is_lazy: bool) -> tuple[Any, Reader[Any]]:
    before = call.argument(0, "run_response") if is_resumed else None
    operation.conversation_id = (
        payload.as_text(call.kwargs.get("session_id"))
        or payload.get_text(before, "session_id")
        or payload.get_text(call.instance, "session_id")
    )
    if is_resumed:
        operation.extra[semconv.OBS_RESUMED] = True
    elif content.wanted():
        operation.input_messages = [_message("user", call.argument(0, "input"))]
    whose = type(call.instance).__name__ if type(call.instance).__name__ in ("Team", "Workflow") else ""
    reader = Reader(_read_output, chunk=partial(_read_event, whose), lazy=is_lazy, outcomes=_OUTCOMES)
    return operation, reader


def _read_output(operation: Any, output: Any) -> None:
    """Read a ``RunOutput`` or one of its kin, at which workflows leave the streams of their steps."""
    operation.has_result = True
    status = payload.get_text(payload.get(output, "status"), "value")
    _read_status(operation, status or "", payload.get(output, "content"))
    if content.wanted() and operation.error_type is None and operation.outcome is None:
        _say(operation, payload.get(output, "content"))


def _read_event(whose: str, operation: Any, event: Any) -> None:
    """Read an event of the run's stream, of which those of members are others, or the output at its end."""
    name = payload.get_text(event, "event")
    if name is None:
        if payload.get(event, "status") is not None:
            _read_output(operation, event)
        return
    if not name.startswith(whose) or (not whose and name.startswith(("Team", "Workflow"))):
        return
    kind = name.removeprefix(whose).removeprefix("Run")
    _read_status(operation, kind.upper(), payload.get(event, "content"))
    if kind == "Completed":
        operation.has_result = True
        if content.wanted():
            _say(operation, payload.get(event, "content"))


def _read_status(operation: Any, status: str, said: Any) -> None:
    operation.outcome = _STATUSES.get(status, operation.outcome)
    if status == "ERROR" and operation.outcome is None:
        operation.error_type = "run_error"
        operation.error_message = payload.as_text(said)


def note_check(operation: Any, call: Call) -> None:  # noqa: ARG001 (that it is made says all)
    """Note that a guardrail makes the exception by which it lets something not pass: newer releases catch it."""
    if isinstance(operation, (AgentRun, Workflow, Step)):
        operation.outcome = "blocked"


def _say(operation: Any, said: Any) -> None:
    if said is not None:
        operation.output_messages = [{**_message("assistant", said), "finish_reason": "stop"}]


def _message(role: str, said: Any) -> Message:
    said = payload.coalesce(payload.get(said, "content"), said) if not isinstance(said, (str, dict)) else said
    return messages.message(role, text_or_json(said))


def start_step(call: Call) -> tuple[Step, Reader[Any]]:
    """Read the call of a ``Step``."""
    return Step(step_name=payload.get_text(call.instance, "name"), step_type="step"), _NOTHING


_NOTHING: Reader[Any] = Reader(read_nothing, chunk=read_nothing, outcomes=_OUTCOMES)


def _starts(start: Callable[..., tuple[Any, Reader[Any]]]) -> Mapping[str, Start]:
    """Return what reads the calls by the names of the functions; what the async ones return does nothing at once."""
    return {
        "run": start,
        "arun": partial(start, is_lazy=True),
        "continue_run": partial(start, is_resumed=True),
        "acontinue_run": partial(start, is_resumed=True, is_lazy=True),
    }


AGENT = _starts(_start_run)
WORKFLOW = _starts(_start_workflow)
