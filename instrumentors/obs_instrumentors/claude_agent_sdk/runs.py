"""What the CLI's messages tell of agents, model calls and tools."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from obs_instrumentors.wire.anthropic import blocks
from obs_instrumentors.wire.anthropic import messages as wire
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import AgentRun, ToolCall, Usage
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

SYNTHETIC = "<synthetic>"
"""The model of messages that the CLI writes itself."""
_PROVIDERS = {
    "CLAUDE_CODE_USE_BEDROCK": "aws.bedrock",
    "CLAUDE_CODE_USE_VERTEX": "gcp.vertex_ai",
    "CLAUDE_CODE_USE_FOUNDRY": "azure.ai.inference",
}
"""By the variables that tell the CLI where to find the models."""
_OFF = ("", "0", "false", "no", "off")
_INPUT_COUNTS = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


@dataclass(eq=False, repr=False)
class Answer(FrameworkInference, wire.Answer):
    """A model's message, as the CLI passes it on: piece by piece, each with the usage that was known at its begin."""

    name: str = "chat"


@sparse_dataclass
class Tool(ToolCall):
    """A tool that the model asks for; one of this process is asked for by the SDK, which is its server too."""

    SERVES_ITSELF: ClassVar[bool] = True


def agent(options: Any, prompt: Any) -> AgentRun:
    """Return the operation of what the options say is to be run."""
    name = payload.get_text(payload.get(options, "extra_args"), "agent")
    resumed = payload.get_text(options, "resume")
    operation = AgentRun(
        request_model=payload.get_text(options, "model"),
        agent_description=_description(options, name),
        conversation_id=payload.get_text(options, "session_id") or resumed,
        output_type="json" if payload.get(options, "output_format") else None,
    )
    operation.agent_name = name
    if resumed is not None or payload.get(options, "continue_conversation") is True:
        operation.extra[semconv.OBS_RESUMED] = True
    if content.wanted():
        operation.system_instructions = _instructions(payload.get(options, "system_prompt"))
        operation.input_messages = user_messages(prompt)
    return operation


def sub_agent(options: Any, asked: Any) -> AgentRun:
    """Return the operation of an agent that another one asks by the tool whose input is ``asked``."""
    name = payload.get_text(asked, "subagent_type")
    operation = AgentRun(agent_description=_description(options, name))
    operation.agent_name = name
    if content.wanted():
        operation.input_messages = user_messages(payload.get(asked, "prompt"))
    return operation


def _description(options: Any, name: str | None) -> str | None:
    return None if name is None else payload.get_text(payload.get(options, "agents"), name, "description")


def _instructions(prompt: Any) -> Any:
    text = prompt if isinstance(prompt, str) else payload.get_text(prompt, "append")
    return [messages.text(text)] if text else None


def user_messages(prompt: Any) -> Any:
    """Return what a prompt says, as a text or as blocks; one that is a stream says it later."""
    if not isinstance(prompt, (str, list)) or not content.wanted():
        return None
    return [blocks.message({"role": "user", "content": prompt})]


def read_result(operation: AgentRun, result: Any) -> None:
    """Read the message by which the CLI ends a turn, of which a run may have several."""
    reason = payload.get_text(result, "stop_reason")
    operation.finish_reasons = None if reason is None else [wire.FINISH_REASONS.get(reason, reason)]
    said = payload.get_text(result, "result")
    if said and content.wanted():
        finish = operation.finish_reasons[0] if operation.finish_reasons else None
        operation.output_messages = [messages.message("assistant", messages.text(said), finish_reason=finish)]


def read_usage(operation: AgentRun, result: Any, before: Any) -> None:
    """Add what a turn used and cost with all that went on in it; ``before`` is the result of the turn before."""
    models = payload.get(result, "model_usage_since_last_result")
    if models is not None:
        _add(operation, _tokens(models), sum(payload.get_float(each, "costUSD") or 0.0 for each in models.values()))
        return
    if before is None and semconv.OBS_RESUMED in operation.extra:
        # What the session used and cost earlier is in the totals.
        return
    now, earlier = (_tokens(payload.get(each, "modelUsage") or {}) for each in (result, before))
    cost = payload.get_float(result, "total_cost_usd")
    if cost is not None:
        cost -= payload.get_float(before, "total_cost_usd") or 0.0
    _add(operation, tuple(count - known for count, known in zip(now, earlier, strict=True)), cost)


def _tokens(models: Mapping[str, Any]) -> tuple[int, ...]:
    """Return input and output of all models."""
    counts = list(models.values())
    inputs = sum(payload.get_int(each, name) or 0 for each in counts for name in _INPUT_COUNTS)
    return inputs, sum(payload.get_int(each, "outputTokens") or 0 for each in counts)


def _add(operation: AgentRun, tokens: tuple[int, ...], cost: float | None) -> None:
    earlier = operation.usage or Usage()
    if any(tokens):
        operation.usage = Usage(
            input_tokens=(earlier.input_tokens or 0) + tokens[0],
            output_tokens=(earlier.output_tokens or 0) + tokens[1],
        )
    if cost is not None:
        operation.reported_cost = (operation.reported_cost or 0.0) + cost


def failure(result: Any, kind: str | None) -> tuple[str, str] | None:
    """Return type and text of the error that a turn ended with, if it did; ``kind`` is that of its last model call."""
    if payload.get(result, "is_error") is not True:
        return None
    subtype = payload.get_text(result, "subtype")
    told = kind if subtype in (None, "success") else subtype
    texts = [str(each) for each in payload.get_list(result, "errors")]
    return told or "error", "; ".join(texts) or payload.get_text(result, "result") or ""


def answer(model: str | None, options: Any, input_messages: list[Any]) -> Answer:
    """Return the operation of a model call."""
    operation = Answer(provider=_provider(options), request_model=model)
    if content.wanted():
        operation.input_messages = list(input_messages) or None
    return operation


def failed_answer(message: Any, model: str | None, options: Any, input_messages: list[Any]) -> Answer:
    """Return the operation of a model call that failed, of which the CLI tells in the model's place."""
    operation = answer(model, options, input_messages)
    operation.error_type = payload.get_text(message, "error")
    texts = (payload.get_text(each, "text") for each in payload.get_list(message, "message", "content"))
    operation.error_message = "".join(text for text in texts if text) or None
    return operation


def _provider(options: Any) -> str:
    own = payload.get(options, "env") or {}
    for name, provider in _PROVIDERS.items():
        if str(own.get(name, os.environ.get(name, ""))).lower() not in _OFF:
            return provider
    return "anthropic"


def read_answer(operation: Answer, message: dict[str, Any], final_usage: Any) -> None:
    """Read a message of the model's whose pieces have all come; ``final_usage`` is what a stream told at its end."""
    usage = {**payload.as_dict(message.get("usage")), **payload.as_dict(final_usage)}
    if final_usage is None:
        # What stands there was known as the answer began.
        usage.pop("output_tokens", None)
    wire.read_response(operation, {**message, "usage": usage})
    if operation.finish_reasons is None and operation.tool_calls:
        operation.finish_reasons = ["tool_call"]


def tool(block: Any) -> Tool:
    """Return the operation of a tool that the model asks for."""
    operation = Tool(
        tool_name=payload.get_text(block, "name"), tool_type="function", call_id=payload.get_text(block, "id")
    )
    if content.wanted():
        operation.arguments = payload.get(block, "input")
    return operation


def read_tool_result(operation: ToolCall, block: Any) -> None:
    """Read what a tool gave."""
    if payload.get(block, "is_error") is True and operation.error_type is None:
        operation.error_type = "tool_error"
    if content.wanted() and operation.result is None:
        operation.result = payload.get(block, "content")


def next_input(role: str, message: Any) -> Any:
    """Return a message that is in the input of the model's next call."""
    return blocks.message({"role": role, "content": payload.get(message, "content")})
