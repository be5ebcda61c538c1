"""What the library's spans tell of workflows, agents, steps, tools, hand-offs, searches and engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, semconv
from obs_run.core.messages import text
from obs_run.core.operations import AgentRun, Handoff, Inference, Retrieval, Step, ToolCall, Workflow

from . import messages, models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.messages import Message
    from obs_run.core.operations import Operation

AGENT = "BaseWorkflowAgent"
TEAM = "AgentWorkflow"
AGENTS_STEP = "run_agent_step"
"""The only one of the steps that agents are made of in which something happens that is not told by itself."""
_OWN_PACKAGE = "llama_index"
_NO_NAME = "Agent"
_NO_KEY = "chat_history"
_NO_DESCRIPTION = "An agent that can perform a task"
_NOT_SAID = ("memory", "early_stopping_method", "max_iterations")


def is_a(thing: Any, name: str) -> bool:
    """Whether a thing is of the library's class ``name``, or of one that is derived from it."""
    return any(kind.__name__ == name for kind in type(thing).__mro__)


def workflow(instance: Any, arguments: Mapping[str, Any]) -> AgentRun | Workflow:
    """Return the operation of a workflow's run, which an agent's is too."""
    event = arguments.get("start_event")
    operation = agent(instance) if is_a(instance, AGENT) else Workflow(workflow_name=_workflow_name(instance))
    operation.conversation_id = _conversation(_field(event, "memory"))
    if event is None and ("init_state" in arguments or arguments.get("ctx") is not None):
        operation.extra[semconv.OBS_RESUMED] = True
    elif content.wanted():
        asked = arguments.get("kwargs") if event is None else event
        operation.input_messages = input_messages(asked)
    return operation


def _conversation(memory: Any) -> str | None:
    """Return the name that a memory keeps a conversation by."""
    key = payload.get_text(memory, "session_id") or payload.get_text(memory, "chat_store_key")
    return None if key == _NO_KEY else key


def agent(instance: Any) -> AgentRun:
    """Return the operation of an agent's run."""
    operation = AgentRun()
    name, description = payload.get_text(instance, "name"), payload.get_text(instance, "description")
    operation.agent_name = None if name == _NO_NAME else name
    operation.agent_description = None if description == _NO_DESCRIPTION else description
    instructions = payload.get_text(instance, "system_prompt")
    if instructions is not None and content.wanted():
        operation.system_instructions = [text(instructions)]
    return operation


def take_over(operation: AgentRun, team: Operation | None) -> None:
    """Have a team's first agent asked what the team was asked."""
    if team is not None:
        operation.extra.update(team.extra)
        operation.input_messages = payload.get(team, "input_messages")


def _workflow_name(instance: Any) -> str | None:
    kind = type(instance)
    if kind.__module__.partition(".")[0] == _OWN_PACKAGE:
        return None
    given = payload.get_text(instance, "workflow_name")
    return kind.__name__ if given is None or given.endswith(f".{kind.__qualname__}") else given


def _field(event: Any, name: str) -> Any:
    """Return what an event of the library's carries, declared or not."""
    return payload.coalesce(payload.get(event, name), payload.get(payload.get(event, "_data"), name))


def input_messages(event: Any) -> list[Message] | None:
    """Return what a run was asked, by the event that it began with or an event that its first agent gets."""
    history = payload.as_list(payload.coalesce(_field(event, "chat_history"), _field(event, "input")))
    said = [messages.of_message(each) for each in history]
    asked = _field(event, "user_msg")
    if asked is not None:
        said.append(messages.of_text("user", asked) if isinstance(asked, str) else messages.of_message(asked))
    return said or _as_message("user", _fields(event))


def _fields(event: Any) -> Any:
    fields = event if isinstance(event, dict) else {**payload.as_dict(event), **(payload.get(event, "_data") or {})}
    named = {key: value for key, value in fields.items() if not key.startswith("_") and key not in _NOT_SAID}
    return plain(named) or None


def _as_message(role: str, value: Any, finish_reason: str | None = None) -> list[Message] | None:
    if value is None:
        return None
    told = value if isinstance(value, str) else content.to_json(plain(value))
    return [messages.of_text(role, told, finish_reason)]


def read_result(operation: AgentRun | Workflow, result: Any) -> None:
    """Read what a workflow, an agent or an engine gave."""
    if not content.wanted():
        return
    result = (
        result if not is_a(result, "StopEvent") else payload.coalesce(payload.get(result, "result"), _fields(result))
    )
    response = payload.get(result, "response")
    if payload.get(response, "blocks") is not None:
        operation.output_messages = [messages.of_message(response, "stop")]
    elif type(result).__name__.startswith("Streaming"):
        # It is told by the model call that it streams.
        return
    else:
        operation.output_messages = _as_message("assistant", payload.coalesce(response, result), "stop")


def step(name: str, kind: str, number: int, event: Any) -> Step:
    """Return the operation of a workflow's step."""
    agent_name = payload.get_text(event, "current_agent_name")
    return Step(
        step_name=name,
        step_type=kind,
        step_number=number,
        agent_name=None if agent_name == _NO_NAME else agent_name,
    )


def tool_call(tool: Any, arguments: Mapping[str, Any]) -> ToolCall:
    """Return the operation of a tool's call."""
    about = payload.get(tool, "metadata")
    operation = ToolCall(
        tool_name=payload.get_text(about, "name"),
        tool_type="function",
        tool_description=payload.get_text(about, "description"),
    )
    if content.wanted():
        given, named = arguments.get("args"), arguments.get("kwargs")
        context_name = payload.get(tool, "ctx_param_name")
        named = {key: plain(value) for key, value in (named or {}).items() if key != context_name}
        others = [value for key, value in arguments.items() if key not in ("args", "kwargs")]
        positional = [*others, *(given or ())]
        operation.arguments = named if not positional else [*map(plain, positional), *([named] if named else [])]
    return operation


def read_tool_result(operation: ToolCall, output: Any) -> None:
    """Read a ``ToolOutput``."""
    if payload.get(output, "is_error") is True:
        operation.error_type = operation.error_type or "tool_error"
    if content.wanted():
        operation.result = plain(payload.coalesce(payload.get(output, "raw_output"), payload.get(output, "content")))


def handoff(team: Any, giver: str | None, event: Any) -> Handoff | None:
    """Return the hand-off that a tool's call is, where the team lets the giver hand over to that agent."""
    target = payload.get_text(event, "tool_kwargs", "to_agent")
    agents = payload.get(team, "agents") or {}
    allowed = payload.get(agents.get(giver), "can_handoff_to")
    if payload.get_text(event, "tool_name") != "handoff" or target not in agents:
        return None
    if allowed is not None and target not in allowed:
        return None
    operation = Handoff(to_agent=target)
    operation.agent_name = giver
    return operation


def retrieval(retriever: Any, arguments: Mapping[str, Any]) -> Retrieval:
    """Return the operation of a retriever's search."""
    operation = Retrieval(data_source=type(retriever).__name__)
    operation.top_k = payload.get_int(retriever, "_similarity_top_k")
    if content.wanted():
        operation.query_text = _query(arguments)
    return operation


def _query(arguments: Mapping[str, Any]) -> str | None:
    asked = next(
        (arguments[key] for key in ("str_or_query_bundle", "query_bundle", "message") if key in arguments), None
    )
    return payload.get_text(asked, "query_str") or payload.as_text(asked)


def engine(name: str, *, is_outermost: bool, instance: Any, arguments: Mapping[str, Any]) -> Workflow | Step:
    """Return the operation of what a query or chat engine is asked."""
    if not is_outermost:
        return Step(step_name=name, step_type="engine")
    operation = Workflow(conversation_id=_conversation(payload.get(instance, "_memory")))
    query = _query(arguments)
    if query is not None and content.wanted():
        operation.input_messages = [messages.of_text("user", query)]
    return operation


def read_end(operation: Operation, result: Any) -> None:
    """Read what any span gave that is not told of by events."""
    if isinstance(operation, ToolCall):
        read_tool_result(operation, result)
    elif isinstance(operation, (AgentRun, Workflow)):
        read_result(operation, result)
    elif isinstance(operation, Retrieval):
        found = payload.as_list(result)
        operation.returned = len(found)
        models.read_documents(operation, found)


def note_answer(operation: AgentRun, answer: Inference) -> None:
    """Note what a model call says of the agent that it is for."""
    operation.request_model = operation.request_model or answer.request_model
    if operation.tool_definitions is None:
        operation.tool_definitions = answer.tool_definitions
    operation.output_messages = answer.output_messages or operation.output_messages


FAMILIES: Mapping[str, tuple[str, ...]] = {
    "BaseTool": ("call", "acall", "__call__"),
    "BaseRetriever": ("retrieve", "aretrieve"),
    "BaseQueryEngine": ("query", "aquery"),
    "BaseChatEngine": ("chat", "achat", "stream_chat", "astream_chat"),
}
"""The functions that are told of, by the library's classes."""
