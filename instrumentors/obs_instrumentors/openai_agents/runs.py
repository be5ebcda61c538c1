"""What the library tells of workflows, agents, turns, tools, hand-offs and guardrails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_instrumentors.wire.openai.response_items import input_messages
from obs_run.base import payload
from obs_run.core import content, semconv
from obs_run.core.operations import AgentRun, Handoff, Inference, Step, ToolCall, Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_NO_NAME = "Agent workflow"
"""What the library calls a workflow that nobody named."""


class Asked(NamedTuple):
    """What the agent asked a runner for."""

    conversation: str | None
    said: Any
    """What the user said; None where content is not wanted."""
    is_resumed: bool


def asked(call: Call) -> Asked:
    """Return what the arguments of ``AgentRunner.run`` ask for."""
    said = call.argument(1, "input")
    state = said if type(said).__name__ == "RunState" else None
    session, config = call.kwargs.get("session"), call.kwargs.get("run_config")
    conversation = (
        payload.as_text(call.kwargs.get("conversation_id"))
        or payload.get_text(session, "session_id")
        or payload.get_text(config, "group_id")
    )
    wants_content = content.wanted() and state is None
    return Asked(conversation, said if wants_content else None, state is not None)


def workflow(trace: Any, around: Asked | None) -> Workflow:
    """Return the operation of a trace, which may be around several runs."""
    name = payload.get_text(trace, "name")
    conversation = payload.get_text(trace, "group_id") or (None if around is None else around.conversation)
    return Workflow(workflow_name=None if name in (_NO_NAME, "no-op") else name, conversation_id=conversation)


def agent(data: Any, around: Asked | None) -> AgentRun:
    """Return the operation of an agent's run."""
    operation = AgentRun(output_type=_output_type(data))
    operation.agent_name = payload.get_text(data, "name")
    if around is not None:
        operation.conversation_id = around.conversation
        if around.is_resumed:
            operation.extra[semconv.OBS_RESUMED] = True
        if around.said is not None:
            operation.input_messages = input_messages(around.said)
    return operation


def _output_type(data: Any) -> str | None:
    name = payload.get_text(data, "output_type")
    if name is None:
        return None
    return "text" if name == "str" else "json"


def _turn(data: Any) -> Step:
    return Step(
        step_name="turn",
        step_type="turn",
        step_number=payload.get_int(data, "turn"),
        agent_name=payload.get_text(data, "agent_name"),
    )


def _guardrail(data: Any) -> Step:
    return Step(step_name=payload.get_text(data, "name"), step_type="guardrail")


def _custom(data: Any) -> Step:
    return Step(step_name=payload.get_text(data, "name"), step_type="custom")


def _tool_call(data: Any) -> ToolCall:
    return ToolCall(tool_name=payload.get_text(data, "name"), tool_type="function")


def handoff(data: Any) -> Handoff:
    """Return the operation of a hand-off, as far as it is known to whom."""
    operation = Handoff(to_agent=payload.get_text(data, "to_agent"))
    operation.agent_name = payload.get_text(data, "from_agent")
    return operation


OPERATIONS: Mapping[str, Callable[[Any], Operation]] = {
    "turn": _turn,
    "guardrail": _guardrail,
    "custom": _custom,
    "function": _tool_call,
    "handoff": handoff,
}
"""By the types of the library's spans."""


def read_tool_result(operation: ToolCall, data: Any, error: Any, handled: BaseException | None) -> None:
    """Read what a tool got and gave; ``handled`` is what it raised, where the library told the model of it."""
    if operation.error_type is not None:
        # The protocol by which the tool is called has told.
        pass
    elif handled is not None:
        operation.error_type = payload.error_name(handled)
    elif error is not None:
        operation.error_type = "tool_error"
    content.note_arguments(operation, payload.get(data, "input"))
    if content.wanted():
        operation.result = payload.get(data, "output")


def note_answer(operation: AgentRun, answer: Inference) -> None:
    """Note what a model call says of the agent that it is for."""
    operation.request_model = operation.request_model or answer.request_model
    if operation.system_instructions is None:
        operation.system_instructions = answer.system_instructions
        operation.tool_definitions = answer.tool_definitions
    operation.output_messages = answer.output_messages or operation.output_messages
