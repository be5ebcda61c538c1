"""Embeddings."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core.operations import Embedding

from .common_fields import usage


def _begin(body: dict[str, Any]) -> Embedding:
    operation = Embedding("embeddings", request_model=payload.as_text(body.get("model")))
    operation.dimensions = payload.as_int(body.get("dimensions"))
    encoding = payload.as_text(body.get("encoding_format"))
    operation.encoding_formats = None if encoding is None else [encoding]
    operation.input_count = input_count(body.get("input"))
    return operation


def input_count(given: Any) -> int | None:
    """Return the number of inputs; a list of numbers is one text as tokens."""
    if isinstance(given, (list, tuple)):
        return 1 if given and isinstance(given[0], int) else len(given)
    return None if given is None else 1


def _result(operation: Embedding, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model")
    operation.usage = usage(payload.get(response, "usage"))


ENDPOINT = Endpoint(_begin, _result)
