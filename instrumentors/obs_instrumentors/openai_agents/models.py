"""What the library tells of model calls, where the provider's client does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from obs_instrumentors.wire.openai import responses
from obs_instrumentors.wire.openai.chat_messages import chat_message
from obs_instrumentors.wire.openai.common_fields import usage
from obs_instrumentors.wire.openai.response_items import input_messages
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.framework_calls import FrameworkInference


@dataclass(eq=False, repr=False)
class _Answer(FrameworkInference, responses.Response):
    """A model's answer in the form of the Responses API."""


def inference(data: Any) -> FrameworkInference:
    """Return the operation of a ``GenerationSpanData`` or ``ResponseSpanData``."""
    kind = _Answer if payload.get_text(data, "type") == "response" else FrameworkInference
    settings = payload.get(data, "model_config")
    return kind(
        "chat",
        provider="openai",
        request_model=payload.get_text(data, "model"),
        temperature=payload.get_float(settings, "temperature"),
        top_p=payload.get_float(settings, "top_p"),
        max_tokens=payload.get_int(settings, "max_tokens"),
    )


def read_answer(operation: Any, data: Any, *, is_reported: bool) -> None:
    """Read what a model call gave; ``is_reported`` where the provider's client told it itself."""
    if is_reported:
        return
    response = payload.get(data, "response")
    if response is not None:
        responses.read_response(operation, response)
        operation.request_model = operation.request_model or operation.response_model
    found = usage(payload.get(data, "usage"))
    # Where the provider told no usage the library tells zeros.
    if operation.usage is None and found is not None and (found.input_tokens or found.output_tokens):
        operation.usage = found
    said = [each for each in payload.get_list(data, "output") if payload.get(each, "role") is not None]
    if said and operation.finish_reasons is None:
        _read_tool_calls(operation, said)
    if content.wanted():
        _read_content(operation, data, said)


def _read_tool_calls(operation: Any, said: list[Any]) -> None:
    """Read which tools the messages of a chat's answer ask for."""
    calls = [call for each in said for call in payload.get_list(each, "tool_calls")]
    operation.finish_reasons = ["tool_call" if calls else "stop"]
    operation.tool_calls = [str(payload.get(call, "function", "name")) for call in calls] or None


def _read_content(operation: Any, data: Any, said: list[Any]) -> None:
    asked = payload.get(data, "input")
    if payload.get_text(data, "type") == "response":
        operation.input_messages = input_messages(asked)
        return
    operation.input_messages = [chat_message(each) for each in payload.as_list(asked)] or None
    if said:
        reason = operation.finish_reasons[0]
        operation.output_messages = [chat_message(each, reason) for each in said]
