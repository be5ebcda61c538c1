"""Methods of Google's API for models: told apart by the end of their path, read from the body as it is sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.token_counts import sum_counts
from obs_run.base import payload
from obs_run.core.operations import Embedding, ModelCall, Usage
from obs_run.core.sparse_dataclasses import sparse_dataclass

from . import answers, tool_turns
from .answers import Answer
from .contents import get

if TYPE_CHECKING:
    from collections.abc import Callable


@sparse_dataclass
class EmbeddingCall(Embedding):
    """An embedding."""

    attempts: int = 0


@sparse_dataclass
class TokenCount(ModelCall):
    """The question how many tokens contents have."""

    attempts: int = 0


def parse_method(path: str, body: Any) -> Answer | EmbeddingCall | TokenCount | None:
    """Return the operation that a path's method means, with its model; None where it is no model call."""
    model, _, method = path.rpartition(":")
    operation = _operation(method, body)
    if operation is None:
        return None
    if isinstance(operation, Answer):
        tool_turns.read_tools(operation, body)
    operation.request_model = _model_name(model)
    return operation


def read_request(operation: ModelCall, body: Any) -> None:
    """Read the body of a request as it is sent."""
    if isinstance(operation, Answer):
        answers.read_request(operation, body)
    elif isinstance(operation, EmbeddingCall):
        _read_embedding_request(operation, body)


def read_response(operation: ModelCall, response: Any) -> None:
    """Read what came back, whole; the count of tokens that was asked for is no usage."""
    if isinstance(operation, Answer):
        answers.read_response(operation, response)
        answers.finish(operation)
    elif isinstance(operation, EmbeddingCall):
        operation.usage = answers.usage(response) or _usage_of_predictions(response)


def _operation(method: str, body: Any) -> Answer | EmbeddingCall | TokenCount | None:
    make = _OPERATIONS.get(method)
    if make is not None:
        return make()
    instances = payload.as_list(get(body, "instances"))
    if method != "predict" or not instances:
        return None
    # Vertex AI has one method for all models but Gemini's: the first instance tells what is asked for.
    first = instances[0]
    if get(first, "content") is not None:
        return EmbeddingCall("embeddings")
    if get(first, "prompt") is None:
        return None
    image = payload.coalesce(get(first, "referenceImages"), get(first, "image"))
    return Answer("image_generation" if image is None else "image_edit", output_type="image")


_OPERATIONS: dict[str, Callable[[], Answer | EmbeddingCall | TokenCount]] = {
    "generateContent": partial(Answer, "generate_content"),
    "streamGenerateContent": partial(Answer, "generate_content"),
    "batchEmbedContents": partial(EmbeddingCall, "embeddings"),
    "embedContent": partial(EmbeddingCall, "embeddings"),
    "countTokens": partial(TokenCount, "count_tokens"),
}


def _model_name(path: str) -> str | None:
    """Return the model's name of a resource path; tuned models and endpoints keep their kind."""
    parent, _, name = path.rpartition("/")
    _, _, kind = parent.rpartition("/")
    if kind not in ("", "models"):
        name = f"{kind}/{name}"
    return payload.as_text(name)


def _read_embedding_request(operation: EmbeddingCall, body: Any) -> None:
    # Gemini's batch has requests, Vertex AI's instances; a single text is the body itself.
    inputs = payload.as_list(payload.coalesce(get(body, "requests"), get(body, "instances"))) or [body]
    operation.input_count = len(inputs)
    dimensions = payload.coalesce(
        get(inputs[0], "outputDimensionality"),
        get(body, "parameters", "outputDimensionality"),
        get(body, "embedContentConfig", "outputDimensionality"),
    )
    operation.dimensions = payload.as_count(dimensions)


def _usage_of_predictions(response: Any) -> Usage | None:
    """Return the tokens that Vertex AI counts for each text, if it does for all."""
    predictions = payload.as_list(get(response, "predictions"))
    counts = [payload.as_count(get(each, "embeddings", "statistics", "token_count")) for each in predictions]
    if not counts or None in counts:
        return None
    return Usage(input_tokens=sum_counts(counts))
