"""Requests of ``BaseApiClient``: told apart by the end of their path, read from the body as it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.google import answers, methods
from obs_instrumentors.wire.google.answers import Answer
from obs_instrumentors.wire.google.methods import EmbeddingCall, TokenCount
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import semconv
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.operations import ModelCall, Operation
    from obs_run.core.outcomes import Call

    Started = tuple[ModelCall, Reader] | None


def start_operation(call: Call) -> Started:
    """Return the operation that a request means; None where it is no model call."""
    path: str = call.argument(1, "path")
    operation = methods.parse_method(path.partition("?")[0], call.argument(2, "request_dict"))
    if operation is None:
        return None
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
    methods.read_request(operation, request.data)


def _read_failure(operation: Operation, error: BaseException) -> None:
    """Read an APIError, whose status is the name that Google's APIs give it."""
    operation.error_type = payload.get_text(error, "status") or operation.error_type


def _as_stream(operation: ModelCall) -> ModelCall:
    if isinstance(operation, Answer):
        operation.stream = True
    return operation


def _read_response(operation: ModelCall, returned: Any) -> None:
    """Read an HttpResponse."""
    methods.read_response(operation, from_json(payload.get(returned, "body")))


def _read_chunk(operation: Answer, returned: Any) -> None:
    answers.read_response(operation, from_json(payload.get(returned, "body")))


_RESPONSE = Reader(_read_response, failure=_read_failure)
_STREAM = Reader(_read_response, chunk=_read_chunk, end=answers.finish, failure=_read_failure)
_LAZY_STREAM = Reader(_read_response, chunk=_read_chunk, end=answers.finish, failure=_read_failure, lazy=True)
