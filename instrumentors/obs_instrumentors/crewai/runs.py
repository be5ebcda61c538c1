"""What the library tells of crews, flows, tasks, agents, tools, memory, knowledge and guardrails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import AgentRun, Memory, Plan, Retrieval, Step, ToolCall, Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import Inference, Operation

_UNNAMED = ("crew", "Flow")
"""What the library calls a crew or flow that nobody named."""
_UNKNOWN = "_OTHER"
PASSED_OVER = frozenset(
    {
        "a2a_conversation",
        "a2a_delegation",
        "a2a_parallel_delegation",
        "a2a_server_task",
        "agent_evaluation",
        "crew_test",
        "crew_train",
        "knowledge_query",
        "mcp_connection",
        "mcp_tool_execution",
        "memory_retrieval",
    }
)
"""What tells nothing that those around and inside of it do not tell, by the names of its events."""


def is_librarys_own(source: Any, kind: str) -> bool:
    """Whether a flow is one of those that the library itself is made of, as the loop of an agent is."""
    made_by = type(source)
    is_flow = kind in ("flow", "method_execution")
    return is_flow and made_by.__module__.partition(".")[0] == "crewai" and made_by.__name__ != "Flow"


def _crew(_: Any, event: Any) -> Workflow:
    operation = Workflow(workflow_name=_given_name(payload.get_text(event, "crew_name")))
    _read_inputs(operation, event)
    return operation


def _flow(_: Any, event: Any) -> Workflow:
    operation = Workflow(workflow_name=_given_name(payload.get_text(event, "flow_name")))
    # A flow goes on with the state of this id.
    operation.conversation_id = payload.get_text(event, "inputs", "id")
    _read_inputs(operation, event)
    return operation


def resume(operation: Operation, source: Any) -> None:
    """Note that a flow goes on where it waited for somebody."""
    operation.extra[semconv.OBS_RESUMED] = True
    operation.conversation_id = payload.get_text(source, "flow_id")


def _given_name(name: str | None) -> str | None:
    return None if name in _UNNAMED else name


def _read_inputs(operation: Workflow, event: Any) -> None:
    inputs = payload.get(event, "inputs")
    if inputs and content.wanted():
        operation.input_messages = [_said("user", inputs)]


def _said(role: str, value: Any, finish_reason: str | None = None) -> messages.Message:
    text = value if isinstance(value, str) else content.to_json(plain(value))
    return messages.message(role, messages.text(text), finish_reason=finish_reason)


def _task(_: Any, event: Any) -> Step:
    task = payload.get(event, "task")
    # What it has in place of a name is what is to be done, and content.
    name = payload.get_text(task, "name")
    return Step(step_name=name, step_type="task", agent_name=_role(payload.get(task, "agent")))


def _method(_: Any, event: Any) -> Step:
    return Step(step_name=payload.get_text(event, "method_name"), step_type="method")


def _guardrail(_: Any, event: Any) -> Step:
    # Those of models are called by what they ask for.
    is_function = payload.get_text(event, "guardrail_type") == "function"
    return Step(step_name=payload.get_text(event, "guardrail_name") if is_function else None, step_type="guardrail")


def _role(agent: Any) -> str | None:
    role = payload.get_text(agent, "role")
    # Written as a block of YAML it ends with a line's end.
    return None if role is None else role.strip()


def _agent(_: Any, event: Any) -> AgentRun:
    agent = payload.get(event, "agent") or payload.get(event, "agent_info")
    operation = AgentRun()
    operation.agent_name = _role(agent)
    agent_id = payload.get(agent, "id")
    operation.agent_id = None if agent_id is None else str(agent_id)
    if content.wanted():
        prompt = payload.coalesce(payload.get(event, "task_prompt"), payload.get(event, "messages"))
        operation.input_messages = _input_messages(prompt)
    return operation


def _input_messages(prompt: Any) -> list[messages.Message] | None:
    if isinstance(prompt, str):
        return [_said("user", prompt)]
    said = [
        (payload.get_text(each, "role") or "user", payload.get(each, "content")) for each in payload.as_list(prompt)
    ]
    return [_said(role, text) for role, text in said if text is not None] or None


def _plan(_: Any, event: Any) -> Plan:
    return Plan(agent_name=payload.get_text(event, "agent_role"))


def _tool(_: Any, event: Any) -> ToolCall:
    operation = ToolCall(tool_name=payload.get_text(event, "tool_name"), tool_type="function")
    content.note_arguments(operation, plain(payload.get(event, "tool_args")))
    return operation


def _search(_: Any, event: Any) -> Memory:
    operation = Memory("search_memory")
    if content.wanted():
        operation.query_text = payload.get_text(event, "query")
    return operation


def _save(_: Any, event: Any) -> Memory:
    operation = Memory("upsert_memory")
    value = payload.get_text(event, "value")
    # In the background it tells only how many.
    if value is not None and not value.endswith("(background)") and content.wanted():
        operation.records = [{"content": value}]
    return operation


def _retrieval(_: Any, event: Any) -> Retrieval:  # noqa: ARG001 (it begins before anything is known)
    return Retrieval()


OPERATIONS: Mapping[str, Callable[[Any, Any], Operation]] = {
    "crew_kickoff": _crew,
    "flow": _flow,
    "task": _task,
    "method_execution": _method,
    "llm_guardrail": _guardrail,
    "agent_execution": _agent,
    "lite_agent_execution": _agent,
    "agent_reasoning": _plan,
    "tool_usage": _tool,
    "memory_query": _search,
    "memory_save": _save,
    "knowledge_search_query": _retrieval,
}
"""By the names of the events without their last word."""


def read_tool_result(operation: ToolCall, event: Any) -> None:
    """Read what a tool gave, or why it says itself that it failed."""
    if payload.get(event, "failure") is not None:
        operation.error_type = "tool_error"
    if content.wanted():
        operation.result = plain(payload.get(event, "output"))


def read_result(operation: Operation, event: Any) -> None:
    """Read what a run of any other kind gave."""
    if isinstance(operation, Workflow):
        # A flow that waits for somebody goes on as a run of its own.
        operation.conversation_id = operation.conversation_id or payload.get_text(event, "flow_id")
    if isinstance(operation, Step) and payload.get(event, "success") is False:
        operation.outcome = "blocked"
    elif isinstance(operation, Memory):
        _read_memory(operation, event)
    elif isinstance(operation, Retrieval) and content.wanted():
        operation.query_text = payload.get_text(event, "query")
        found = payload.get_text(event, "retrieved_knowledge")
        operation.documents = None if found is None else [{"content": found}]
    elif isinstance(operation, (AgentRun, Workflow)) and content.wanted():
        output = payload.coalesce(payload.get(event, "output"), payload.get(event, "result"))
        text = payload.coalesce(payload.get(output, "raw"), output)
        operation.output_messages = None if text is None else [_said("assistant", text, "stop")]


def _read_memory(operation: Memory, event: Any) -> None:
    results = payload.get(event, "results")
    if not isinstance(results, (list, tuple)):
        return
    operation.record_count = len(results)
    if content.wanted():
        operation.records = [_record(each) for each in results]


def _record(match: Any) -> dict[str, Any]:
    record = payload.coalesce(payload.get(match, "record"), match)
    fields = {
        "id": payload.get_text(record, "id"),
        "content": payload.get_text(record, "content"),
        "score": payload.get_float(match, "score"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def note_answer(operation: AgentRun, answer: Inference) -> None:
    """Note what a model call says of the agent that it is for."""
    operation.request_model = operation.request_model or answer.request_model
    if operation.system_instructions is None:
        operation.system_instructions = answer.system_instructions
    if operation.tool_definitions is None:
        operation.tool_definitions = answer.tool_definitions


def error_type_of(event: Any) -> str:
    """Return what kind of failure an event tells of, where it has no exception."""
    if payload.get(event, "tool_name") is not None:
        return "tool_error"
    kind = payload.get(event, "error_type")
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else _UNKNOWN
