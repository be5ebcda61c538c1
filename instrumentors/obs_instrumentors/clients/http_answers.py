"""Answers of models to requests that an agent sends by HTTP itself: read at once, or as the agent reads their bytes."""

from __future__ import annotations

import re
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.failures import UNKNOWN, error_type
from obs_instrumentors.wire.json_streams import LINES, JsonStream, kind_of_stream, objects_of
from obs_run.base import guard, payload
from obs_run.base.json_text import from_json
from obs_run.core import operations
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_instrumentors.clients.transports import Answer, Decode, Transport
    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import OutcomeTracker

_FAILED = 400
_MOST = 32 * 1024 * 1024
"""How many bytes of an answer that comes whole are kept while the agent reads them piece by piece."""
_NUMBERS = re.compile(rb"\[[-+0-9.eE,\s]*\]")


@cache
def reader(transport: Transport, endpoint: Endpoint) -> Reader:
    """Return how an answer of ``endpoint`` is read that comes by ``transport``."""
    return Reader(
        result=partial(_read_result, transport, endpoint),
        deferred=partial(_follow, transport, endpoint),
        chunk=endpoint.read_chunk,
        end=endpoint.finish,
        failure=transport.read_failure,
        closed=_read_closed,
    )


def _follow(transport: Transport, endpoint: Endpoint, response: Any) -> Any:
    """Return what a response's recording is found by while the agent reads it; None where it has been read."""
    answer = transport.read_head(response)
    if answer.body is not None:
        return None
    return transport.follow(response, partial(_begin, transport, endpoint, answer))


def _begin(
    transport: Transport, endpoint: Endpoint, answer: Answer, tracker: OutcomeTracker, response: Any
) -> AnswerReader:
    return AnswerReader(tracker, endpoint, answer, transport.decoder(response))


def _read_closed(operation: Operation, _: Any) -> None:
    """Read what a response says that the agent closed without reading it."""
    if isinstance(operation, operations.Inference):
        operation.stream_end = "abandoned"


def _read_result(transport: Transport, endpoint: Endpoint, operation: Operation, response: Any) -> None:
    read_answer(endpoint, operation, transport.read_head(response))


def read_answer(endpoint: Endpoint, operation: Operation, answer: Answer) -> None:
    """Read an answer whose body is there; where it is not, the status is all that is known."""
    body = answer.body or b""
    if answer.status >= _FAILED:
        _read_error(operation, answer.status, from_json(body))
    elif body:
        kind = kind_of_stream(answer.content_type, body)
        if kind is None:
            _read_whole(endpoint, operation, body)
        else:
            _read_chunks(endpoint, operation, objects_of(body, kind))


def _read_whole(endpoint: Endpoint, operation: Operation, body: bytes) -> None:
    whole = _parsed(operation, body)
    if isinstance(whole, dict):
        endpoint.read_response(operation, whole)
    elif isinstance(whole, list):
        # Gemini streams an array where it is not asked for events.
        _read_chunks(endpoint, operation, whole)
    else:
        _read_chunks(endpoint, operation, objects_of(body, LINES))


def _parsed(operation: Operation, body: bytes) -> Any:
    if isinstance(operation, operations.Embedding):
        # Vectors are most of it, and are not recorded.
        body = _NUMBERS.sub(b"[]", body)
    return from_json(body)


def _read_chunks(endpoint: Endpoint, operation: Operation, chunks: Iterable[Any]) -> None:
    if endpoint.read_chunk is None:
        return
    for chunk in chunks:
        if isinstance(chunk, dict):
            endpoint.read_chunk(operation, chunk)
    if endpoint.finish is not None:
        endpoint.finish(operation)


def _read_error(operation: Operation, status: int, body: Any) -> None:
    """Read the error that a body tells of; the status is its name where it has none."""
    if isinstance(body, list) and body:
        body = body[0]
    fields = body if isinstance(body, dict) else {}
    error = fields.get("error") or fields
    name = error_type(error)
    if name in (None, UNKNOWN, str(status)):
        # Some have the status for a code, and a word beside it.
        name = payload.get_text(error, "status") or payload.get_text(error, "type") or str(status)
    operation.error_type = name
    message = error if isinstance(error, str) else payload.get_text(error, "message")
    operation.error_message = payload.coalesce(message, payload.get_text(fields, "detail"))


class AnswerReader:
    """The bytes of one answer, on their way to the agent."""

    def __init__(self, tracker: OutcomeTracker, endpoint: Endpoint, answer: Answer, decode: Decode | None) -> None:
        self._tracker = tracker
        self._endpoint = endpoint
        self._answer = answer
        self._decode = decode
        self._stream: JsonStream | None = None
        self._is_begun = False
        self._pieces: list[bytes] | None = []
        self._size = 0

    def pass_on(self, piece: bytes) -> bytes:
        """Read a piece; it goes on as it is."""
        if not self._tracker.recording.is_ended:
            guard.call("chunk", self._read, piece)
        return piece

    def end(self, error: BaseException) -> bytes:
        """End as the bytes do; nothing was held back."""
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            guard.call("finish", self._read_rest)
        self._tracker.end(error)
        return b""

    def _read(self, piece: bytes) -> None:
        decoded = piece if self._decode is None else self._decode(piece)
        if not decoded:
            return
        if not self._is_begun:
            self._is_begun = True
            kind = None if self._answer.status >= _FAILED else kind_of_stream(self._answer.content_type, decoded)
            if kind is not None and self._endpoint.read_chunk is not None:
                self._stream = JsonStream(kind)
        if self._stream is None:
            self._keep(decoded)
            return
        for chunk in self._stream.split(decoded):
            self._tracker.hides(chunk)
        if self._stream.is_over:
            # What comes after the last word is nothing, and many agents do not read it.
            self._tracker.end(StopIteration())

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._pieces is not None and self._size <= _MOST:
            self._pieces.append(piece)
        else:
            self._pieces = None

    def _read_rest(self) -> None:
        if self._stream is not None:
            for chunk in self._stream.take_rest():
                self._tracker.hides(chunk)
        elif self._pieces is not None:
            body = b"".join(self._pieces)
            self._pieces = None
            read_answer(self._endpoint, self._tracker.recording.operation, self._answer._replace(body=body))
