"""What comes by channels: to handlers, or as the agent asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.base.steps import Step
from obs_run.core import handled_messages, message_carriers
from obs_run.core.operations import MessageProcess
from obs_run.core.outcomes import OutcomeTracker, Reader

from . import clients

if TYPE_CHECKING:
    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.operations import MessageOperation
    from obs_run.core.outcomes import Call

_HANDLERS = {"message": "channels", "pmessage": "patterns", "smessage": "shard_channels"}
"""Where a subscription keeps its handlers, by the kinds of messages."""

_handled: WeakKeyDictionary[Any, HandledMessage] = WeakKeyDictionary()
"""What was received last by a subscription that is asked for its messages."""
_READER: Reader[Any] = Reader(result=lambda _operation, _returned: None)


class _ReceiveStep(Step):
    """A message on its way to the agent that has asked for it."""

    __slots__ = ("_operation", "_sender", "_subscription")

    def __init__(self, subscription: Any, operation: MessageOperation, sender: dict[str, str]) -> None:
        super().__init__()
        self._subscription = subscription
        self._operation = operation
        self._sender = sender

    def read_returned(self, returned: Any) -> Any:
        """Have the agent work on it."""
        handled = handled_messages.receive_news(self._operation, [self._sender], self._subscription)
        if handled is not None:
            _handled[self._subscription] = handled
            handled.make_current()
        return returned


def begin_handling(call: Call) -> Step | None:
    """Begin ``PubSub.handle_message``, which has the answer of the server and calls the handler."""
    response = call.argument(0, "response")
    if not isinstance(response, (list, tuple)):
        return None
    kind = clients.name_of(response[0]) or ""
    if kind not in _HANDLERS:
        return None
    subscription = call.instance
    channel, data = response[-2:]
    data, sender = message_carriers.read_json(data)
    if sender is not None:
        call.replace(0, "response", [*response[:-1], data])
    if clients.is_own_protocol():
        return Step()
    operation = MessageProcess()
    pattern = clients.name_of(response[1]) if kind == "pmessage" else None
    clients.describe(subscription, operation, clients.name_of(channel), pattern)
    operation.body_size = len(data) if isinstance(data, (str, bytes)) else None
    operation.queue_time = None if sender is None else sender.seconds_under_way()
    if not clients.may_receive(subscription, operation.destination_template):
        return Step()
    headers = {} if sender is None else sender.headers()
    # As the library finds it.
    handler = payload.get(subscription, _HANDLERS[kind]).get(response[1])
    if not handler:
        return _ReceiveStep(subscription, operation, headers)
    recording = handled_messages.start_handling(operation, [headers])
    return Step() if recording is None else OutcomeTracker(recording, _READER)


def note_reading(call: Call) -> None:
    """Note that a subscription is asked for the next message, or left: the work on the one before is over."""
    handled = _handled.pop(call.instance, None)
    if handled is not None:
        handled.end()
