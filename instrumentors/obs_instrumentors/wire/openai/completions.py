"""Legacy completions: a prompt in, text out."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from obs_instrumentors.wire import continuation
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import UNKNOWN, error_type, read_error, read_missing_answer
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .chat import finish_reason
from .common_fields import read_header, read_sampling, read_usage


@sparse_dataclass
class Completion(Inference):
    """A completion; while it streams, why those of its answers ended that have."""

    name: str = "text_completion"
    reasons: dict[int, str] = field(default_factory=dict)


def parse_request(body: dict[str, Any]) -> Completion:
    """Return the operation that a request means."""
    operation = Completion()
    read_sampling(operation, body)
    if content.wanted():
        prompt = body.get("prompt")
        prompts = [prompt] if isinstance(prompt, str) else payload.as_list(prompt)
        # A prompt may be given as tokens too, which say nothing to a reader.
        texts = [text for text in prompts if isinstance(text, str)]
        operation.input_messages = [messages.message("user", messages.text(text)) for text in texts] or None
    return operation


def read_response(operation: Completion, response: Any) -> None:
    """Read a Completion."""
    fields = payload.as_dict(response)
    read_header(operation, fields)
    read_usage(operation, fields.get("usage"))
    _read_failure(operation, fields)
    read_missing_answer(operation, fields, "choices")
    choices = payload.as_list(fields.get("choices"))
    reasons = [finish_reason(payload.get(choice, "finish_reason")) for choice in choices]
    operation.finish_reasons = [reason for reason in reasons if reason is not None] or None
    if not content.wanted():
        return
    operation.output_messages = []
    for choice, reason in zip(choices, reasons, strict=True):
        part = messages.text(payload.get_text(choice, "text") or "")
        operation.output_messages.append(messages.message("assistant", part, finish_reason=reason))


def read_chunk(operation: Completion, chunk: Any) -> None:
    """Read a Completion that is a piece of a stream."""
    fields = payload.as_dict(chunk)
    read_header(operation, fields)
    read_usage(operation, fields.get("usage"))
    _read_failure(operation, fields)
    for choice in payload.as_list(fields.get("choices")):
        index = payload.as_count(payload.get(choice, "index")) or 0
        reason = finish_reason(payload.get(choice, "finish_reason"))
        if reason is not None:
            operation.reasons[index] = reason
        text = payload.get_text(choice, "text")
        if text is not None:
            continuation.append_text(operation, text, index)


def _read_failure(operation: Completion, fields: dict[str, Any]) -> None:
    read_error(operation, fields)
    for choice in payload.as_list(fields.get("choices")):
        found = error_type(payload.get(choice, "error"))
        if found is None and payload.get(choice, "finish_reason") == "error":
            found = UNKNOWN
        operation.error_type = operation.error_type or found


def finish(operation: Completion) -> None:
    """Join the pieces, and say why each of the answers ended, in their order."""
    reasons = operation.reasons
    operation.finish_reasons = [reasons[index] for index in sorted(reasons)] or operation.finish_reasons
    continuation.join_texts(operation)
    for index, message in enumerate(operation.output_messages or []):
        if index in reasons:
            message["finish_reason"] = reasons[index]


ENDPOINT = Endpoint(parse_request, read_response, read_chunk, finish)
