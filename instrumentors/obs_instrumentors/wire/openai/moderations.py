"""Moderations. No operation of the conventions fits; ours is ``moderation``."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core.operations import ModelCall

from .embeddings import input_count


def _begin(body: dict[str, Any]) -> ModelCall:
    operation = ModelCall("moderation", request_model=payload.as_text(body.get("model")))
    operation.input_count = input_count(body.get("input"))
    return operation


def _result(operation: ModelCall, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model")


ENDPOINT = Endpoint(_begin, _result)
