"""What the methods of both versions have in common: who answers, usage, embeddings and reranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import cohere
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Embedding
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Inference, ModelCall


@dataclass(frozen=True)
class Method:
    """A method of the client: from its arguments to an operation, and from what comes back into it."""

    begin: Callable[[dict[str, Any]], ModelCall]
    reader: Reader


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
        read_server_address(operation, payload.get(client, "_client_wrapper").get_base_url())


def finish_reason(told: Any) -> str | None:
    """Return a finish reason in the conventions' words; those that have none stay as told."""
    reason = payload.as_text(told)
    return None if reason is None else _FINISH_REASONS.get(reason, reason.lower())


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what inference requests name otherwise than OpenAI's."""
    operation.top_p = payload.as_float(body.get("p"))
    operation.top_k = payload.as_count(body.get("k"))
    stops = payload.coalesce(*(body.get(name) for name in ("stop_sequences", "end_sequences") if name in body))
    operation.stop_sequences = payload.as_list(stops) or None


def begin_embedding(body: dict[str, Any]) -> Embedding:
    """Return the embedding that a request asks for."""
    kinds = payload.as_list(body.get("embedding_types"))
    given = (payload.as_list(body.get(name)) for name in ("texts", "images", "inputs"))
    return Embedding(
        "embeddings",
        request_model=payload.as_text(body.get("model")),
        dimensions=payload.as_count(body.get("output_dimension")),
        encoding_formats=[str(kind) for kind in kinds] or None,
        input_count=sum(map(len, given)),
    )


def _embedded(operation: Embedding, returned: Any) -> None:
    cohere.read_meta(operation, payload.get(cohere.data_of(returned), "meta"))


def tool_answer(raw: Any) -> list[dict[str, Any]]:
    """Return the texts of a tool's answer; a document's data stands as JSON."""
    return [
        {"text": payload.get_text(each, "text") or content.to_json(payload.get(each, "document", "data"))}
        for each in payload.as_list(raw)
    ]


def system(text: Any) -> list[messages.Part] | None:
    """Return the instructions that a request puts before the conversation."""
    told = payload.as_text(text)
    return None if told is None else [messages.text(told)]


EMBED = Method(begin_embedding, Reader(_embedded))
RERANK = Method(cohere.parse_rerank_request, Reader(cohere.read_rerank_response))
