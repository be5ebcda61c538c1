"""What LangChain's callbacks tell of graphs, nodes, agents, tools and retrievers."""

from __future__ import annotations

from typing import Any

from obs_run.base import payload
from obs_run.core import content, semconv
from obs_run.core.operations import AgentRun, Handoff, Retrieval, Step, ToolCall, Workflow

from . import messages

_PARENT_GRAPH = "__parent__"
_END = "__end__"
_STEP_TAG = "graph:step:"


def is_step(tags: list[str] | None) -> bool:
    """Whether a run is that of a graph's node."""
    return any(tag.startswith(_STEP_TAG) for tag in tags or ())


def is_task(name: str | None, metadata: dict[str, Any], around: dict[str, Any]) -> bool:
    """Whether a run is that of a task, which a node of the functional kind calls."""
    return name is not None and metadata.get("langgraph_node") == name != around.get("langgraph_node")


def step(name: str | None, metadata: dict[str, Any], kind: str = "node") -> Step:
    """Return the operation of a graph's node, or of a task."""
    return Step(
        step_name=payload.get_text(metadata, "langgraph_node") or name,
        step_type=kind,
        step_number=payload.get_int(metadata, "langgraph_step"),
    )


def workflow(name: str | None, inputs: Any, metadata: dict[str, Any]) -> Workflow:
    """Return the operation of a graph's run, or of another chain that the agent calls itself."""
    operation = Workflow(workflow_name=_given_name(name), conversation_id=_conversation(metadata))
    _read_inputs(operation, inputs)
    return operation


def agent(name: str | None, inputs: Any, metadata: dict[str, Any]) -> AgentRun:
    """Return the operation of an agent's run."""
    operation = AgentRun(conversation_id=_conversation(metadata))
    operation.agent_name = _given_name(name)
    _read_inputs(operation, inputs)
    return operation


def is_agent(metadata: dict[str, Any]) -> bool:
    """Whether a node is one of what ``create_agent`` made."""
    return metadata.get("ls_integration") == "langchain_create_agent"


def read_outputs(operation: Any, outputs: Any) -> None:
    """Read what a graph, agent or other chain gave back."""
    if content.wanted():
        said = messages.of_state(outputs) or []
        operation.output_messages = [{"finish_reason": "stop", **each, "role": "assistant"} for each in said[-1:]]


def tool_call(serialized: Any, text: str, details: dict[str, Any]) -> ToolCall:
    """Return the operation of a tool's run."""
    operation = ToolCall(
        tool_name=payload.get_text(serialized, "name") or payload.get_text(details, "name"),
        tool_type="function",
        tool_description=payload.get_text(serialized, "description"),
        call_id=payload.get_text(details, "tool_call_id"),
    )
    inputs = details.get("inputs")
    content.note_arguments(operation, messages.plain(text if inputs is None else inputs))
    return operation


def read_tool_result(operation: ToolCall, output: Any) -> None:
    """Read what a tool gave back: a ``ToolMessage``, a ``Command`` with one in it, or anything else."""
    if type(output).__name__ == "Command":
        output = (payload.get_list(output, "update", "messages") or [None])[-1]
    operation.call_id = operation.call_id or payload.get_text(output, "tool_call_id")
    if payload.get(output, "status") == "error":
        operation.error_type = "tool_error"
    if content.wanted():
        operation.result = messages.plain(output)


def retrieval(serialized: Any, query: Any, details: dict[str, Any]) -> Retrieval:
    """Return the operation of a retriever's run."""
    name = payload.get_text(details, "name") or payload.get_text(serialized, "name")
    kind = payload.get_text(details, "metadata", "ls_retriever_name")
    operation = Retrieval(data_source=name or kind)
    if content.wanted():
        operation.query_text = str(query)
    return operation


def read_documents(operation: Retrieval, documents: Any) -> None:
    """Read the documents that were found."""
    found = documents if isinstance(documents, list) else []
    operation.returned = len(found)
    if content.wanted():
        operation.documents = [
            {"id": str(payload.get(each, "id") or at), "content": str(payload.get(each, "page_content"))}
            for at, each in enumerate(found)
        ]


def handoff(output: Any, giver: Any) -> Handoff | None:
    """Return the hand-off that a tool's result is: the command to go to another agent than its own."""
    target = _target(output)
    if target is None or payload.get(output, "graph") != _PARENT_GRAPH:
        return None
    operation = Handoff(to_agent=target)
    operation.agent_name = payload.get(giver, "agent_name")
    return operation


def goto(outputs: Any) -> list[str]:
    """Return the nodes that a node's result leads to by its own word."""
    commands = outputs if isinstance(outputs, list) else [outputs]
    targets = [_target(command) for command in commands if payload.get(command, "graph") is None]
    return [target for target in targets if target is not None]


def _target(command: Any) -> str | None:
    if type(command).__name__ != "Command":
        return None
    target = payload.get(command, "goto")
    if isinstance(target, (list, tuple)) and len(target) == 1:
        target = target[0]
    target = payload.coalesce(payload.get(target, "node"), target)
    return target if isinstance(target, str) and target and target != _END else None


def _read_inputs(operation: Any, inputs: Any) -> None:
    if payload.get(inputs, "resume") is not None and type(inputs).__name__ == "Command":
        operation.extra[semconv.OBS_RESUMED] = True
    elif content.wanted():
        operation.input_messages = messages.of_state(inputs)


def _conversation(metadata: dict[str, Any]) -> str | None:
    thread = metadata.get("thread_id")
    return None if thread is None else str(thread)


def _given_name(name: str | None) -> str | None:
    """Return the name that somebody gave a run; those of LangChain's classes say nothing."""
    if name in (None, "LangGraph", "AgentExecutor") or str(name).startswith("Runnable"):
        return None
    return name
