"""Anthropic's text completions, which releases before 1.0 have."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.anthropic.messages import FINISH_REASONS, read_sampling
from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference


def _begin(body: dict[str, Any]) -> Inference:
    operation = Inference("text_completion")
    read_sampling(operation, body)
    operation.max_tokens = payload.as_int(body.get("max_tokens_to_sample"))
    if content.wanted():
        operation.input_messages = [messages.message("user", messages.text(payload.as_text(body.get("prompt")) or ""))]
    return operation


def _read(operation: Inference, told: Any) -> None:
    """Read the whole answer, or a piece of it."""
    operation.response_id = payload.get_text(told, "id") or operation.response_id
    operation.response_model = payload.get_text(told, "model") or operation.response_model
    reason = payload.get_text(told, "stop_reason")
    if reason is not None:
        operation.finish_reasons = [FINISH_REASONS.get(reason, reason)]
    piece = payload.get_text(told, "completion")
    if piece is not None and content.wanted():
        if operation.output_messages is None:
            operation.output_messages = [messages.message("assistant", messages.text(""))]
        operation.output_messages[0]["parts"][0]["content"] += piece
    if operation.output_messages and operation.finish_reasons:
        operation.output_messages[0]["finish_reason"] = operation.finish_reasons[0]


ENDPOINT = Endpoint(_begin, _read, _read)
