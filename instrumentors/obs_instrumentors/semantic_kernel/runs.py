"""Runs of agents, and functions that models or the agent's own code call."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, messages, ownership
from obs_run.core.operations import AgentRun, ToolCall, Workflow
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing

from .contents import as_text, call_id_of, message

if TYPE_CHECKING:
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_asked: ContextVar[Any] = ContextVar("obs-run-semantic-kernel", default=None)
"""The call of a function that a model asked for, until the function is called."""


_DRAWN = 16
"""How many letters the library draws for the name of an agent or prompt that nobody named."""
_FEWEST_CAPITALS, _MOST_CAPITALS = 4, 12


def _given_name(name: str | None) -> str | None:
    """Return a name, unless the library has drawn its letters: another one each time, it says nothing."""
    drawn = (name or "").removeprefix("agent_")
    capitals = sum(letter.isupper() for letter in drawn)
    if len(drawn) == _DRAWN and drawn.isalpha() and _FEWEST_CAPITALS <= capitals <= _MOST_CAPITALS:
        return None
    return name


def start_agent(call: Call) -> tuple[AgentRun, Reader[Any]] | None:
    """Read the call of ``get_response``."""
    operation = _agent(call)
    return None if operation is None else (operation, Reader(_read_response))


def start_agent_stream(call: Call) -> tuple[AgentRun, Reader[Any]] | None:
    """Read the call of ``invoke`` or ``invoke_stream``."""
    operation = _agent(call)
    if operation is None:
        return None
    said: list[Any] = []

    def read_piece(run: AgentRun, piece: Any) -> None:
        _read_response(run, piece)
        if content.wanted():
            said.append(payload.get(piece, "message"))

    def read_pieces(run: AgentRun) -> None:
        if said:
            run.output_messages = _whole(said)

    return operation, Reader(_read_response, chunk=read_piece, end=read_pieces, lazy=True)


def _agent(call: Call) -> AgentRun | None:
    """Return an agent's run; None inside of the same, for some of its functions call another."""
    agent = call.instance
    agent_id = payload.get_text(agent, "id")
    around = payload.get(ownership.current_recording(), "operation")
    if isinstance(around, AgentRun) and around.agent_id == agent_id:
        return None
    operation = AgentRun(request_model=payload.get_text(agent, "service", "ai_model_id"))
    operation.agent_id = agent_id
    operation.agent_name = _given_name(payload.get_text(agent, "name"))
    operation.agent_description = payload.get_text(agent, "description")
    thread = call.kwargs.get("thread")
    operation.conversation_id = payload.get_text(thread, "_id")
    if content.wanted():
        said = call.argument(0, "messages")
        asked = said if isinstance(said, list) else [said] if said is not None else []
        operation.input_messages = [message(each) for each in asked] or None
        instructions = payload.get_text(agent, "instructions")
        operation.system_instructions = None if instructions is None else [messages.text(instructions)]
    return operation


def read_thread(operation: Operation, call: Call) -> None:
    """Read which thread an agent's messages are added to, which it makes itself where it is given none."""
    if operation.IS_AGENT and operation.conversation_id is None:
        operation.conversation_id = payload.get_text(call.instance, "_id")


def _read_response(operation: AgentRun, item: Any) -> None:
    """Read an ``AgentResponseItem``."""
    operation.conversation_id = operation.conversation_id or payload.get_text(item, "thread", "_id")
    if content.wanted():
        operation.output_messages = [message(payload.get(item, "message"), "stop")]


def _whole(said: list[Any]) -> list[messages.Message]:
    """Return the last message of a run; what has no index is no piece of one, but whole."""
    if payload.get(said[-1], "choice_index") is None:
        return [message(said[-1], "stop")]
    texts = [part["content"] for each in said for part in message(each)["parts"] if part["type"] == "text"]
    return [messages.message("assistant", messages.text("".join(texts)), name=_name(said), finish_reason="stop")]


def _name(said: list[Any]) -> str | None:
    return payload.get_text(said[-1], "name")


def note_call(call: Call) -> None:
    """Note which call of a model's a function is called for, in the task in which it will be."""
    _asked.set(call.argument(0, "function_call"))


def start_chat(call: Call) -> tuple[Workflow, Reader[Any]] | None:
    """Read the call of an ``AgentGroupChat``'s ``invoke`` or ``invoke_stream``, unless it is one agent's turn."""
    if call.argument(0, "agent") is not None:
        return None
    return Workflow(), Reader(read_nothing, chunk=read_nothing, lazy=True)


def start_function(call: Call) -> tuple[ToolCall | Workflow, Reader[Any]]:
    """Read the call of a function's ``invoke``."""
    return _function(call), Reader(_read_result)


def start_function_stream(call: Call) -> tuple[ToolCall | Workflow, Reader[Any]]:
    """Read the call of a function's ``invoke_stream``."""
    return _function(call), Reader(read_nothing, chunk=read_nothing, lazy=True)


def _function(call: Call) -> ToolCall | Workflow:
    """Return a tool's call, or what a prompt makes of the model that the agent's own code asks by it."""
    asked = _asked.get()
    _asked.set(None)
    metadata = payload.get(call.instance, "metadata")
    name = payload.get_text(metadata, "fully_qualified_name")
    arguments = plain(dict(call.argument(1, "arguments") or call.kwargs))
    if asked is None and payload.get(metadata, "is_prompt"):
        flow = Workflow(workflow_name=_given_name(name))
        if arguments and content.wanted():
            flow.input_messages = [messages.message("user", messages.text(content.to_json(arguments)))]
        return flow
    operation = ToolCall(
        tool_name=name,
        tool_type="function",
        tool_description=payload.get_text(metadata, "description"),
        call_id=call_id_of(asked),
    )
    content.note_arguments(operation, arguments)
    return operation


def _read_result(operation: ToolCall | Workflow, result: Any) -> None:
    """Read a ``FunctionResult``."""
    if not content.wanted():
        return
    value = payload.get(result, "value")
    if isinstance(operation, ToolCall):
        operation.result = as_text(value)
    else:
        said = value if isinstance(value, list) else [value]
        operation.output_messages = [message(each, "stop") for each in said if payload.get(each, "items")] or None
