"""What the methods of both versions have in common: who answers, usage, embeddings and reranking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Embedding, Rerank, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Inference, ModelCall


@dataclass(frozen=True)
class Method:
    """A method of the client: from its arguments to an operation, and from what comes back into it."""

    begin: Callable[[dict[str, Any]], ModelCall]
    reader: Reader


@dataclass
class Reranking(Rerank):
    """A reranking, with the documents that were sent; their texts are kept only while content is wanted."""

    sent: list[Any] = field(default_factory=list)


_PORTS = {"http": 80, "https": 443}
_CLOUDS = {"Bedrock": "aws.bedrock", "Sagemaker": "aws.sagemaker", "Oci": "oci"}
"""Clients that send the same calls elsewhere, by the words in their names; their base URL means nothing."""

_FINISH_REASONS = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "content_filter",
}


def place(operation: ModelCall, client: Any) -> None:
    """Say on the operation who answers and where."""
    names = " ".join(parent.__name__ for parent in type(client).__mro__)
    operation.provider = next((cloud for word, cloud in _CLOUDS.items() if word in names), "cohere")
    if operation.provider == "cohere":
        url = urlsplit(payload.field(client, "_client_wrapper").get_base_url())
        operation.server_address, operation.server_port = url.hostname, url.port or _PORTS.get(url.scheme)


def finish_reason(told: Any) -> str | None:
    """Return a finish reason in the conventions' words; those that have none stay as told."""
    reason = payload.text(told)
    return None if reason is None else _FINISH_REASONS.get(reason, reason.lower())


def usage(told: Any) -> Usage | None:
    """Return the tokens that a response reports: billed ones where there are any, as the conventions prefer."""
    billed, counted = payload.field(told, "billed_units"), payload.field(told, "tokens")
    text, image = (payload.count(payload.field(billed, f"{kind}_tokens")) for kind in ("text", "image"))
    parts = [part for part in (text, image) if part is not None]
    given = payload.first(
        payload.count(payload.field(billed, "input_tokens")),
        sum(parts) if parts else None,
        payload.count(payload.field(counted, "input_tokens")),
    )
    cached = payload.count(payload.field(told, "cached_tokens"))
    read = Usage(
        input_tokens=given,
        output_tokens=payload.first(
            payload.count(payload.field(billed, "output_tokens")),
            payload.count(payload.field(counted, "output_tokens")),
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
    searches = payload.count(payload.field(told, "billed_units", "search_units"))
    if searches is not None:
        operation.extra[semconv.OBS_USAGE_SEARCH_UNITS] = searches


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what inference requests name otherwise than OpenAI's."""
    operation.top_p = payload.number(body.get("p"))
    operation.top_k = payload.count(body.get("k"))
    stops = payload.first(*(body.get(name) for name in ("stop_sequences", "end_sequences") if name in body))
    operation.stop_sequences = payload.items(stops) or None


def answer(returned: Any) -> Any:
    """Return the answer itself where the agent asked for the raw response."""
    return returned.data if hasattr(returned, "_response") and hasattr(returned, "data") else returned


def begin_embedding(body: dict[str, Any]) -> Embedding:
    """Return the embedding that a request asks for."""
    kinds = payload.items(body.get("embedding_types"))
    given = (payload.items(body.get(name)) for name in ("texts", "images", "inputs"))
    return Embedding(
        "embeddings",
        request_model=payload.text(body.get("model")),
        dimensions=payload.count(body.get("output_dimension")),
        encoding_formats=[str(kind) for kind in kinds] or None,
        input_count=sum(map(len, given)),
    )


def begin_rerank(body: dict[str, Any]) -> Reranking:
    """Return the reranking that a request asks for."""
    documents = payload.items(body.get("documents"))
    operation = Reranking(request_model=payload.text(body.get("model")), top_k=payload.count(body.get("top_n")))
    operation.input_count = len(documents)
    if content.wanted():
        operation.query_text = payload.text(body.get("query"))
        texts = (each if isinstance(each, str) else payload.field(each, "text") for each in documents)
        operation.sent = [{"content": text} for text in texts]
    return operation


def _embedded(operation: Embedding, returned: Any) -> None:
    read_meta(operation, payload.field(answer(returned), "meta"))


def _reranked(operation: Reranking, returned: Any) -> None:
    response = answer(returned)
    read_meta(operation, payload.field(response, "meta"))
    _rank(operation, payload.items(payload.field(response, "results")))


def _rank(operation: Reranking, results: list[Any]) -> None:
    """Put the documents that were sent in the order of the results."""
    scores = [payload.number(payload.field(each, "relevance_score")) for each in results]
    operation.scores = [score for score in scores if score is not None]
    if content.wanted():
        positions = [payload.whole(payload.field(each, "index")) or 0 for each in results]
        operation.documents = [
            {**operation.sent[position], "id": str(position), "score": score}
            for position, score in zip(positions, scores, strict=True)
        ]


def tool_answer(raw: Any) -> list[dict[str, Any]]:
    """Return the texts of a tool's answer; a document's data stands as JSON."""
    return [
        {"text": payload.text(payload.field(each, "text")) or content.to_json(payload.field(each, "document", "data"))}
        for each in payload.items(raw)
    ]


def system(text: Any) -> list[messages.Part] | None:
    """Return the instructions that a request puts before the conversation."""
    told = payload.text(text)
    return None if told is None else [messages.text(told)]


EMBED = Method(begin_embedding, Reader(_embedded))
RERANK = Method(begin_rerank, Reader(_reranked))
