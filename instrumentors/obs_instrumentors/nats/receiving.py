"""What a client receives: by callbacks, one by one, or as many as there are; and what it says of them in answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.base.steps import Step
from obs_run.core import handled_messages, message_carriers, recorder
from obs_run.core.message_handlers import followed_handler
from obs_run.core.operations import MessageOperation, MessageProcess, MessageReceive, MessageServerCall
from obs_run.core.outcomes import Reader

from . import answers, connections

if TYPE_CHECKING:
    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.outcomes import Call

_STATUS = "Status"
_CONSUMER, _DELIVERIES, _KEPT_AT = 1, 2, 5
_TOKENS = 7
"""What stands behind the beginning of an acknowledgement's subject, and how much of it."""
_TOKENS_WITH_DOMAIN = 9
_TIMEOUTS = ("TimeoutError", "FetchTimeoutError", "CancelledError")

_handled: WeakKeyDictionary[Any, HandledMessage] = WeakKeyDictionary()
"""What was received last by a subscription that is asked for its messages."""
_pulled: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
"""The subscriptions by which ``fetch`` gets its messages."""


_READER: Reader[Any] = Reader(result=lambda _operation, _returned: None)


def begin_subscribe(call: Call) -> Step | None:
    """Have the agent's callback work on each message inside of its span."""
    callback = call.argument(2, "cb")
    # The library's own for all answers is one of the client's methods.
    if callback is None or getattr(callback, "__self__", None) is call.instance:
        return None
    client, subject, group = call.instance, call.argument(0, "subject"), call.argument(1, "queue")
    call.replace(2, "cb", followed_handler(callback, partial(_begin_handling, client, subject, group)))
    return Step()


def _begin_handling(client: Any, subject: Any, group: Any, message: Any) -> tuple[Any, Reader, dict[str, str]] | None:
    operation = _operation_of(client, subject, group, message)
    if operation is None:
        return None
    if isinstance(operation, MessageProcess) and not connections.may_receive(client, subject):
        return None
    answers.expect(message.reply, operation)
    return operation, _READER, sender_of(message)


def _operation_of(client: Any, subject: Any, group: Any, message: Any) -> MessageOperation | None:
    """Return what the work on a message is recorded as; None where it is none of the agent's."""
    headers = message.headers
    if connections.is_internal(client, message.subject) or (headers and _STATUS in headers and not message.data):
        return None
    is_kept = message.reply.startswith(connections.ACKNOWLEDGEMENT)
    operation = MessageServerCall() if message.reply and not is_kept else MessageProcess()
    # Messages of a stream come by a subject of the subscriber's own.
    connections.describe(client, operation, message.subject, None if is_kept else subject)
    operation.consumer_group = group or None
    operation.body_size = len(message.data)
    if is_kept:
        _read_delivery(operation, message.reply)
    return operation


def _read_delivery(operation: MessageOperation, reply: str) -> None:
    """Read what JetStream tells of a message."""
    tokens = reply.split(".")[2:]
    if len(tokens) >= _TOKENS_WITH_DOMAIN:
        tokens = tokens[2:]
    if len(tokens) < _TOKENS:
        return
    operation.consumer_group = operation.consumer_group or tokens[_CONSUMER]
    deliveries = int(tokens[_DELIVERIES])
    operation.delivery_count = deliveries if deliveries > 1 else None
    operation.queue_time = message_carriers.seconds_since(int(tokens[_KEPT_AT]) // 1000)


def sender_of(message: Any) -> dict[str, str]:
    """Return what carries the sender's trace; Go's clients write the names of headers otherwise."""
    headers = message.headers
    return {name.lower(): text for name, text in headers.items()} if headers else {}


class _ReceiveStep(Step):
    """The waiting for messages, by a subscription that is asked for them."""

    __slots__ = ("_client", "_subscription")

    def __init__(self, client: Any, subscription: Any) -> None:
        super().__init__()
        self._client = client
        self._subscription = subscription

    def read_returned(self, returned: Any) -> Any:
        """Have the agent work on what came."""
        messages = returned if isinstance(returned, list) else [returned]
        handled = self._received(messages) if messages else None
        if handled is not None:
            _handled[self._subscription] = handled
            handled.make_current()
        return returned

    def end(self, error: BaseException) -> None:
        """Note where it failed otherwise than that nothing came."""
        if isinstance(error, StopAsyncIteration) or type(error).__name__ in _TIMEOUTS:
            return
        operation = MessageReceive(batch_size=0)
        connections.describe(self._client, operation, payload.get_text(self._subscription, "_subject"))
        recorder.measure(operation, 0, error)

    def _received(self, messages: list[Any]) -> HandledMessage | None:
        client, subscription = self._client, self._subscription
        subject, group = payload.get_text(subscription, "_subject"), payload.get_text(subscription, "_queue")
        operation = _operation_of(client, subject, group, messages[0])
        if operation is None:
            return None
        is_request = isinstance(operation, MessageServerCall)
        if not is_request and not connections.may_receive(client, subject):
            return None
        if len(messages) > 1:
            operation.batch_size = len(messages)
            operation.body_size = None
            operation.delivery_count = operation.queue_time = None
        handled = handled_messages.receive_batch(operation, [sender_of(each) for each in messages], subscription)
        if handled is None:
            return None
        for message in messages:
            answers.expect(message.reply, operation)
        if is_request:
            answers.expect_end(messages[0].reply, handled, subscription)
        return handled


def begin_next(call: Call) -> Step | None:
    """Begin ``Subscription.next_msg``, which others call for the agent, too."""
    subscription = call.instance
    # What a stream's subscription is asked for it asks the one within for.
    if payload.get(subscription, "_sub") is not None or subscription in _pulled:
        return None
    return _begin_receiving(subscription)


def begin_iteration(call: Call) -> Step | None:
    """Begin a step of ``async for message in subscription.messages``."""
    return _begin_receiving(payload.get(call.instance, "_sub"))


def begin_fetch(call: Call) -> Step | None:
    """Begin ``PullSubscription.fetch``."""
    subscription = payload.get(call.instance, "_sub")
    if subscription is None:
        return None
    _pulled[subscription] = True
    return _begin_receiving(subscription)


def _begin_receiving(subscription: Any) -> Step:
    _end_handled(subscription)
    return _ReceiveStep(payload.get(subscription, "_conn"), subscription)


def note_stop(call: Call) -> None:
    """Note that a subscription is left; of a stream's it is the one within that messages came by."""
    _stopped(payload.get(call.instance, "_sub") or call.instance)


def note_close(call: Call) -> None:
    """Note that a connection is closed."""
    for subscription in list(payload.get(call.instance, "_subs").values()):
        _stopped(subscription)
    connections.measure_rest(call.instance)


def _stopped(subscription: Any) -> None:
    _end_handled(subscription)
    answers.end_unanswered(subscription)
    connections.measure_rest_of(payload.get(subscription, "_conn"), payload.get_text(subscription, "_subject"))


def _end_handled(subscription: Any) -> None:
    """Have the work on what was received last go on no more here; an answer may still come."""
    handled = _handled.pop(subscription, None)
    if handled is None:
        return
    if handled.expects_answer:
        handled.leave()
    else:
        handled.end()
