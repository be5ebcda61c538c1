"""Legacy completions: a prompt in, text out."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.continuation import join_texts
from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference

from .chat import finish_reason
from .common_fields import read_header, read_sampling, usage


def _begin(body: dict[str, Any]) -> Inference:
    operation = Inference("text_completion")
    read_sampling(operation, body)
    if content.wanted():
        prompt = body.get("prompt")
        prompts = [prompt] if isinstance(prompt, str) else payload.as_list(prompt)
        texts = [each for each in prompts if isinstance(each, str)]
        operation.input_messages = [messages.message("user", messages.text(text)) for text in texts] or None
    return operation


def _result(operation: Inference, response: Any) -> None:
    read_header(operation, payload.as_dict(response))
    operation.usage = usage(payload.get(response, "usage"))
    choices = payload.get_list(response, "choices")
    operation.finish_reasons = [finish_reason(payload.get(each, "finish_reason")) for each in choices] or None
    if content.wanted():
        operation.output_messages = [
            messages.message(
                "assistant",
                messages.text(payload.get_text(each, "text") or ""),
                finish_reason=finish_reason(payload.get(each, "finish_reason")),
            )
            for each in choices
        ]


def _chunk(operation: Inference, chunk: Any) -> None:
    read_header(operation, payload.as_dict(chunk))
    told = payload.get(chunk, "usage")
    if told is not None:
        operation.usage = usage(told)
    for choice in payload.get_list(chunk, "choices"):
        reason = payload.get_text(choice, "finish_reason")
        if reason is not None:
            operation.finish_reasons = [*(operation.finish_reasons or []), finish_reason(reason)]
        text = payload.get_text(choice, "text")
        if text is not None and content.wanted():
            _append(operation, payload.get(choice, "index") or 0, text)


def _append(operation: Inference, index: int, text: str) -> None:
    operation.output_messages = operation.output_messages or []
    while len(operation.output_messages) <= index:
        operation.output_messages.append(messages.message("assistant"))
    operation.output_messages[index]["parts"].append(messages.text(text))


ENDPOINT = Endpoint(_begin, _result, _chunk, join_texts)
