"""Embeddings."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import read_error, read_missing_answer
from obs_run.base import payload
from obs_run.core.operations import Embedding

from .common_fields import read_usage


def parse_request(body: dict[str, Any]) -> Embedding:
    """Return the operation that a request means."""
    operation = Embedding("embeddings", request_model=payload.as_text(body.get("model")))
    operation.dimensions = payload.as_int(body.get("dimensions"))
    encoding = payload.as_text(body.get("encoding_format"))
    if encoding is not None:
        operation.encoding_formats = [encoding]
    operation.input_count = input_count(body.get("input"))
    return operation


def input_count(value: Any) -> int | None:
    """Return the number of inputs; a list of numbers is one text as tokens."""
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        return 1
    if value and isinstance(value[0], int):
        return 1
    return len(value)


def read_response(operation: Embedding, response: Any) -> None:
    """Read a CreateEmbeddingResponse; the vectors are not recorded."""
    operation.response_model = payload.get_text(response, "model")
    read_usage(operation, payload.get(response, "usage"))
    fields = payload.as_dict(response)
    read_error(operation, fields)
    read_missing_answer(operation, fields, "data")


ENDPOINT = Endpoint(parse_request, read_response)
