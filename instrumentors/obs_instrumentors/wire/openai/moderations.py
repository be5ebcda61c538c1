"""Moderations. No operation of the conventions fits; ours is ``moderation``."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import read_error
from obs_run.base import payload
from obs_run.core.operations import ModelCall

from .embeddings import input_count


def parse_request(body: dict[str, Any]) -> ModelCall:
    """Return the operation that a request means."""
    operation = ModelCall("moderation", request_model=payload.as_text(body.get("model")))
    operation.input_count = input_count(body.get("input"))
    return operation


def read_response(operation: ModelCall, response: Any) -> None:
    """Read a ModerationCreateResponse; it tells no usage."""
    operation.response_model = payload.get_text(response, "model")
    read_error(operation, payload.as_dict(response))


ENDPOINT = Endpoint(parse_request, read_response)
