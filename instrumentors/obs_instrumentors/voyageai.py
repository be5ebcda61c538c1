"""Voyage AI's client: its methods, outside of the retries, and the requests below them, which are counted."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import content, semconv, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, ModelCall, Operation, Rerank, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call


@dataclass
class _Embedding(Embedding):
    requests: int = 0


@dataclass
class _Rerank(Rerank):
    requests: int = 0


def begin(method: str, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call of a method means."""
    make, reader, names = _METHODS[method]
    operation = make({**dict(zip(names, call.args, strict=False)), **call.kwargs})
    operation.provider = "voyageai"
    return operation, reader


def request(operation: Operation, call: Call) -> None:
    """Read from a request where it goes, and whether it is not the first of its call."""
    if not isinstance(operation, (_Embedding, _Rerank)):
        return
    base = payload.coalesce(
        *(call.kwargs.get(name) for name in ("base_url", "api_base")),
        payload.get(sys.modules.get("voyageai"), "api_base"),
    )
    read_server_address(operation, base or "")
    if operation.requests:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = operation.requests
    operation.requests += 1


def _embedding(body: dict[str, Any]) -> ModelCall:
    given = payload.coalesce(body.get("texts"), body.get("inputs"))
    kind = payload.as_text(body.get("output_dtype"))
    return _Embedding(
        "embeddings",
        request_model=payload.as_text(body.get("model")),
        dimensions=payload.as_int(body.get("output_dimension")),
        encoding_formats=None if kind is None else [kind],
        input_count=1 if isinstance(given, str) else len(payload.as_list(given)),
    )


def _rerank(body: dict[str, Any]) -> ModelCall:
    operation = _Rerank(request_model=payload.as_text(body.get("model")), top_k=payload.as_int(body.get("top_k")))
    operation.input_count = len(payload.as_list(body.get("documents")))
    if content.wanted():
        operation.query_text = payload.as_text(body.get("query"))
    return operation


def _embedded(operation: Embedding, returned: Any) -> None:
    operation.usage = Usage(
        input_tokens=payload.get_int(returned, "total_tokens"),
        text_input_tokens=payload.get_int(returned, "text_tokens"),
    )


def _reranked(operation: Rerank, returned: Any) -> None:
    operation.usage = Usage(input_tokens=payload.get_int(returned, "total_tokens"))
    results = payload.get_list(returned, "results")
    operation.scores = [each.relevance_score for each in results]
    if content.wanted():
        operation.documents = [
            {"id": str(each.index), "score": each.relevance_score, "content": each.document} for each in results
        ]


_EMBED = Reader(_embedded)
_METHODS: dict[str, tuple[Callable[[dict[str, Any]], ModelCall], Reader, tuple[str, ...]]] = {
    "embed": (_embedding, _EMBED, ("texts", "model", "input_type", "truncation", "output_dtype", "output_dimension")),
    "multimodal_embed": (
        _embedding,
        _EMBED,
        ("inputs", "model", "input_type", "truncation", "output_dtype", "output_dimension"),
    ),
    "contextualized_embed": (
        _embedding,
        _EMBED,
        ("inputs", "model", "input_type", "output_dtype", "output_dimension"),
    ),
    "rerank": (_rerank, Reader(_reranked), ("query", "documents", "model", "top_k")),
}
"""Each with the names of its arguments in order."""

_NEWER = ("multimodal_embed", "contextualized_embed")
_RESOURCE = "voyageai.api_resources.api_resource"

INSTRUMENTORS = (
    Instrumentor(
        "voyageai",
        "voyageai",
        ">=0.2.4,<1",
        (
            *(
                Target(module, f"{name}.{method}", wrap(partial(begin, method)), optional=method in _NEWER)
                for module, name, wrap in (
                    ("voyageai.client", "Client", streams.call),
                    ("voyageai.client_async", "AsyncClient", streams.async_call),
                )
                for method in _METHODS
            ),
            Target(_RESOURCE, "APIResource.create", streams.observed(request)),
            Target(_RESOURCE, "APIResource.acreate", streams.observed(request)),
        ),
        ("embeddings", "rerank"),
    ),
)
