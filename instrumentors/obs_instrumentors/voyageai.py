"""Voyage AI's client: its methods, outside of the retries, and the requests below them, which are counted."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import content, semconv, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, ModelCall, Operation, Rerank, Usage
from obs_run.core.outcomes import Reader
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.outcomes import Call


@sparse_dataclass
class _Embedding(Embedding):
    requests: int = 0


@sparse_dataclass
class _Rerank(Rerank):
    requests: int = 0


def start_operation(method: str, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call of a method means."""
    parse, reader, parameters = _METHODS[method]
    operation = parse({**dict(zip(parameters, call.args, strict=False)), **call.kwargs})
    operation.provider = "voyageai"
    return operation, reader


def note_request(operation: Operation, call: Call) -> None:
    """Read from a request where it goes, and whether it is not the first of its call."""
    if not isinstance(operation, (_Embedding, _Rerank)):
        return
    base_url = payload.coalesce(
        call.kwargs.get("base_url"),
        call.kwargs.get("api_base"),
        payload.get(sys.modules.get("voyageai"), "api_base"),
    )
    read_server_address(operation, base_url or "")
    if operation.requests:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = operation.requests
    operation.requests += 1


def _parse_embedding(arguments: dict[str, Any]) -> ModelCall:
    inputs = payload.coalesce(arguments.get("texts"), arguments.get("inputs"))
    operation = _Embedding(
        "embeddings",
        request_model=payload.as_text(arguments.get("model")),
        dimensions=payload.as_int(arguments.get("output_dimension")),
        input_count=1 if isinstance(inputs, str) else len(payload.as_list(inputs)),
    )
    encoding = payload.as_text(arguments.get("output_dtype"))
    if encoding is not None:
        operation.encoding_formats = [encoding]
    return operation


def _parse_rerank(arguments: dict[str, Any]) -> ModelCall:
    operation = _Rerank(
        request_model=payload.as_text(arguments.get("model")),
        top_k=payload.as_int(arguments.get("top_k")),
        input_count=len(payload.as_list(arguments.get("documents"))),
    )
    if content.wanted():
        operation.query_text = payload.as_text(arguments.get("query"))
    return operation


def _read_embedding(operation: Embedding, returned: Any) -> None:
    """Read an EmbeddingsObject, or one of the multimodal or contextualized kind."""
    operation.usage = Usage(
        input_tokens=payload.get_int(returned, "total_tokens"),
        text_input_tokens=payload.get_int(returned, "text_tokens"),
    )


def _read_rerank(operation: Rerank, returned: Any) -> None:
    """Read a RerankingObject."""
    operation.usage = Usage(input_tokens=payload.get_int(returned, "total_tokens"))
    results = payload.get_list(returned, "results")
    operation.scores = [result.relevance_score for result in results]
    if content.wanted():
        operation.documents = [
            {"id": str(result.index), "score": result.relevance_score, "content": result.document} for result in results
        ]


_EMBEDDING = Reader(_read_embedding)
_EMBED_PARAMETERS = ("texts", "model", "input_type", "truncation", "output_dtype", "output_dimension")
_MULTIMODAL_PARAMETERS = ("inputs", *_EMBED_PARAMETERS[1:])
_CONTEXTUALIZED_PARAMETERS = ("inputs", "model", "input_type", "output_dtype", "output_dimension")
_RERANK_PARAMETERS = ("query", "documents", "model", "top_k")
_METHODS: dict[str, tuple[Callable[[dict[str, Any]], ModelCall], Reader, tuple[str, ...]]] = {
    "embed": (_parse_embedding, _EMBEDDING, _EMBED_PARAMETERS),
    "multimodal_embed": (_parse_embedding, _EMBEDDING, _MULTIMODAL_PARAMETERS),
    "contextualized_embed": (_parse_embedding, _EMBEDDING, _CONTEXTUALIZED_PARAMETERS),
    "rerank": (_parse_rerank, Reader(_read_rerank), _RERANK_PARAMETERS),
}

_NEWER_METHODS = ("multimodal_embed", "contextualized_embed")
_RESOURCE = "voyageai.api_resources.api_resource"


def _targets(module: str, client: str, wrap: Callable[..., Any]) -> Iterator[Target]:
    for method in _METHODS:
        start = wrap(partial(start_operation, method))
        yield Target(module, f"{client}.{method}", start, optional=method in _NEWER_METHODS)


INSTRUMENTORS = (
    Instrumentor(
        "voyageai",
        "voyageai",
        ">=0.2.4,<1",
        (
            *_targets("voyageai.client", "Client", streams.wrap_call),
            *_targets("voyageai.client_async", "AsyncClient", streams.wrap_async_call),
            Target(_RESOURCE, "APIResource.create", streams.wrap_inner_call(note_request)),
            Target(_RESOURCE, "APIResource.acreate", streams.wrap_inner_call(note_request)),
        ),
        ("embeddings", "rerank"),
    ),
)
