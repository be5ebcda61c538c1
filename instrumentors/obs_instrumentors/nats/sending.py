"""What a client sends: messages, requests that wait for their answers, and what JetStream is to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import message_carriers, ownership, recorder
from obs_run.core.confirmed_sends import ConfirmedStep
from obs_run.core.operations import MessageCall, MessageOperation, MessageSend
from obs_run.core.outcomes import Reader

from . import answers, connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.base.steps import Step
    from obs_run.core.outcomes import Call

_PUBLISH = "publish"
_MESSAGE_ID = "Nats-Msg-Id"
_ERRORS = {
    "TimeoutError": "timeout",
    "NoRespondersError": "no_responders",
    "NoStreamResponseError": "no_responders",
    "CancelledError": "cancelled",
}
"""What is to be told of the library's exceptions, which have another class where a stream is asked."""
_AROUND_HEADERS = len("NATS/1.0\r\n\r\n")
_AROUND_HEADER = len(": \r\n")


def begin_publish(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``Client.publish``, which sends whatever is sent: also answers, and what is a part of another call."""
    client, subject = call.instance, call.argument(0, "subject")
    if answers.note_answer(subject, call.argument(1, "payload"), call.argument(3, "headers")):
        return None
    if connections.is_internal(client, subject) or _is_within(subject):
        return None
    return (_described(call, MessageSend(name=_PUBLISH), 3), _READER) if connections.may_send(client) else None


def begin_request(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``Client.request``."""
    subject = call.argument(0, "subject")
    if connections.is_internal(call.instance, subject) or _is_within(subject):
        return None
    return _described(call, MessageCall(), 4), _READER


def begin_stored(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``JetStreamContext.publish``, which waits until the message is kept."""
    client = _client_of(call)
    if connections.is_internal(client, call.argument(0, "subject")) or not connections.may_send(client):
        return None
    return _described(call, MessageSend(name=_PUBLISH), 4), _READER


def begin_stored_later(call: Call) -> Step | None:
    """Begin ``JetStreamContext.publish_async``."""
    request = begin_stored(call)
    recording = None if request is None else recorder.start(request[0])
    return None if recording is None else ConfirmedStep(recording, _KEPT)


def read_failure(operation: MessageOperation, error: BaseException) -> None:
    """Read the library's error."""
    operation.error_type = _ERRORS.get(type(error).__name__, operation.error_type)


_READER = Reader(result=answers.read_answer, failure=read_failure)
_KEPT: Reader[Any] = Reader(result=lambda _operation, _returned: None, failure=read_failure)


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Have a message carry the trace, where there is room for it and the server hands it on."""
    client, subject = call.instance, call.argument(0, "subject")
    if not message_carriers.uses_headers() or connections.is_internal(client, subject):
        return
    if not payload.get(client, "_server_info", "headers"):
        return
    headers = call.argument(4, "headers") or {}
    if not all(isinstance(each, str) for header in headers.items() for each in header):
        # The library has its own word for that.
        return
    added = fields({name.lower(): text for name, text in headers.items()})
    if not added:
        return
    with_added = {name: text for name, text in headers.items() if name.lower() not in added} | added
    size = _AROUND_HEADERS + sum(_size(name) + _size(text) + _AROUND_HEADER for name, text in with_added.items())
    # A server closes the connection of a client whose message is too long.
    text = call.argument(2, "payload")
    if isinstance(text, (bytes, bytearray)) and size + len(text) <= client.max_payload:
        call.replace(4, "headers", with_added)


def _size(text: str) -> int:
    return len(text.encode())


def _described(call: Call, operation: MessageOperation, at: int) -> MessageOperation:
    connections.describe(_client_of(call), operation, call.argument(0, "subject"))
    text = call.argument(1, "payload")
    operation.body_size = len(text) if isinstance(text, (bytes, bytearray)) else 0
    headers = call.argument(at, "headers")
    if isinstance(headers, dict):
        operation.message_id = payload.get_text(headers, _MESSAGE_ID)
    return operation


def _client_of(call: Call) -> Any:
    """Return the connection, which a context of JetStream has."""
    return payload.get(call.instance, "_nc") or call.instance


def _is_within(subject: str) -> bool:
    """Whether it is a part of a call that is recorded, of the same message."""
    recording = ownership.current_recording()
    operation = None if recording is None else recording.operation
    return isinstance(operation, (MessageCall, MessageSend)) and operation.destination == subject
