"""What a consumer asks for, one by one or as many as there are, and works on until it asks again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base.steps import Step
from obs_run.core import handled_messages, message_carriers, recorder
from obs_run.core.operations import MessageProcess, MessageReceive

from . import clients
from .sending import texts_of

if TYPE_CHECKING:
    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.operations import MessageOperation
    from obs_run.core.outcomes import Call

_NO_FAILURES = ("CancelledError", "ConsumerStoppedError", "StopAsyncIteration", "TimeoutError")
_SENT_BY_CLIENT = 0

_handled: WeakKeyDictionary[Any, HandledMessage] = WeakKeyDictionary()
"""What was received last by a consumer."""


class _ReceiveStep(Step):
    """The waiting for messages."""

    __slots__ = ("_consumer",)

    def __init__(self, consumer: Any) -> None:
        super().__init__()
        self._consumer = consumer

    def read_returned(self, returned: Any) -> Any:
        """Have the agent work on what came."""
        records = (
            [record for each in returned.values() for record in each] if isinstance(returned, dict) else [returned]
        )
        handled = _received(self._consumer, records) if records else None
        if handled is not None:
            _handled[self._consumer] = handled
            handled.make_current()
        return returned

    def end(self, error: BaseException) -> None:
        """Note where it failed otherwise than that nothing came."""
        if type(error).__name__ in _NO_FAILURES:
            return
        operation = MessageReceive(batch_size=0)
        clients.describe(self._consumer, operation, None)
        recorder.measure(operation, 0, error)


def _received(consumer: Any, records: list[Any]) -> HandledMessage | None:
    topics = {record.topic for record in records}
    topic = records[0].topic if len(topics) == 1 else None
    if not clients.may_receive(consumer, topic or ""):
        return None
    operation = MessageProcess()
    clients.describe(consumer, operation, topic)
    if len(records) > 1:
        operation.batch_size = len(records)
        partitions = {record.partition for record in records}
        operation.partition_id = str(records[0].partition) if topic and len(partitions) == 1 else None
    else:
        read_record(operation, records[0])
    return handled_messages.receive_news(operation, [texts_of(record.headers) for record in records], consumer)


def read_record(operation: MessageOperation, record: Any) -> None:
    """Read a ``ConsumerRecord``; one without a value deletes what is kept for its key."""
    operation.partition_id = str(record.partition)
    operation.message_id = f"{record.topic}.{record.partition}.{record.offset}"
    operation.body_size = max(record.serialized_value_size, 0)
    if record.timestamp_type == _SENT_BY_CLIENT and record.timestamp > 0:
        operation.queue_time = message_carriers.seconds_since(record.timestamp * 1000)


def begin_receive(call: Call) -> Step:
    """Begin ``getone``, by which a loop asks too, or ``getmany``: what came before is worked on no more."""
    _end_handled(call.instance)
    return _ReceiveStep(call.instance)


def note_stop(call: Call) -> None:
    """Note that a consumer is stopped."""
    _end_handled(call.instance)
    clients.measure_rest(call.instance)


def _end_handled(consumer: Any) -> None:
    handled = _handled.pop(consumer, None)
    if handled is not None:
        handled.end()
