"""Chats of ``autogen``: what its agents reply, the tools and the code that they run, and who speaks next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.openai.chat_messages import chat_message
from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, messages, ownership
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.operations import AgentRun, Handoff, Step, ToolCall, Workflow
from obs_run.core.operations.tools import TOOL_ERROR
from obs_run.core.outcomes import Reader

from .models import model_of

if TYPE_CHECKING:
    from obs_run.core.messages import Message
    from obs_run.core.outcomes import Call

_MANAGER = "GroupChatManager"
_TOOL_EXECUTOR = "GroupToolExecutor"
"""The agent of a group that runs the tools which the others ask for."""
_moments = CallbackRuns()


def start_chat(call: Call) -> tuple[Workflow, Reader[Any]] | None:
    """Read the call of ``initiate_chat``."""
    if isinstance(_around(), Step):
        # It asks a model who is to speak next.
        return None
    operation = Workflow()
    said = payload.coalesce(call.kwargs.get("message"), call.kwargs.get("problem"))
    if content.wanted() and isinstance(said, (str, dict)):
        operation.input_messages = [_said("user", said, call.instance)]
    return operation, Reader(_read_chat)


def _read_chat(operation: Workflow, result: Any) -> None:
    """Read a ``ChatResult``."""
    operation.has_result = True
    history = payload.get_list(result, "chat_history")
    if history and content.wanted():
        operation.output_messages = [_answer(history[-1])]


def start_reply(call: Call) -> tuple[Any, Reader[Any]] | None:
    """Read the call of an agent's ``generate_reply``."""
    agent = call.instance
    if _is_a(agent, _MANAGER):
        # What a manager replies is the chat of its group.
        return None if isinstance(_around(), Workflow) else (Workflow(), Reader(_read_nothing))
    return None if _is_passed_over(agent) else (_agent(call), Reader(_read_reply))


def _is_passed_over(agent: Any) -> bool:
    if _is_a(agent, _TOOL_EXECUTOR):
        return True
    around = _around()
    if isinstance(around, Step):
        # Beside the agent that asks the model there is one which looks at the answer.
        return payload.get(agent, "client") is None
    # A derived class calls the function that it replaces.
    return isinstance(around, AgentRun) and around.agent_name == payload.get_text(agent, "name")


def _agent(call: Call) -> AgentRun:
    agent = call.instance
    instructions = payload.get_text(agent, "system_message")
    description = payload.get_text(agent, "description")
    operation = AgentRun(request_model=model_of(payload.get(agent, "client")))
    operation.agent_name = payload.get_text(agent, "name")
    # Without a description the library takes the instructions, which are content.
    operation.agent_description = None if description == instructions else description
    if content.wanted():
        said = _received(call)
        operation.input_messages = None if said is None else [_said("user", said)]
        operation.system_instructions = None if instructions is None else [messages.text(instructions)]
    return operation


def _received(call: Call) -> Any:
    """Return what an agent is to reply to: it is given, or in what the agent has heard of the sender."""
    said = payload.as_list(call.argument(0, "messages"))
    if not said:
        heard = payload.as_dict(payload.get(call.instance, "_oai_messages"))
        said = payload.as_list(heard.get(call.argument(1, "sender")))
    return said[-1] if said else None


def _read_reply(operation: AgentRun, reply: Any) -> None:
    operation.has_result = True
    if reply is not None and content.wanted():
        operation.output_messages = [_answer(reply)]


def _read_nothing(_operation: Any, _returned: Any) -> None:
    """Leave it to those inside to tell."""


def _answer(said: Any) -> Message:
    asks_for_tools = payload.get(said, "tool_calls") or payload.get(said, "function_call")
    return {**_said("assistant", said), "finish_reason": "tool_call" if asks_for_tools else "stop"}


def _said(role: str, said: Any, speaker: Any = None) -> Message:
    """Return a message that agents send each other, which is a text or has the form of OpenAI's."""
    name = payload.get_text(speaker, "name")
    if not isinstance(said, dict):
        return messages.message(role, messages.text(str(said)), name=name)
    results = payload.get_list(said, "tool_responses")
    if not results:
        message = chat_message({"role": role, **said})
        return message if message["role"] == "tool" else {**message, "role": role}
    parts = [part for each in results for part in chat_message({**each, "role": "tool"})["parts"]]
    return messages.message("tool", *parts, name=payload.get_text(said, "name"))


def start_tool(call: Call) -> tuple[ToolCall, Reader[Any]] | None:
    """Read the call of an agent's ``execute_function``."""
    asked = call.argument(0, "func_call")
    operation = ToolCall(
        tool_name=payload.get_text(asked, "name"),
        tool_type="function",
        call_id=payload.as_text(call.argument(1, "call_id")),
        agent_name=_asker(call.instance),
    )
    around = _around()
    if isinstance(around, ToolCall) and (around.tool_name, around.call_id) == (operation.tool_name, operation.call_id):
        # A derived class calls the function that it replaces.
        return None
    content.note_arguments(operation, payload.get(asked, "arguments"))
    return operation, Reader(_read_tool_result)


def _asker(agent: Any) -> str | None:
    """Return who asked for a tool of a group, where it is none of the group's agents that runs it."""
    return _last_speaker(payload.get(agent, "_group_manager", "groupchat")) if _is_a(agent, _TOOL_EXECUTOR) else None


def _read_tool_result(operation: ToolCall, returned: Any) -> None:
    """Read whether it succeeded, and a message with what it gave."""
    has_succeeded, message = returned
    result = payload.get(message, "content")
    if not has_succeeded:
        operation.error_type = TOOL_ERROR
    if content.wanted():
        operation.result = plain(result)


def start_code(call: Call) -> tuple[ToolCall, Reader[Any]]:
    """Read the call of ``execute_code_blocks``, of an executor or of an agent that has none."""
    operation = ToolCall(tool_name="execute_code", tool_type="function")
    content.note_arguments(operation, plain(call.argument(0, "code_blocks")))
    return operation, Reader(_read_code_result)


def _read_code_result(operation: ToolCall, returned: Any) -> None:
    """Read a ``CodeResult``, or an agent's exit code and output."""
    is_pair = isinstance(returned, tuple)
    exit_code = returned[0] if is_pair else payload.get(returned, "exit_code")
    if exit_code:
        operation.error_type = TOOL_ERROR
    if content.wanted():
        operation.result = returned[1] if is_pair else payload.get_text(returned, "output")


def start_selection(_: Call) -> tuple[Step, Reader[Any]]:
    """Read the call of a group chat's ``_auto_select_speaker``."""
    return Step(step_name="select_speaker", step_type="speaker selection"), Reader(_read_nothing)


def note_handoff(call: Call) -> None:
    """Record that a transition of a group leads to another agent."""
    group = call.argument(0, "groupchat")
    speaker = _last_speaker(group) or payload.get_text(call.argument(1, "current_agent"), "name")
    target = payload.get_text(call.instance, "agent_name")
    if target != speaker:
        operation = Handoff(to_agent=target)
        operation.agent_name = speaker
        _moments.moment(operation, None)


def _last_speaker(group: Any) -> str | None:
    """Return the agent of a group that spoke last, and not the one that runs its tools."""
    members = payload.get_list(group, "agents")
    executors = {payload.get_text(each, "name") for each in members if _is_a(each, _TOOL_EXECUTOR)}
    names = (payload.get_text(each, "name") for each in reversed(payload.get_list(group, "messages")))
    return next((name for name in names if name is not None and name not in executors), None)


def _around() -> Any:
    return payload.get(ownership.current_recording(), "operation")


def _is_a(agent: Any, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(agent).__mro__)
