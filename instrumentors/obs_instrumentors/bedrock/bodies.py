"""Bodies of InvokeModel, told apart by their shape: model ids may be names of the agent's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.anthropic import messages as anthropic
from obs_instrumentors.wire.openai import chat, compatible_chat
from obs_instrumentors.wire.token_counts import merge_usage
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import Embedding, Inference, Rerank

from . import answer, converse, plain_body
from .answer import Answer, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import ModelCall

_METRICS = "amazon-bedrock-invocationMetrics"
_METRIC_COUNTS = ("inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
_CONVERSE_FIELDS = frozenset(
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


def parse_request(body: dict[str, Any], model: str) -> ModelCall:
    """Return the operation that a request means."""
    if "messages" in body:
        return _parse_chat(body)
    if "query" in body and "documents" in body:
        return _parse_rerank(body)
    if "texts" in body or "embeddingConfig" in body or "embed" in model or "normalize" in body:
        return _parse_embedding(body)
    if "taskType" in body or "text_prompts" in body:
        return plain_body.parse_image_request(body)
    return plain_body.parse_request(body)


def read_response(operation: ModelCall, body: dict[str, Any]) -> None:
    """Read a whole answer."""
    if isinstance(operation, Inference):
        _read_inference(operation, body)
        return
    operation.usage = usage_of(body.get("inputTextTokenCount"), None) or operation.usage
    if isinstance(operation, Rerank):
        results = payload.as_list(body.get("results"))
        operation.rank([(result["index"], payload.as_float(result.get("relevance_score"))) for result in results])


def _read_inference(operation: Inference, body: dict[str, Any]) -> None:
    """Read a whole answer by its shape."""
    if isinstance(operation, chat.Chat):
        compatible_chat.read_response(operation, _with_openai_names(body))
    elif isinstance(operation, anthropic.Answer):
        # What the HTTP response's headers told.
        usage = operation.usage
        anthropic.read_response(operation, body)
        operation.usage = operation.usage or usage
    elif isinstance(operation, Answer):
        _read_answer(operation, body, converse.read_response)


def read_chunk(operation: Inference, body: dict[str, Any]) -> None:
    """Read a piece of an answer that streams."""
    if isinstance(operation, chat.Chat):
        compatible_chat.read_chunk(operation, _with_openai_names(body))
    elif isinstance(operation, anthropic.Answer):
        anthropic.read_event(operation, body)
    elif isinstance(operation, Answer):
        _read_answer(operation, body, converse.read_event)
    metrics = body.get(_METRICS)
    if metrics is not None:
        told = usage_of(*(metrics.get(name) for name in _METRIC_COUNTS))
        # The model's own counts tell more.
        operation.usage = merge_usage(told, operation.usage)


def _read_answer(operation: Answer, body: dict[str, Any], read_converse: Callable[[Answer, Any], None]) -> None:
    if operation.name == "image_generation":
        plain_body.read_images(operation, body)
    elif not _CONVERSE_FIELDS.isdisjoint(body):
        read_converse(operation, body)
    else:
        plain_body.read_response(operation, body)


def finish(operation: ModelCall) -> None:
    """Put together what has streamed."""
    if isinstance(operation, chat.Chat):
        compatible_chat.finish(operation)
    elif isinstance(operation, anthropic.Answer):
        if operation.blocks:
            anthropic.finish(operation)
    elif isinstance(operation, Answer):
        answer.finish(operation)


def _parse_chat(body: dict[str, Any]) -> Inference:
    if "anthropic_version" in body:
        return anthropic.parse_request(body)
    if _is_converse(body):
        return converse.parse_request(body)
    return compatible_chat.parse_request(body)


def _is_converse(body: dict[str, Any]) -> bool:
    """Whether messages are in Amazon Nova's format, whose content blocks have no type, and not in OpenAI's."""
    if "inferenceConfig" in body or "schemaVersion" in body:
        return True
    first_message = next(iter(payload.as_list(body["messages"])), None)
    first_block = next(iter(payload.get_list(first_message, "content")), None)
    return isinstance(first_block, dict) and "type" not in first_block


def _parse_embedding(body: dict[str, Any]) -> Embedding:
    # Cohere's names, and Titan's.
    inputs = payload.coalesce(body.get("texts"), body.get("inputs"), body.get("images"))
    dimensions = payload.coalesce(
        body.get("dimensions"),
        body.get("output_dimension"),
        payload.get(body.get("embeddingConfig"), "outputEmbeddingLength"),
    )
    formats = payload.coalesce(body.get("embedding_types"), body.get("embeddingTypes"))
    return Embedding(
        "embeddings",
        dimensions=payload.as_int(dimensions),
        encoding_formats=payload.as_list(formats) or None,
        input_count=len(inputs) if isinstance(inputs, list) else 1,
    )


def _parse_rerank(body: dict[str, Any]) -> Rerank:
    documents = payload.as_list(body.get("documents"))
    operation = Rerank(top_k=payload.as_int(body.get("top_n")), input_count=len(documents))
    if content.wanted():
        operation.query_text = payload.as_text(body.get("query"))
        operation.sent_documents = documents
    return operation


def _with_openai_names(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with OpenAI's names for what Mistral's models call otherwise here."""
    choices = []
    for choice in payload.as_list(body.get("choices")):
        renamed = {"finish_reason": payload.get(choice, "stop_reason"), "delta": payload.get(choice, "message")}
        choices.append({**renamed, **choice})
    return {**body, "choices": choices}
