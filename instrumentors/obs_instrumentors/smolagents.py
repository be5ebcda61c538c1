"""smolagents: runs of agents, their steps and plans, model calls and tools.

Chosen: patch, for it tells nobody of its runs in time. ``MultiStepAgent.run`` and the models' ``generate`` return what
they did or a generator of it; both are followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.class_names import by_class
from obs_instrumentors.wire.plain import text_or_json
from obs_instrumentors.wire.token_counts import counted
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import AgentRun, Plan, Step, ToolCall, Usage
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing
from obs_run.core.streams import wrap_call
from obs_run.core.tool_calls import function_call, read_result

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part
    from obs_run.core.outcomes import Call

_FINAL_ANSWER = "final_answer"
"""The tool that the model calls to say its answer."""
_ROLES = {"tool-call": "assistant", "tool-response": "tool"}
_PROVIDERS = {
    "AmazonBedrockModel": "aws.bedrock",
    "AzureOpenAIModel": "azure.ai.openai",
    "InferenceClientModel": "huggingface",
    "LiteLLMModel": "litellm",
    "MLXModel": "mlx",
    "OpenAIModel": "openai",
    "OpenAIServerModel": "openai",
    "TransformersModel": "transformers",
    "VLLMModel": "vllm",
}
"""By the names of the library's classes, of which users derive their own."""


def start_run(call: Call) -> tuple[AgentRun, Reader[Any]]:
    """Read the call of ``MultiStepAgent.run``."""
    agent = call.instance
    operation = AgentRun(request_model=_model_id(payload.get(agent, "model")))
    operation.agent_name = payload.get_text(agent, "name")
    operation.agent_description = payload.get_text(agent, "description")
    if content.wanted():
        operation.input_messages = [messages.message("user", messages.text(str(call.argument(0, "task"))))]
    return operation, Reader(_read_answer, chunk=_read_event, lazy=bool(call.argument(1, "stream")))


def _read_answer(operation: AgentRun, returned: Any) -> None:
    """Read a ``RunResult``, or the answer alone."""
    answer = payload.get(returned, "output") if type(returned).__name__ == "RunResult" else returned
    if content.wanted():
        operation.output_messages = [messages.message("assistant", text_or_json(answer), finish_reason="stop")]


def _read_event(operation: AgentRun, event: Any) -> None:
    if type(event).__name__ == "FinalAnswerStep":
        operation.has_result = True
        _read_answer(operation, payload.get(event, "output"))


def start_step(call: Call) -> tuple[Step, Reader[Any]]:
    """Read the call of ``_step_stream``, which gets the ``ActionStep`` to fill."""
    memory_step = call.argument(0, "memory_step")
    operation = Step(
        step_name="step",
        step_type="step",
        step_number=payload.get_int(memory_step, "step_number"),
        agent_name=payload.get_text(call.instance, "name"),
    )
    return operation, _NOTHING


def start_plan(call: Call) -> tuple[Plan, Reader[Any]]:
    """Read the call of ``_generate_planning_step``."""
    return Plan(agent_name=payload.get_text(call.instance, "name")), _NOTHING


_NOTHING: Reader[Any] = Reader(read_nothing, chunk=read_nothing, lazy=True)


def start_tool(call: Call) -> tuple[ToolCall, Reader[Any]] | None:
    """Read the call of a tool by an agent, or by the code that its model wrote."""
    tool = call.instance
    name = payload.get_text(tool, "name")
    if name == _FINAL_ANSWER:
        return None
    return function_call(name, payload.get_text(tool, "description"), _arguments(tool, call)), Reader(read_result)


def _arguments(tool: Any, call: Call) -> Any:
    """Return a tool's arguments by name, as a model says them; code may leave the names out."""
    named = {key: value for key, value in call.kwargs.items() if key != "sanitize_inputs_outputs"}
    if not call.args:
        return named
    names = list(payload.as_dict(payload.get(tool, "inputs")))
    first = call.args[0]
    if len(call.args) == 1 and not named and isinstance(first, dict) and set(first) <= set(names):
        # So the library has it.
        return first
    if len(call.args) > len(names):
        return [*call.args, *([named] if named else [])]
    return {**dict(zip(names, call.args, strict=False)), **named}


def start_managed(call: Call) -> tuple[ToolCall, Reader[Any]]:
    """Read the call of an agent by another, which the model asked for as it asks for tools."""
    agent = call.instance
    about = payload.get_text(agent, "name"), payload.get_text(agent, "description")
    return function_call(*about, {"task": call.argument(0, "task")}), Reader(read_result)


def start_chat(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of a model's ``generate``."""
    return _chat(call), Reader(_read_message)


def start_chat_stream(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of a model's ``generate_stream``."""
    return _chat(call), Reader(read_nothing, chunk=_read_delta, lazy=True)


def _chat(call: Call) -> FrameworkInference:
    model = call.instance
    operation = FrameworkInference(
        "chat",
        provider=by_class(model, _PROVIDERS),
        request_model=_model_id(model),
        temperature=payload.get_float(model, "kwargs", "temperature"),
        max_tokens=payload.get_int(model, "kwargs", "max_tokens"),
    )
    if content.wanted():
        operation.input_messages = [_message(each) for each in payload.as_list(call.argument(0, "messages"))]
    return operation


def _read_message(operation: Any, message: Any) -> None:
    """Read a ``ChatMessage``, unless the provider's client told of the call."""
    if not isinstance(operation, FrameworkInference):
        return
    operation.usage = _usage(payload.get(message, "token_usage"))
    names = [payload.get_text(each, "function", "name") for each in payload.get_list(message, "tool_calls")]
    operation.tool_calls = [name for name in names if name not in (None, _FINAL_ANSWER)] or None
    operation.finish_reasons = ["tool_call" if operation.tool_calls else "stop"]
    if content.wanted():
        operation.output_messages = [{**_message(message), "finish_reason": operation.finish_reasons[0]}]


def _read_delta(operation: Any, delta: Any) -> None:
    """Read a ``ChatMessageStreamDelta``, of which the last has the usage, unless the provider's client told of it."""
    if not isinstance(operation, FrameworkInference):
        return
    usage = _usage(payload.get(delta, "token_usage"))
    operation.usage = usage or operation.usage


def _usage(counts: Any) -> Usage | None:
    return counted(Usage(payload.get_int(counts, "input_tokens"), payload.get_int(counts, "output_tokens")))


def _model_id(model: Any) -> str | None:
    return payload.get_text(model, "model_id")


def _message(message: Any) -> Message:
    role = payload.get(message, "role")
    role = str(getattr(role, "value", role))
    parts = _parts(payload.get(message, "content"))
    for each in payload.get_list(message, "tool_calls"):
        name, arguments = payload.get(each, "function", "name"), payload.get(each, "function", "arguments")
        parts.append(messages.tool_call(payload.get_text(each, "id"), str(name), arguments))
    return messages.message(_ROLES.get(role, role), *parts)


def _parts(said: Any) -> list[Part]:
    if isinstance(said, list):
        return [_part(each) for each in said]
    return [messages.text(str(said))] if said else []


def _part(block: Any) -> Part:
    text = payload.get_text(block, "text")
    if text is not None:
        return messages.text(text)
    return {"type": payload.get_text(block, "type") or "unknown"}


_AGENTS = "smolagents.agents"
_MODELS = "smolagents.models"
_RUN = wrap_call(start_run)
_STEP = wrap_call(start_step)

INSTRUMENTORS = (
    Instrumentor(
        "smolagents",
        "smolagents",
        ">=1.23,<2",
        (
            Target(_AGENTS, "MultiStepAgent.run", _RUN),
            Target(_AGENTS, "MultiStepAgent.__call__", wrap_call(start_managed)),
            Target(_AGENTS, "ToolCallingAgent._step_stream", _STEP),
            Target(_AGENTS, "CodeAgent._step_stream", _STEP),
            Target(_AGENTS, "MultiStepAgent._generate_planning_step", wrap_call(start_plan)),
            Target(_MODELS, "*.generate", wrap_call(start_chat)),
            Target(_MODELS, "*.generate_stream", wrap_call(start_chat_stream)),
            Target("smolagents.tools", "Tool.__call__", wrap_call(start_tool)),
        ),
        ("invoke_agent", "step", "plan", "chat", "execute_tool"),
    ),
)
