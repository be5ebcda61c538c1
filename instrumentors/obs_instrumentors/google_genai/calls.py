"""Requests of ``BaseApiClient``: told apart by the end of their path, read from the body as it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import messages, semconv
from obs_run.core.operations import Embedding, ModelCall, Usage
from obs_run.core.outcomes import Reader

from . import answers
from .answers import Answer
from .contents import count, get

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

    Begun = tuple[ModelCall, Reader] | None


@dataclass
class Vectors(Embedding):
    """An embedding."""

    attempts: int = 0


@dataclass
class TokenCount(ModelCall):
    """The question how many tokens contents have."""

    attempts: int = 0


def begin(call: Call) -> Begun:
    """Return the operation that a request means; None where it is no model call."""
    path: str = call.argument(1, "path")
    model, _, method = path.partition("?")[0].rpartition(":")
    operation = _operation(method, call.argument(2, "request_dict"))
    if operation is None:
        return None
    operation.request_model = _model(model)
    operation.provider = "gcp.vertex_ai" if call.instance.vertexai else "gcp.gemini"
    return operation, _WHOLE


def begin_stream(call: Call) -> Begun:
    """Return the operation of a streamed request."""
    begun = begin(call)
    return None if begun is None else (_streaming(begun[0]), _STREAM)


def begin_lazy_stream(call: Call) -> Begun:
    """Return the operation of a streamed request that is made as it is read."""
    begun = begin(call)
    return None if begun is None else (_streaming(begun[0]), _LAZY_STREAM)


def note_request(operation: Operation, call: Call) -> None:
    """Read the request as it goes out, and count how often it does."""
    if not isinstance(operation, (Answer, Vectors, TokenCount)):
        return
    operation.attempts += 1
    if operation.attempts > 1:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = operation.attempts - 1
        return
    sent = call.argument(0, "http_request")
    read_server_address(operation, str(sent.url))
    if isinstance(operation, Answer):
        answers.read_request(operation, sent.data)
    elif isinstance(operation, Vectors):
        _read_texts(operation, sent.data)


def failure(operation: Operation, error: BaseException) -> None:
    """Name the error as Google's APIs do."""
    operation.error_type = payload.get_text(error, "status") or operation.error_type


def _operation(method: str, body: Any) -> Answer | Vectors | TokenCount | None:
    made = _OPERATIONS.get(method)
    if made is not None:
        return made()
    asked = payload.as_list(get(body, "instances"))
    if method != "predict" or not asked:
        return None
    if get(asked[0], "content") is not None:
        return Vectors("embeddings")
    if get(asked[0], "prompt") is None:
        return None
    given = payload.coalesce(get(asked[0], "referenceImages"), get(asked[0], "image"))
    return Answer("image_generation" if given is None else "image_edit", output_type="image")


_OPERATIONS: dict[str, Callable[[], Answer | Vectors | TokenCount]] = {
    "generateContent": partial(Answer, "generate_content"),
    "streamGenerateContent": partial(Answer, "generate_content"),
    "batchEmbedContents": partial(Vectors, "embeddings"),
    "embedContent": partial(Vectors, "embeddings"),
    "countTokens": partial(TokenCount, "count_tokens"),
}


def _streaming(operation: ModelCall) -> ModelCall:
    if isinstance(operation, Answer):
        operation.stream = True
    return operation


def _model(path: str) -> str | None:
    """Return the model's name of a resource path; tuned models and endpoints keep their kind."""
    parent, _, name = path.rpartition("/")
    kind = parent.rpartition("/")[2]
    return payload.as_text(name if kind in ("", "models") else f"{kind}/{name}")


def _read_texts(operation: Vectors, body: Any) -> None:
    asked = payload.as_list(payload.coalesce(get(body, "requests"), get(body, "instances"))) or [body]
    operation.input_count = len(asked)
    operation.dimensions = count(
        payload.coalesce(
            get(asked[0], "outputDimensionality"),
            get(body, "parameters", "outputDimensionality"),
            get(body, "embedContentConfig", "outputDimensionality"),
        )
    )


def _result(operation: ModelCall, returned: Any) -> None:
    response = messages.parsed(payload.get(returned, "body"))
    if isinstance(operation, Answer):
        answers.read(operation, response)
        answers.end(operation)
    elif isinstance(operation, Vectors):
        operation.usage = answers.usage(response) or _counted(response)


def _counted(response: Any) -> Usage | None:
    """Return the tokens that Vertex AI counts for each text."""
    made = payload.as_list(get(response, "predictions"))
    counts = [count(get(each, "embeddings", "statistics", "token_count")) for each in made]
    known = [each for each in counts if each is not None]
    return Usage(input_tokens=sum(known)) if known and len(known) == len(counts) else None


def _chunk(operation: Answer, returned: Any) -> None:
    answers.read(operation, messages.parsed(payload.get(returned, "body")))


_WHOLE = Reader(_result, failure=failure)
_STREAM = Reader(_result, chunk=_chunk, end=answers.end, failure=failure)
_LAZY_STREAM = Reader(_result, chunk=_chunk, end=answers.end, failure=failure, lazy=True)
