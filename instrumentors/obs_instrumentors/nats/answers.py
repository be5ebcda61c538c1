"""What is said of messages that are worked on: their answers, or that they are to come again or are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from obs_run.base import payload
from obs_run.core.operations import MessageCall, MessageOperation, MessageServerCall

if TYPE_CHECKING:
    from obs_run.core.handled_messages import HandledMessage

_SERVICE_ERROR, _SERVICE_ERROR_CODE = "Nats-Service-Error", "Nats-Service-Error-Code"
_REFUSALS = {
    b"-NAK": ("nak", "the message is to be delivered again"),
    b"+TERM": ("term", "the message is not to be delivered again"),
}
_LONGEST_REFUSAL = 5
_MOST_UNANSWERED = 64

_handled: WeakValueDictionary[str, MessageOperation] = WeakValueDictionary()
"""What is worked on, by the subject that what is said of it is sent to."""
_requests: WeakValueDictionary[str, HandledMessage] = WeakValueDictionary()
"""Those of them that are over when they are answered."""
_unanswered: WeakKeyDictionary[Any, list[HandledMessage]] = WeakKeyDictionary()
"""The same by the subscription that they came by, as long as that is there."""


def expect(subject: str, operation: MessageOperation) -> None:
    """Have what is sent to a subject read as what is said of a message."""
    if subject:
        _handled[subject] = operation


def expect_end(subject: str, request: HandledMessage, subscription: Any) -> None:
    """Have the work on a request be over when its answer is sent to a subject."""
    waiting = [each for each in _unanswered.get(subscription, ()) if not each.recording.is_ended]
    if len(waiting) >= _MOST_UNANSWERED:
        waiting.pop(0).end()
    _unanswered[subscription] = [*waiting, request]
    _requests[subject] = request


def end_unanswered(subscription: Any) -> None:
    """End the work on the requests that came by a subscription, which is left."""
    for request in _unanswered.pop(subscription, ()):
        request.end()


def note_answer(subject: Any, text: Any, headers: Any) -> bool:
    """Note what is said of a message that is worked on; whether it is that, and no message of its own."""
    operation = _handled.get(subject)
    if operation is None:
        return False
    if isinstance(operation, MessageServerCall):
        read_service_error(operation, headers)
        request = _requests.pop(subject, None)
        if request is not None:
            request.end()
        return True
    refusal = _REFUSALS.get(bytes((text or b"")[:_LONGEST_REFUSAL]).partition(b" ")[0])
    if refusal is not None:
        operation.error_type, operation.error_message = refusal
    return True


def read_answer(operation: MessageOperation, answer: Any) -> None:
    """Read the answer to a request."""
    if isinstance(operation, MessageCall):
        read_service_error(operation, payload.get(answer, "headers"))


def read_service_error(operation: MessageOperation, headers: Any) -> None:
    """Read what a service says of its failure in the headers of an answer."""
    if isinstance(headers, dict) and _SERVICE_ERROR_CODE in headers:
        operation.error_type = payload.get_text(headers, _SERVICE_ERROR_CODE)
        operation.error_message = payload.get_text(headers, _SERVICE_ERROR)
