"""From a call of botocore's client to an operation, and from what it returns back into it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import messages, semconv
from obs_run.core.outcomes import Reader

from . import agents, answer, bodies, converse
from .answer import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Inference, ModelCall, Operation
    from obs_run.core.outcomes import Call

    Begun = tuple[Operation, Reader]

_LONGEST_BODY = 16 * 2**20
_HEADERS = tuple(
    f"x-amzn-bedrock-{name}-token-count" for name in ("input", "output", "cache-read-input", "cache-write-input")
)


def begin(call: Call) -> Begun:
    """Return the operation that a call means, and how its outcome is read."""
    made = _CALLS[call.argument(0, "operation_name")]
    operation, reader = made(call.argument(1, "api_params") or {})
    operation.provider = "aws.bedrock"
    read_server_address(operation, call.instance.meta.endpoint_url)
    return operation, reader


def _converse(params: dict[str, Any]) -> Begun:
    operation = converse.begin(params)
    operation.request_model = payload.as_text(params.get("modelId"))
    return operation, Reader(partial(_told, converse.result), failure=_failure)


def _converse_stream(params: dict[str, Any]) -> Begun:
    operation = converse.begin(params)
    operation.request_model, operation.stream = payload.as_text(params.get("modelId")), True
    return operation, _stream(operation, "stream", converse.chunk, answer.end)


def _invoke(params: dict[str, Any]) -> Begun:
    operation = _asked(params)
    pieces: list[bytes] = []
    reader = Reader(
        _nothing,
        later=partial(_later, operation, "body"),
        chunk=partial(_gather, pieces),
        end=partial(_whole, pieces),
        failure=_failure,
        closed=partial(_closed, pieces),
        whole=True,
    )
    return operation, reader


def _invoke_stream(params: dict[str, Any]) -> Begun:
    operation = _asked(params)
    operation.stream = True  # type: ignore[attr-defined] # only inferences stream
    return operation, _stream(operation, "body", _event, bodies.end)


def _asked(params: dict[str, Any]) -> ModelCall:
    given, model = params.get("body"), str(params.get("modelId"))
    # A body may be a file too, which is the client's to read.
    body = _parsed(given if isinstance(given, (bytes, bytearray)) else str(given).encode())
    operation = bodies.begin(body, model)
    operation.request_model = model
    guardrail = payload.as_text(params.get("guardrailIdentifier"))
    if guardrail is not None:
        operation.extra[semconv.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    return operation


def _agents_call(made: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Begun:
    operation, result, chunk, stream = made(params)
    if stream is None:
        return operation, Reader(partial(_told, result), failure=_failure)
    return operation, _stream(operation, stream, chunk, agents.end)


def _stream(operation: Operation, name: str, chunk: Callable[..., None], end: Callable[..., None]) -> Reader:
    return Reader(_nothing, later=partial(_later, operation, name), chunk=chunk, end=end, failure=_failure)


def _later(operation: Operation, name: str, returned: Any) -> Any:
    """Return the stream or body that the agent will read; what came before it is told already."""
    _note_retries(operation, returned)
    headers = payload.get(returned, "ResponseMetadata", "HTTPHeaders") or {}
    counts = [int(told) if (told := headers.get(name, "")).isdigit() else None for name in _HEADERS]
    usage = counted(*counts)
    if usage is not None:
        operation.usage = usage  # type: ignore[attr-defined] # only model calls have these headers
    return returned.get(name)


def _told(read: Callable[[Any, Any], None], operation: Operation, returned: Any) -> None:
    _note_retries(operation, returned)
    read(operation, returned)


def _note_retries(operation: Operation, returned: Any) -> None:
    count = payload.get_int(returned, "ResponseMetadata", "RetryAttempts")
    if count:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = count


def _failure(operation: Operation, error: BaseException) -> None:
    told = payload.get(error, "response")
    operation.error_type = payload.get_text(told, "Error", "Code") or operation.error_type
    _note_retries(operation, told)


def _gather(pieces: list[bytes], _operation: ModelCall, piece: bytes | list[bytes]) -> None:
    pieces.extend(piece if isinstance(piece, list) else [piece])


def _closed(pieces: list[bytes], _operation: ModelCall, body: Any) -> None:
    """Read what the HTTP response keeps of a body that the agent read without us, as older async clients have it."""
    kept = payload.get(body, "_body")
    if isinstance(kept, bytes):
        pieces.append(kept)


def _whole(pieces: list[bytes], operation: ModelCall) -> None:
    if sum(map(len, pieces)) <= _LONGEST_BODY:
        body = _parsed(b"".join(pieces))
        if body:
            bodies.result(operation, body)
    pieces.clear()
    bodies.end(operation)


def _event(operation: Inference, event: Any) -> None:
    body = _parsed(payload.get(event, "chunk", "bytes") or b"")
    if body:
        bodies.chunk(operation, body)


def _parsed(raw: bytes | bytearray) -> dict[str, Any]:
    body = messages.parsed(raw.decode("utf-8", "replace").lstrip())
    return body if isinstance(body, dict) else {}


def _nothing(_operation: Operation, _returned: Any) -> None:
    """Leave what was returned alone: what is to be read is in a stream or body."""


_CALLS: dict[str, Callable[[dict[str, Any]], Begun]] = {
    "Converse": _converse,
    "ConverseStream": _converse_stream,
    "InvokeModel": _invoke,
    "InvokeModelWithResponseStream": _invoke_stream,
    **{name: partial(_agents_call, made) for name, made in agents.CALLS.items()},
}
