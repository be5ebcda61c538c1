"""From a call of botocore's client to an operation, and from what it returns back into it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import semconv
from obs_run.core.operations import ModelCall
from obs_run.core.outcomes import Reader

from . import agents, answer, bodies, converse
from .answer import usage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Inference, Operation
    from obs_run.core.outcomes import Call

    from .agents import AgentCall
    from .answer import Answer

    Started = tuple[Operation, Reader]

_MAX_BODY_BYTES = 16 * 2**20
_COUNT_HEADERS = tuple(
    f"x-amzn-bedrock-{name}-token-count" for name in ("input", "output", "cache-read-input", "cache-write-input")
)


def start_operation(call: Call) -> Started:
    """Return the operation that a call means, and how its outcome is read."""
    start = _CALLS[call.argument(0, "operation_name")]
    operation, reader = start(call.argument(1, "api_params") or {})
    operation.provider = "aws.bedrock"
    read_server_address(operation, call.instance.meta.endpoint_url)
    return operation, reader


def _converse(params: dict[str, Any]) -> Started:
    operation = _parse_conversation(params)
    return operation, Reader(partial(_read_response, converse.read_response), failure=_read_failure)


def _converse_stream(params: dict[str, Any]) -> Started:
    operation = _parse_conversation(params)
    operation.stream = True
    return operation, _stream_reader(operation, "stream", converse.read_event, answer.finish)


def _parse_conversation(params: dict[str, Any]) -> Answer:
    operation = converse.parse_request(params)
    operation.request_model = payload.as_text(params.get("modelId"))
    return operation


def _count_tokens(params: dict[str, Any]) -> Started:
    """Return the operation of CountTokens; what is counted is not used."""
    operation = ModelCall("count_tokens", request_model=payload.as_text(params.get("modelId")))
    return operation, Reader(partial(_read_response, _read_nothing), failure=_read_failure)


def _invoke(params: dict[str, Any]) -> Started:
    """Return the operation of InvokeModel, whose body is read when the agent reads it, in pieces as it likes."""
    operation = _parse_invocation(params)
    pieces: list[bytes] = []
    reader = Reader(
        _read_nothing,
        deferred=partial(_stream_of, operation, "body"),
        chunk=partial(_gather, pieces),
        end=partial(_finish_body, pieces),
        failure=_read_failure,
        closed=partial(_read_closed, pieces),
        single_response=True,
    )
    return operation, reader


def _invoke_stream(params: dict[str, Any]) -> Started:
    operation = _parse_invocation(params)
    operation.stream = True  # type: ignore[attr-defined] # only inferences stream
    return operation, _stream_reader(operation, "body", _read_event, bodies.finish)


def _parse_invocation(params: dict[str, Any]) -> ModelCall:
    raw = params.get("body")
    model = str(params.get("modelId"))
    if not isinstance(raw, (bytes, bytearray)):
        # A body may be a file too, which is the client's to read.
        raw = str(raw).encode()
    operation = bodies.parse_request(_parsed(raw), model)
    operation.request_model = model
    guardrail = payload.as_text(params.get("guardrailIdentifier"))
    if guardrail is not None:
        operation.extra[semconv.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    return operation


def _agent_call(agent_call: AgentCall, params: dict[str, Any]) -> Started:
    operation = agent_call.parse_request(params)
    if agent_call.stream_field is None:
        return operation, Reader(partial(_read_response, agent_call.read), failure=_read_failure)
    operation.stream = True  # type: ignore[attr-defined] # only inferences and agents stream
    return operation, _stream_reader(operation, agent_call.stream_field, agent_call.read, agents.finish)


def _stream_reader(
    operation: Operation, name: str, read_event: Callable[..., None], finish: Callable[..., None]
) -> Reader:
    return Reader(
        _read_nothing,
        deferred=partial(_stream_of, operation, name),
        chunk=read_event,
        end=finish,
        failure=_read_failure,
    )


def _stream_of(operation: Operation, name: str, returned: Any) -> Any:
    """Return the stream or body that the agent will read, having read what came before it."""
    _note_retries(operation, returned)
    headers = payload.get(returned, "ResponseMetadata", "HTTPHeaders") or {}
    usage = usage_of(*(_header_count(headers, name) for name in _COUNT_HEADERS))
    if usage is not None:
        operation.usage = usage  # type: ignore[attr-defined] # only model calls have these headers
    return returned.get(name)


def _header_count(headers: dict[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdigit() else None


def _read_response(read: Callable[[Any, Any], None], operation: Operation, returned: Any) -> None:
    _note_retries(operation, returned)
    read(operation, returned)


def _note_retries(operation: Operation, returned: Any) -> None:
    count = payload.get_int(returned, "ResponseMetadata", "RetryAttempts")
    if count:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = count


def _read_failure(operation: Operation, error: BaseException) -> None:
    """Read a ClientError, whose response names it."""
    response = payload.get(error, "response")
    operation.error_type = payload.get_text(response, "Error", "Code") or operation.error_type
    _note_retries(operation, response)


def _gather(pieces: list[bytes], _operation: ModelCall, piece: bytes | list[bytes]) -> None:
    """Keep what the agent has read: bytes, or the lines of ``readlines``."""
    if isinstance(piece, list):
        pieces.extend(piece)
    else:
        pieces.append(piece)


def _read_closed(pieces: list[bytes], _operation: ModelCall, body: Any) -> None:
    """Read what the HTTP response keeps of a body that the agent read without us, as older async clients have it."""
    kept = payload.get(body, "_body")
    if isinstance(kept, bytes):
        pieces.append(kept)


def _finish_body(pieces: list[bytes], operation: ModelCall) -> None:
    if sum(map(len, pieces)) <= _MAX_BODY_BYTES:
        body = _parsed(b"".join(pieces))
        if body:
            bodies.read_response(operation, body)
    pieces.clear()
    bodies.finish(operation)


def _read_event(operation: Inference, event: Any) -> None:
    body = _parsed(payload.get(event, "chunk", "bytes") or b"")
    if body:
        bodies.read_chunk(operation, body)


def _parsed(raw: bytes | bytearray) -> dict[str, Any]:
    body = from_json(raw)
    return body if isinstance(body, dict) else {}


def _read_nothing(_operation: Operation, _returned: Any) -> None:
    """Leave what was returned alone: what is to be read is in a stream or body."""


_CALLS: dict[str, Callable[[dict[str, Any]], Started]] = {
    "Converse": _converse,
    "ConverseStream": _converse_stream,
    "CountTokens": _count_tokens,
    "InvokeModel": _invoke,
    "InvokeModelWithResponseStream": _invoke_stream,
    **{name: partial(_agent_call, agent_call) for name, agent_call in agents.CALLS.items()},
}
