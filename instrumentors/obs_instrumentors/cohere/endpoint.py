"""What the methods of both versions have in common: who answers, finish reasons, embeddings and reranking."""

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

    parse_request: Callable[[dict[str, Any]], ModelCall]
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


def read_provider(operation: ModelCall, client: Any) -> None:
    """Say on the operation who answers and where."""
    class_names = " ".join(parent.__name__ for parent in type(client).__mro__)
    for word, provider in _CLOUDS.items():
        if word in class_names:
            operation.provider = provider
            return
    operation.provider = "cohere"
    read_server_address(operation, payload.get(client, "_client_wrapper").get_base_url())


def finish_reason(value: Any) -> str | None:
    """Return a finish reason in the conventions' words; those that have none stay as they are."""
    reason = payload.as_text(value)
    if reason is None:
        return None
    return _FINISH_REASONS.get(reason, reason.lower())


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what inference requests name otherwise than OpenAI's."""
    operation.top_p = payload.as_float(body.get("p"))
    operation.top_k = payload.as_count(body.get("k"))
    # Only the older endpoint has end sequences; arguments that were not given are objects of the client's own.
    stops = [body[name] for name in ("stop_sequences", "end_sequences") if name in body]
    operation.stop_sequences = payload.as_list(payload.coalesce(*stops)) or None


def tool_result_texts(raw: Any) -> list[dict[str, Any]]:
    """Return a tool's result as OpenAI's parts of text; a document's data stands as JSON."""
    parts = []
    for item in payload.as_list(raw):
        text = payload.get_text(item, "text") or content.to_json(payload.get(item, "document", "data"))
        parts.append({"text": text})
    return parts


def system_instructions(text: Any) -> list[messages.Part] | None:
    """Return the instructions that a request puts before the conversation."""
    instructions = payload.as_text(text)
    return None if instructions is None else [messages.text(instructions)]


def _parse_embedding_request(body: dict[str, Any]) -> Embedding:
    formats = [str(kind) for kind in payload.as_list(body.get("embedding_types"))]
    inputs = [payload.as_list(body.get(name)) for name in ("texts", "images", "inputs")]
    return Embedding(
        "embeddings",
        request_model=payload.as_text(body.get("model")),
        dimensions=payload.as_count(body.get("output_dimension")),
        encoding_formats=formats or None,
        input_count=sum(map(len, inputs)),
    )


def _read_embedding_response(operation: Embedding, returned: Any) -> None:
    cohere.read_meta(operation, payload.get(cohere.data_of(returned), "meta"))


EMBED = Method(_parse_embedding_request, Reader(_read_embedding_response))
RERANK = Method(cohere.parse_rerank_request, Reader(cohere.read_rerank_response))
