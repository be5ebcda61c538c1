"""Cohere's reranking and embeddings, and the usage that its responses tell; LiteLLM speaks it for all who rerank."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import billing
from obs_instrumentors.wire.token_counts import merge_usage, sum_counts, usage_or_none
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import Embedding, Rerank, Usage
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from obs_run.core.operations import ModelCall


@sparse_dataclass
class Reranking(Rerank):
    """A reranking, with the documents that were sent; their texts are kept only while content is wanted."""

    documents_sent: list[Any] = field(default_factory=list)


def parse_rerank_request(body: dict[str, Any]) -> Reranking:
    """Return the reranking that a request asks for."""
    documents = payload.as_list(body.get("documents"))
    operation = Reranking(request_model=payload.as_text(body.get("model")), top_k=payload.as_count(body.get("top_n")))
    operation.input_count = len(documents)
    if content.wanted():
        operation.query_text = payload.as_text(body.get("query"))
        for document in documents:
            text = document if isinstance(document, str) else payload.get(document, "text")
            operation.documents_sent.append({"content": text})
    return operation


def read_rerank_response(operation: Reranking, returned: Any) -> None:
    """Read usage and ranking from the response of a reranking."""
    response = data_of(returned)
    read_meta(operation, payload.get(response, "meta"))
    _rank(operation, payload.get_list(response, "results"))


def _rank(operation: Reranking, results: list[Any]) -> None:
    """Put the documents that were sent in the order of the results."""
    scores = [payload.get_float(result, "relevance_score") for result in results]
    operation.scores = [score for score in scores if score is not None]
    if not content.wanted():
        return
    operation.documents = []
    for result, score in zip(results, scores, strict=True):
        position = payload.get_int(result, "index") or 0
        if score is not None and 0 <= position < len(operation.documents_sent):
            operation.documents.append({**operation.documents_sent[position], "id": str(position), "score": score})


def data_of(returned: Any) -> Any:
    """Return the response itself where the agent asked for the raw response."""
    if hasattr(returned, "_response") and hasattr(returned, "data"):
        return returned.data
    return returned


def usage(raw: Any) -> Usage | None:
    """Return the tokens that a response reports: billed ones where there are any, as the conventions prefer."""
    billed = payload.get(raw, "billed_units")
    tokens = payload.get(raw, "tokens")
    text_tokens = payload.as_count(payload.get(billed, "text_tokens"))
    image_tokens = payload.as_count(payload.get(billed, "image_tokens"))
    input_tokens = payload.coalesce(
        payload.as_count(payload.get(billed, "input_tokens")),
        sum_counts((text_tokens, image_tokens)),
        payload.as_count(payload.get(tokens, "input_tokens")),
    )
    output_tokens = payload.coalesce(
        payload.as_count(payload.get(billed, "output_tokens")),
        payload.as_count(payload.get(tokens, "output_tokens")),
    )
    result = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        text_input_tokens=text_tokens,
        image_input_tokens=image_tokens,
    )
    cached = payload.as_count(payload.get(raw, "cached_tokens"))
    if cached is not None and input_tokens is not None and cached <= input_tokens:
        # Of all that was read, and so of what was billed only where it fits in.
        result.cache_read_tokens = cached
    return usage_or_none(result)


def read_meta(operation: ModelCall, raw: Any) -> None:
    """Read the usage of a response: tokens, and the searches that reranking is billed by."""
    operation.usage = merge_usage(operation.usage, usage(raw))
    searches = payload.as_count(payload.get(raw, "billed_units", "search_units"))
    billing.add_units(operation, "rerank_searches", searches)


def parse_embedding_request(body: dict[str, Any]) -> Embedding:
    """Return the embedding that a request asks for."""
    formats = [str(kind) for kind in payload.as_list(body.get("embedding_types"))]
    inputs = [payload.as_list(body.get(name)) for name in ("texts", "images", "inputs")]
    return Embedding(
        "embeddings",
        request_model=payload.as_text(body.get("model")),
        dimensions=payload.as_count(body.get("output_dimension")),
        encoding_formats=formats or None,
        input_count=sum(map(len, inputs)),
    )


def read_embedding_response(operation: Embedding, returned: Any) -> None:
    """Read the usage of a response of embeddings."""
    read_meta(operation, payload.get(data_of(returned), "meta"))
