"""Legacy completions: a prompt in, text out."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire import continuation
from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference

from .chat import finish_reason
from .common_fields import read_header, read_sampling, usage


def parse_request(body: dict[str, Any]) -> Inference:
    """Return the operation that a request means."""
    operation = Inference("text_completion")
    read_sampling(operation, body)
    if content.wanted():
        prompt = body.get("prompt")
        prompts = [prompt] if isinstance(prompt, str) else payload.as_list(prompt)
        # A prompt may be given as tokens too, which say nothing to a reader.
        texts = [text for text in prompts if isinstance(text, str)]
        operation.input_messages = [messages.message("user", messages.text(text)) for text in texts] or None
    return operation


def read_response(operation: Inference, response: Any) -> None:
    """Read a Completion."""
    read_header(operation, payload.as_dict(response))
    operation.usage = usage(payload.get(response, "usage"))
    choices = payload.get_list(response, "choices")
    reasons = [finish_reason(payload.get(choice, "finish_reason")) for choice in choices]
    operation.finish_reasons = reasons or None
    if not content.wanted():
        return
    operation.output_messages = []
    for choice, reason in zip(choices, reasons, strict=True):
        part = messages.text(payload.get_text(choice, "text") or "")
        operation.output_messages.append(messages.message("assistant", part, finish_reason=reason))


def read_chunk(operation: Inference, chunk: Any) -> None:
    """Read a Completion that is a piece of a stream."""
    read_header(operation, payload.as_dict(chunk))
    raw_usage = payload.get(chunk, "usage")
    if raw_usage is not None:
        operation.usage = usage(raw_usage)
    for choice in payload.get_list(chunk, "choices"):
        reason = payload.get_text(choice, "finish_reason")
        if reason is not None:
            operation.finish_reasons = [*(operation.finish_reasons or []), finish_reason(reason)]
        text = payload.get_text(choice, "text")
        if text is not None:
            continuation.append_text(operation, text, payload.get(choice, "index") or 0)


finish = continuation.join_texts
ENDPOINT = Endpoint(parse_request, read_response, read_chunk, finish)
