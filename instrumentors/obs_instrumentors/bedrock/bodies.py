"""Bodies of InvokeModel, told apart by their shape: model ids may be names of the agent's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.anthropic import messages as anthropic
from obs_instrumentors.wire.openai import chat
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import Embedding, Inference, Rerank

from . import answer, converse, plain_body
from .answer import Answer, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import ModelCall

    Reads = tuple[Callable[..., None], Callable[..., None]]

_METRICS = "amazon-bedrock-invocationMetrics"
_COUNTS = ("inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
_CONVERSE = frozenset(
    (
        "output",
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    )
)


def begin(body: dict[str, Any], model: str) -> ModelCall:
    """Return the operation that a request means."""
    if "messages" in body:
        return _chat(body)
    if "query" in body and "documents" in body:
        return _rerank(body)
    if "texts" in body or "embeddingConfig" in body or "embed" in model or "normalize" in body:
        return _embedding(body)
    if "taskType" in body or "text_prompts" in body:
        return plain_body.picture(body)
    return plain_body.begin(body)


def result(operation: ModelCall, body: dict[str, Any]) -> None:
    """Read a whole answer."""
    if isinstance(operation, Inference):
        _reads(operation, body)[0](operation, body)
        return
    operation.usage = counted(body.get("inputTextTokenCount"), None) or operation.usage
    if isinstance(operation, Rerank):
        found = payload.as_list(body.get("results"))
        operation.ranked([(each["index"], payload.as_float(each.get("relevance_score"))) for each in found])


def chunk(operation: Inference, body: dict[str, Any]) -> None:
    """Read a piece of an answer that streams."""
    _reads(operation, body)[1](operation, body)
    metrics = body.get(_METRICS)
    if metrics is not None and operation.usage is None:
        operation.usage = counted(*(metrics.get(name) for name in _COUNTS))


def end(operation: ModelCall) -> None:
    """Put together what has streamed."""
    if isinstance(operation, chat.Chat):
        _CHAT_END(operation)
    elif isinstance(operation, anthropic.Answer):
        if operation.blocks:
            _ANTHROPIC_END(operation)
    elif isinstance(operation, Answer):
        answer.end(operation)


def _chat(body: dict[str, Any]) -> Inference:
    if "anthropic_version" in body:
        return anthropic.ENDPOINT.begin(body)  # type: ignore[return-value] # an endpoint says no more
    first = next(iter(payload.as_list(body["messages"])), None)
    said = next(iter(payload.get_list(first, "content")), None)
    if "inferenceConfig" in body or "schemaVersion" in body or (isinstance(said, dict) and "type" not in said):
        return converse.begin(body)
    operation: chat.Chat = chat.COMPATIBLE.begin(body)  # type: ignore[assignment] # an endpoint says no more
    return operation


def _embedding(body: dict[str, Any]) -> Embedding:
    given = payload.coalesce(body.get("texts"), body.get("inputs"), body.get("images"))
    dimensions = (
        body.get("dimensions"),
        body.get("output_dimension"),
        payload.get(body.get("embeddingConfig"), "outputEmbeddingLength"),
    )
    return Embedding(
        "embeddings",
        dimensions=payload.as_int(payload.coalesce(*dimensions)),
        encoding_formats=payload.as_list(payload.coalesce(body.get("embedding_types"), body.get("embeddingTypes")))
        or None,
        input_count=len(given) if isinstance(given, list) else 1,
    )


def _rerank(body: dict[str, Any]) -> Rerank:
    documents = payload.as_list(body.get("documents"))
    operation = Rerank(top_k=payload.as_int(body.get("top_n")), input_count=len(documents))
    if content.wanted():
        operation.query_text = payload.as_text(body.get("query"))
        operation.given = documents
    return operation


def _reads(operation: Inference, body: dict[str, Any]) -> Reads:
    """Return what reads a whole answer and what reads a piece of one, by its shape."""
    if isinstance(operation, chat.Chat):
        return _openai_result, _openai_chunk
    if isinstance(operation, anthropic.Answer):
        return _anthropic_result, _anthropic_chunk
    if operation.name == "image_generation":
        return plain_body.pictures, plain_body.pictures
    if not _CONVERSE.isdisjoint(body):
        return converse.result, converse.chunk
    return plain_body.result, plain_body.result


def _openai_result(operation: chat.Chat, body: dict[str, Any]) -> None:
    chat.COMPATIBLE.result(operation, _in_openai_words(body))


def _openai_chunk(operation: chat.Chat, body: dict[str, Any]) -> None:
    _CHAT_CHUNK(operation, _in_openai_words(body))


def _anthropic_result(operation: anthropic.Answer, body: dict[str, Any]) -> None:
    told_by_headers = operation.usage
    anthropic.ENDPOINT.result(operation, body)
    operation.usage = operation.usage or told_by_headers


def _anthropic_chunk(operation: anthropic.Answer, body: dict[str, Any]) -> None:
    _ANTHROPIC_CHUNK(operation, body)


def _in_openai_words(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with OpenAI's names for what Mistral's models call otherwise here."""
    choices = [
        {"finish_reason": payload.get(each, "stop_reason"), "delta": payload.get(each, "message"), **each}
        for each in payload.as_list(body.get("choices"))
    ]
    return {**body, "choices": choices}


_CHAT_CHUNK: Any = chat.COMPATIBLE.chunk
_CHAT_END: Any = chat.COMPATIBLE.end
_ANTHROPIC_CHUNK: Any = anthropic.ENDPOINT.chunk
_ANTHROPIC_END: Any = anthropic.ENDPOINT.end
