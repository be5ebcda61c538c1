"""Cohere's reranking and the usage that its responses tell; LiteLLM speaks it for all who rerank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, semconv
from obs_run.core.operations import Rerank, Usage

if TYPE_CHECKING:
    from obs_run.core.operations import ModelCall


@dataclass
class Reranking(Rerank):
    """A reranking, with the documents that were sent; their texts are kept only while content is wanted."""

    sent: list[Any] = field(default_factory=list)


def parse_rerank_request(body: dict[str, Any]) -> Reranking:
    """Return the reranking that a request asks for."""
    documents = payload.as_list(body.get("documents"))
    operation = Reranking(request_model=payload.as_text(body.get("model")), top_k=payload.as_count(body.get("top_n")))
    operation.input_count = len(documents)
    if content.wanted():
        operation.query_text = payload.as_text(body.get("query"))
        texts = (each if isinstance(each, str) else payload.get(each, "text") for each in documents)
        operation.sent = [{"content": text} for text in texts]
    return operation


def read_rerank_response(operation: Reranking, returned: Any) -> None:
    """Read usage and ranking from the response of a reranking."""
    response = data_of(returned)
    read_meta(operation, payload.get(response, "meta"))
    _rank(operation, payload.get_list(response, "results"))


def _rank(operation: Reranking, results: list[Any]) -> None:
    """Put the documents that were sent in the order of the results."""
    scores = [payload.get_float(each, "relevance_score") for each in results]
    operation.scores = [score for score in scores if score is not None]
    if content.wanted():
        positions = [payload.get_int(each, "index") or 0 for each in results]
        operation.documents = [
            {**operation.sent[position], "id": str(position), "score": score}
            for position, score in zip(positions, scores, strict=True)
        ]


def data_of(returned: Any) -> Any:
    """Return the response itself where the agent asked for the raw response."""
    return returned.data if hasattr(returned, "_response") and hasattr(returned, "data") else returned


def usage(told: Any) -> Usage | None:
    """Return the tokens that a response reports: billed ones where there are any, as the conventions prefer."""
    billed, counted = payload.get(told, "billed_units"), payload.get(told, "tokens")
    text, image = (payload.as_count(payload.get(billed, f"{kind}_tokens")) for kind in ("text", "image"))
    parts = [part for part in (text, image) if part is not None]
    given = payload.coalesce(
        payload.as_count(payload.get(billed, "input_tokens")),
        sum(parts) if parts else None,
        payload.as_count(payload.get(counted, "input_tokens")),
    )
    cached = payload.as_count(payload.get(told, "cached_tokens"))
    read = Usage(
        input_tokens=given,
        output_tokens=payload.coalesce(
            payload.as_count(payload.get(billed, "output_tokens")),
            payload.as_count(payload.get(counted, "output_tokens")),
        ),
        # Of all that was read, and so of what was billed only where it fits in.
        cache_read_tokens=cached if cached is not None and given is not None and cached <= given else None,
        text_input_tokens=text,
        image_input_tokens=image,
    )
    return None if read == Usage() else read


def read_meta(operation: ModelCall, told: Any) -> None:
    """Read the usage of a response: tokens, and the searches that reranking is billed by."""
    operation.usage = usage(told) or operation.usage
    searches = payload.as_count(payload.get(told, "billed_units", "search_units"))
    if searches is not None:
        operation.extra[semconv.OBS_USAGE_SEARCH_UNITS] = searches
