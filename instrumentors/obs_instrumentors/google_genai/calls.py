"""Requests of ``BaseApiClient``: told apart by the end of their path, read from the body as it is sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.google import answers
from obs_instrumentors.wire.google.answers import Answer
from obs_instrumentors.wire.google.contents import get
from obs_instrumentors.wire.server_address import read_server_address
from obs_instrumentors.wire.token_counts import sum_counts
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import semconv
from obs_run.core.late_dataclasses import late_dataclass
from obs_run.core.operations import Embedding, ModelCall, Usage
from obs_run.core.outcomes import Reader

from . import tool_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

    Started = tuple[ModelCall, Reader] | None


@late_dataclass
class EmbeddingCall(Embedding):
    """An embedding."""

    attempts: int = 0


@late_dataclass
class TokenCount(ModelCall):
    """The question how many tokens contents have."""

    attempts: int = 0


def start_operation(call: Call) -> Started:
    """Return the operation that a request means; None where it is no model call."""
    path: str = call.argument(1, "path")
    model, _, method = path.partition("?")[0].rpartition(":")
    body = call.argument(2, "request_dict")
    operation = _operation(method, body)
    if operation is None:
        return None
    if isinstance(operation, Answer):
        tool_turns.read_tools(operation, body)
    operation.request_model = _model_name(model)
    operation.provider = "gcp.vertex_ai" if call.instance.vertexai else "gcp.gemini"
    return operation, _RESPONSE


def start_stream(call: Call) -> Started:
    """Return the operation of a streamed request."""
    started = start_operation(call)
    return None if started is None else (_as_stream(started[0]), _STREAM)


def start_lazy_stream(call: Call) -> Started:
    """Return the operation of a streamed request that is made as it is read."""
    started = start_operation(call)
    return None if started is None else (_as_stream(started[0]), _LAZY_STREAM)


def note_request(operation: Operation, call: Call) -> None:
    """Read the HttpRequest as it goes out, and count how often it does."""
    if not isinstance(operation, (Answer, EmbeddingCall, TokenCount)):
        return
    operation.attempts += 1
    if operation.attempts > 1:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = operation.attempts - 1
        return
    request = call.argument(0, "http_request")
    read_server_address(operation, str(request.url))
    if isinstance(operation, Answer):
        answers.read_request(operation, request.data)
    elif isinstance(operation, EmbeddingCall):
        _read_embedding_request(operation, request.data)


def _read_failure(operation: Operation, error: BaseException) -> None:
    """Read an APIError, whose status is the name that Google's APIs give it."""
    operation.error_type = payload.get_text(error, "status") or operation.error_type


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


def _as_stream(operation: ModelCall) -> ModelCall:
    if isinstance(operation, Answer):
        operation.stream = True
    return operation


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


def _read_response(operation: ModelCall, returned: Any) -> None:
    """Read an HttpResponse; the count of tokens that was asked for is no usage."""
    response = from_json(payload.get(returned, "body"))
    if isinstance(operation, Answer):
        answers.read_response(operation, response)
        answers.finish(operation)
    elif isinstance(operation, EmbeddingCall):
        operation.usage = answers.usage(response) or _usage_of_predictions(response)


def _usage_of_predictions(response: Any) -> Usage | None:
    """Return the tokens that Vertex AI counts for each text, if it does for all."""
    predictions = payload.as_list(get(response, "predictions"))
    counts = [payload.as_count(get(each, "embeddings", "statistics", "token_count")) for each in predictions]
    if not counts or None in counts:
        return None
    return Usage(input_tokens=sum_counts(counts))


def _read_chunk(operation: Answer, returned: Any) -> None:
    answers.read_response(operation, from_json(payload.get(returned, "body")))


_RESPONSE = Reader(_read_response, failure=_read_failure)
_STREAM = Reader(_read_response, chunk=_read_chunk, end=answers.finish, failure=_read_failure)
_LAZY_STREAM = Reader(_read_response, chunk=_read_chunk, end=answers.finish, failure=_read_failure, lazy=True)
