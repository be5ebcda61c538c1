"""Pipelines, components, agents, steps and tools, as the functions tell of them that run them or begin their spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages, ownership, semconv
from obs_run.core.operations import AgentRun, Retrieval, Step, ToolCall, Workflow
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing
from obs_run.core.tool_calls import function_call

from . import models
from .contents import message_of, shown, tools_of

if TYPE_CHECKING:
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

    Begun = tuple[Operation, Reader[Any]]

_OUTCOMES = {"BreakpointException": "interrupted"}


def start_pipeline(call: Call) -> tuple[Workflow, Reader[Any]]:
    """Read the call of ``Pipeline.run``."""
    return _workflow(call), Reader(_read_outputs, outcomes=_OUTCOMES)


def start_pipeline_stream(call: Call) -> tuple[Workflow, Reader[Any]]:
    """Read the call of ``run_async_generator``, whose last piece is all that the pipeline gives."""
    return _workflow(call), Reader(_read_outputs, chunk=_read_outputs, lazy=True, outcomes=_OUTCOMES)


def _workflow(call: Call) -> Workflow:
    operation = Workflow(workflow_name=payload.get_text(call.instance, "metadata", "name"))
    if call.kwargs.get("pipeline_snapshot") is not None:
        operation.extra[semconv.OBS_RESUMED] = True
    if content.wanted():
        operation.input_messages = [messages.message("user", messages.text(shown(call.argument(0, "data"))))]
    return operation


def _read_outputs(operation: Workflow, outputs: Any) -> None:
    if content.wanted():
        said = messages.message("assistant", messages.text(shown(outputs)), finish_reason="stop")
        operation.output_messages = [said]


def start_component(call: Call) -> Begun | None:
    """Read the call of ``_create_component_span``, which begins what a component does in a pipeline."""
    name, component = payload.as_text(call.argument(0, "component_name")), call.argument(1, "instance")
    if models.is_a(component, "Agent"):
        # Its own run tells of it.
        return None
    operation: Operation | None = models.call_of(component)
    if operation is None and type(component).__name__.endswith("Retriever"):
        operation = Retrieval(data_source=name, top_k=payload.get_int(component, "top_k"))
    if operation is None:
        operation = Step(step_name=name, step_type="component")
    operation.extra[semconv.OBS_STEP_NAME] = name
    return operation, _TAGGED


def start_part(call: Call) -> Begun | None:
    """Read the call of ``ProxyTracer.trace``; most of what it begins is told of otherwise."""
    name, tags = call.argument(0, "operation_name"), call.argument(1, "tags")
    agent = ownership.agent_around(ownership.current_recording())
    if name == "haystack.agent.step":
        number = payload.get_int(tags, name)
        step = Step(step_name="step", step_type="step", step_number=None if number is None else number + 1)
        return step, _TAGGED
    if name == "haystack.agent.step.llm" and agent is not None:
        return models.chat(agent.provider, agent.request_model), _TAGGED
    return None


def start_tool(call: Call) -> tuple[ToolCall, Reader[Any]]:
    """Read the call of ``_create_tool_span``, which begins the call of a tool that the model asked for."""
    tool, asked = call.argument(0, "tool"), call.argument(1, "tool_call")
    about = payload.get_text(asked, "tool_name"), payload.get_text(tool, "description")
    return function_call(*about, payload.get(asked, "arguments"), payload.get_text(asked, "id")), _TAGGED


_TAGGED: Reader[Any] = Reader(read_nothing, outcomes=_OUTCOMES)
"""The tags tell the rest."""


def start_agent(call: Call) -> tuple[AgentRun, Reader[Any]]:
    """Read the call of ``Agent.run`` or ``run_async``."""
    agent = call.instance
    generator = payload.get(agent, "chat_generator")
    operation = AgentRun(provider=models.provider(generator), request_model=models.model_of(generator))
    operation.agent_name = payload.get_text(agent, "__component_name__")
    if content.wanted():
        operation.input_messages = [message_of(each) for each in payload.as_list(call.argument(0, "messages"))]
        instructions = payload.get_text(agent, "system_prompt")
        operation.system_instructions = None if instructions is None else [messages.text(instructions)]
        operation.tool_definitions = tools_of(call.kwargs.get("tools") or payload.get(agent, "tools"))
    return operation, Reader(_read_result, outcomes=_OUTCOMES)


def _read_result(operation: AgentRun, result: Any) -> None:
    last = payload.get(result, "last_message")
    if last is not None and content.wanted():
        reason = models.finish_reason(last)
        operation.output_messages = [{**message_of(last), "finish_reason": reason or "stop"}]
