"""What the library tells of model calls, where the provider's client does not."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.openai.chat_messages import chat_message
from obs_instrumentors.wire.openai.common_fields import usage
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.framework_calls import FrameworkInference

KIND = "llm_call"
"""The names of a model call's events without their last word."""


def inference(source: Any, event: Any) -> FrameworkInference:
    """Return the operation of an ``LLMCallStartedEvent``; older ones tell of no parameters."""
    operation = FrameworkInference(
        "chat",
        provider=payload.get_text(source, "provider"),
        request_model=payload.get_text(event, "model"),
        temperature=payload.get_float(event, "temperature"),
        top_p=payload.get_float(event, "top_p"),
        max_tokens=payload.as_count(payload.get(event, "max_tokens")),
        seed=payload.get_int(event, "seed"),
        frequency_penalty=payload.get_float(event, "frequency_penalty"),
        presence_penalty=payload.get_float(event, "presence_penalty"),
        stop_sequences=payload.get_list(event, "stop_sequences") or None,
        stream=payload.get(event, "stream") is True or None,
    )
    if content.wanted():
        operation.input_messages = _messages(payload.get(event, "messages"))
        operation.tool_definitions = [_tool(each) for each in payload.get_list(event, "tools")] or None
    return operation


def _tool(raw: Any) -> messages.ToolDefinition:
    # Of its parameters the event has what is deep inside as Python shows it.
    return messages.tool_definition(
        payload.get_text(raw, "function", "name") or "", payload.get_text(raw, "function", "description")
    )


def _messages(said: Any) -> list[messages.Message] | None:
    if isinstance(said, str):
        return [chat_message({"role": "user", "content": said})]
    return [chat_message(each) for each in payload.as_list(said)] or None


def read_answer(operation: Any, event: Any, *, is_reported: bool) -> None:
    """Read what a model call gave; ``is_reported`` where the provider's client told it itself."""
    if is_reported or payload.get(event, "call_type") is None:
        return
    found = usage(payload.get(event, "usage"))
    if found is not None:
        found.cache_read_tokens = found.cache_read_tokens or payload.get_int(event, "usage", "cached_prompt_tokens")
        operation.usage = found
    operation.response_id = payload.get_text(event, "response_id")
    response = payload.get(event, "response")
    calls = [call for call in payload.as_list(response) if payload.get(call, "function") is not None]
    operation.tool_calls = [str(payload.get(call, "function", "name")) for call in calls] or None
    reason = payload.get_text(event, "finish_reason") or ("tool_call" if calls else "stop")
    # As the client's own translation has it.
    operation.finish_reasons = ["tool_call" if reason in ("tool_calls", "tool_use") else reason]
    if content.wanted():
        said = {"role": "assistant", "content": None if calls else _text(response), "tool_calls": calls}
        operation.output_messages = [chat_message(said, operation.finish_reasons[0])]


def _text(response: Any) -> str:
    return response if isinstance(response, str) else content.to_json(response)
