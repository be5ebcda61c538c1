"""Anthropic's text completions, which releases before 1.0 have."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire import continuation
from obs_instrumentors.wire.anthropic.messages import FINISH_REASONS, read_sampling
from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference


def parse_request(body: dict[str, Any]) -> Inference:
    """Return the operation that a request means."""
    operation = Inference("text_completion")
    read_sampling(operation, body)
    operation.max_tokens = payload.as_int(body.get("max_tokens_to_sample"))
    if content.wanted():
        prompt = payload.as_text(body.get("prompt")) or ""
        operation.input_messages = [messages.message("user", messages.text(prompt))]
    return operation


def read_chunk(operation: Inference, chunk: Any) -> None:
    """Read a Completion that is a piece of a stream."""
    operation.response_id = payload.get_text(chunk, "id") or operation.response_id
    operation.response_model = payload.get_text(chunk, "model") or operation.response_model
    reason = payload.get_text(chunk, "stop_reason")
    if reason is not None:
        operation.finish_reasons = [FINISH_REASONS.get(reason, reason)]
    text = payload.get_text(chunk, "completion")
    if text is not None:
        continuation.append_text(operation, text)


def read_response(operation: Inference, response: Any) -> None:
    """Read a Completion, which is the same whole as in pieces."""
    read_chunk(operation, response)
    continuation.finish(operation)


ENDPOINT = Endpoint(parse_request, read_response, read_chunk, continuation.finish)
