"""Runs of teams and agents, hand-offs, tools, code and memory, as the library calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.memories import read_found
from obs_instrumentors.wire.plain import plain, text_or_json
from obs_run.base import payload
from obs_run.core import content, messages, ownership, peer_calls, semconv
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.operations import AgentRun, Handoff, Memory, ToolCall, Workflow
from obs_run.core.operations.tools import TOOL_ERROR
from obs_run.core.outcomes import Reader
from obs_run.core.tool_calls import function_call

from .models import model_of

if TYPE_CHECKING:
    from obs_run.core.messages import Message
    from obs_run.core.outcomes import Call

_HANDOFF_TOOL = "Handoff.handoff_tool."
"""What the function of a tool is called that is made of a hand-off, and keeps it in its closure."""
_AGENTCHAT = "autogen_agentchat."
_moments = CallbackRuns()


def start_team(call: Call) -> tuple[Workflow, Reader[Any]]:
    """Read the call of a team's ``run_stream``, to which ``run`` comes too."""
    team = call.instance
    name = payload.get_text(team, "_name")
    operation = Workflow(workflow_name=None if name == type(team).__name__ else name)
    # A team goes on with the conversation that it had when it was asked before.
    operation.conversation_id = payload.get_text(team, "_team_id")
    task = call.kwargs.get("task")
    last = task[-1] if isinstance(task, list) and task else task
    if task is None or _is_handoff(last):
        operation.extra[semconv.OBS_RESUMED] = True
    if content.wanted():
        operation.input_messages = _task_messages(task)
    members = payload.get_list(team, "_participant_names")

    def read(run: Workflow, event: Any) -> None:
        if type(event).__name__ == "TaskResult":
            _read_team_result(run, event, members)

    return operation, Reader(read, chunk=read, lazy=True)


def _read_team_result(operation: Workflow, result: Any, members: list[str]) -> None:
    operation.has_result = True
    said = payload.get_list(result, "messages")
    last = said[-1] if said else None
    if _is_handoff(last) and payload.get_text(last, "target") not in members:
        # Somebody outside is to say something first.
        operation.outcome = "interrupted"
    if last is not None and content.wanted():
        operation.output_messages = [_said("assistant", last, "stop")]


def _task_messages(task: Any) -> list[Message] | None:
    if isinstance(task, str):
        return [messages.message("user", messages.text(task))]
    asked = task if isinstance(task, (list, tuple)) else [task] if task is not None else []
    return [_said("user", each) for each in asked] or None


def start_agent(call: Call) -> tuple[AgentRun, Reader[Any]] | None:
    """Read the call of an agent's ``on_messages``."""
    operation = _agent(call)
    return None if operation is None else (operation, Reader(_read_response))


def start_agent_stream(call: Call) -> tuple[AgentRun, Reader[Any]] | None:
    """Read the call of an agent's ``on_messages_stream``, whose last piece is the response."""
    operation = _agent(call)
    return None if operation is None else (operation, Reader(_read_response, chunk=_read_response, lazy=True))


def _agent(call: Call) -> AgentRun | None:
    """Return an agent's run; None inside of the same, for one of its functions calls the other."""
    agent = call.instance
    name = payload.get_text(agent, "_name")
    around = payload.get(ownership.current_recording(), "operation")
    if isinstance(around, AgentRun) and around.agent_name == name:
        return None
    operation = AgentRun(request_model=model_of(payload.get(agent, "_model_client")))
    operation.agent_name = name
    operation.agent_description = payload.get_text(agent, "_description")
    if content.wanted():
        operation.input_messages = _task_messages(call.argument(0, "messages"))
        instructions = [payload.get_text(each, "content") for each in payload.get_list(agent, "_system_messages")]
        operation.system_instructions = [messages.text(each) for each in instructions if each] or None
    return operation


def _read_response(operation: AgentRun, event: Any) -> None:
    if type(event).__name__ != "Response":
        return
    said = payload.get(event, "chat_message")
    operation.has_result = True
    if content.wanted():
        operation.output_messages = [_said("assistant", said, "stop")]


def _said(role: str, message: Any, finish_reason: str | None = None) -> Message:
    """Return a message that agents send each other, which is no model's: a text, pieces, or something structured."""
    said = payload.get(message, "content")
    pieces = said if isinstance(said, list) else [said]
    parts = [text_or_json(plain(each)) for each in pieces]
    return messages.message(role, *parts, name=payload.get_text(message, "source"), finish_reason=finish_reason)


def _is_handoff(message: Any) -> bool:
    return type(message).__name__ == "HandoffMessage"


def sender_of(call: Call) -> Any:
    """Return what makes current in what a message was sent that the runtime now brings: a team's run, or an agent's."""
    envelope = call.argument(0, "message_envelope")
    told = payload.get_text(envelope, "metadata", "traceparent")
    team = ownership.workflow_with(told)
    if team is not None or told is None or _is_of_team(envelope):
        return team
    return peer_calls.scope_of({"traceparent": told})


def _is_of_team(envelope: Any) -> bool:
    """Whether a message is one of those by which a team's members keep each other informed."""
    return type(payload.get(envelope, "message")).__module__.startswith(_AGENTCHAT)


def start_routed_agent(call: Call) -> tuple[AgentRun, Reader[Any]] | None:
    """Read the call of an agent's ``on_message``, by which the runtime brings it what was sent to it or published."""
    agent = call.instance
    if type(agent).__module__.startswith(_AGENTCHAT):
        # The members of a team are told by what they do with a message.
        return None
    operation = AgentRun()
    operation.agent_name = payload.get_text(agent, "id", "type") or type(agent).__name__
    operation.agent_id = payload.as_text(str(agent.id))
    operation.agent_description = payload.get_text(agent, "_description")
    if content.wanted():
        operation.input_messages = [messages.message("user", text_or_json(plain(call.argument(0, "message"))))]
    return operation, Reader(_read_reply)


def _read_reply(operation: AgentRun, reply: Any) -> None:
    operation.has_result = reply is not None
    if reply is not None and content.wanted():
        said = messages.message("assistant", text_or_json(plain(reply)), finish_reason="stop")
        operation.output_messages = [said]


def note_handoff_tool(call: Call) -> None:
    """Record a hand-off inside of the tool by which the model asks for it."""
    function = payload.get(call.instance, "_func")
    if (payload.get_text(function, "__qualname__") or "").startswith(_HANDOFF_TOOL):
        handoffs = [cell.cell_contents for cell in payload.get(function, "__closure__") or ()]
        _hand_over(ownership.agent_around(ownership.current_recording()), payload.get_text(handoffs[0], "target"))


def note_handoff(call: Call) -> None:
    """Record a hand-off as an agent makes its message, unless a tool of the agent's told of it."""
    agent = payload.get(ownership.current_recording(), "operation")
    if isinstance(agent, AgentRun) and agent.agent_name == call.kwargs.get("source"):
        _hand_over(agent, payload.as_text(call.kwargs.get("target")))


def _hand_over(agent: AgentRun | None, target: str | None) -> None:
    # Of several that the model asks for at once the library follows the first.
    if agent is not None and agent.outcome is None:
        agent.outcome = "handoff"
        operation = Handoff(to_agent=target)
        operation.agent_name = agent.agent_name
        _moments.moment(operation, None)


def start_tool(call: Call) -> tuple[ToolCall, Reader[Any]]:
    """Read the call of a tool's ``run_json``."""
    return _tool(call), Reader(_read_tool_result)


def start_tool_stream(call: Call) -> tuple[ToolCall, Reader[Any]]:
    """Read the call of a tool's ``run_json_stream``, whose last piece is the result."""
    return _tool(call), Reader(_read_tool_result, chunk=_read_tool_result, lazy=True)


def _tool(call: Call) -> ToolCall:
    tool = call.instance
    about = payload.get_text(tool, "_name"), payload.get_text(tool, "_description")
    return function_call(*about, call.argument(0, "args"), payload.as_text(call.argument(2, "call_id")))


def _read_tool_result(operation: ToolCall, returned: Any) -> None:
    if content.wanted():
        operation.result = plain(returned)


def start_code(call: Call) -> tuple[ToolCall, Reader[Any]]:
    """Read the call of ``CodeExecutorAgent.execute_code_block``."""
    return function_call("execute_code", None, plain(call.argument(0, "code_blocks"))), Reader(_read_code_result)


def _read_code_result(operation: ToolCall, result: Any) -> None:
    if payload.get_int(result, "exit_code"):
        operation.error_type = TOOL_ERROR
    if content.wanted():
        operation.result = payload.get_text(result, "output")


def start_memory_query(call: Call) -> tuple[Memory, Reader[Any]] | None:
    """Read the call of a memory's ``query``."""
    started = _memory("search_memory", call)
    if started is not None and content.wanted():
        query = call.argument(0, "query")
        started[0].query_text = payload.as_text(query) or payload.get_text(query, "content")
    return started


def start_memory_update(call: Call) -> tuple[Memory, Reader[Any]] | None:
    """Read the call of a memory's ``update_context``, by which an agent asks for what it knows."""
    return _memory("search_memory", call)


def start_memory_add(call: Call) -> tuple[Memory, Reader[Any]] | None:
    """Read the call of a memory's ``add``."""
    started = _memory("upsert_memory", call)
    if started is not None:
        operation, _ = started
        operation.record_count = 1
        if content.wanted():
            operation.records = [_record(call.argument(0, "content"))]
    return started


def _memory(name: str, call: Call) -> tuple[Memory, Reader[Any]] | None:
    if isinstance(payload.get(ownership.current_recording(), "operation"), Memory):
        # To know what belongs into the context it asks itself.
        return None
    return Memory(name, store_id=payload.get_text(call.instance, "name")), Reader(_read_memories)


def _read_memories(operation: Memory, returned: Any) -> None:
    """Read a ``MemoryQueryResult`` or ``UpdateContextResult``; to add returns nothing."""
    found = payload.get(returned, "memories") or returned
    if found is None:
        return
    read_found(operation, payload.get_list(found, "results"), _record)


def _record(memory: Any) -> dict[str, Any]:
    return {"content": text_or_json(plain(payload.get(memory, "content")))["content"]}
