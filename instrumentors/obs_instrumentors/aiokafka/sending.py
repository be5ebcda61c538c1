"""What a producer sends: messages, each confirmed by the broker, and batches that the agent has filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.base.steps import Step
from obs_run.core import message_carriers, recorder
from obs_run.core.confirmed_sends import ConfirmedStep
from obs_run.core.operations import MessageSend
from obs_run.core.outcomes import Reader
from obs_run.core.peer_calls import fields_for

from . import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import MessageOperation, Operation
    from obs_run.core.outcomes import Call

_HEADERS_SINCE = (0, 11)
_LONGEST_CARRYING = 1_000_000
"""Bytes of key and value: brokers refuse messages that are longer than 1 MiB with all that belongs to them."""

_batches: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()
"""The batches that agents fill, and the host of the broker that they are for."""


def begin_send(call: Call) -> Step | None:
    """Begin ``AIOKafkaProducer.send``, which all ways of sending a single message pass."""
    producer = call.instance
    if not clients.may_send(producer):
        return None
    operation = MessageSend()
    clients.describe(producer, operation, call.argument(0, "topic"))
    return _begin(operation)


def begin_send_batch(call: Call) -> Step | None:
    """Begin ``AIOKafkaProducer.send_batch``."""
    producer, batch = call.instance, call.argument(0, "batch")
    if not clients.may_send(producer):
        return None
    operation = MessageSend()
    clients.describe(producer, operation, call.argument(1, "topic"))
    operation.batch_size = int(batch.record_count())
    partition = payload.as_int(call.kwargs.get("partition"))
    operation.partition_id = None if partition is None else str(partition)
    return _begin(operation)


def _begin(operation: MessageOperation) -> Step | None:
    recording = recorder.start(operation)
    return None if recording is None else ConfirmedStep(recording, _CONFIRMED)


def read_confirmation(operation: MessageOperation, metadata: Any) -> None:
    """Read a ``RecordMetadata``; a producer that waits for no confirmation gets none."""
    partition, offset = payload.get_int(metadata, "partition"), payload.get_int(metadata, "offset")
    if partition is None:
        return
    operation.partition_id = str(partition)
    if operation.batch_size is None and offset is not None and offset >= 0:
        operation.message_id = f"{operation.destination}.{partition}.{offset}"


_CONFIRMED: Reader[Any] = Reader(result=read_confirmation)


def read_serialized(operation: Operation, call: Call) -> None:
    """Read how long a message is, by ``MessageAccumulator.add_message``; one without a value deletes."""
    if isinstance(operation, MessageSend):
        operation.body_size = _size(call.argument(2, "value"))


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Have a message carry the trace, by ``MessageAccumulator.add_message``."""
    since = payload.get(call.instance, "_api_version")
    # Older releases speak to brokers of before headers, too.
    is_too_old = isinstance(since, tuple) and since < _HEADERS_SINCE
    if is_too_old or not message_carriers.uses_headers():
        return
    headers = list(call.argument(5, "headers") or ())
    size = (_size(call.argument(1, "key")) or 0) + (_size(call.argument(2, "value")) or 0)
    added = fields(texts_of(headers)) if size <= _LONGEST_CARRYING else {}
    if added:
        call.replace(5, "headers", _with(headers, added))


def note_batch(call: Call, batch: Any) -> None:
    """Note a batch that the agent is to fill."""
    _batches[batch] = clients.host_of(call.instance)


def begin_append(call: Call) -> Step | None:
    """Have a message of a batch carry the trace of who appends it; the sending of the batch is not known yet."""
    batch = call.instance
    if batch not in _batches or not message_carriers.uses_headers() or payload.get_int(batch, "_magic") in (0, 1):
        return None
    size = (_size(call.kwargs.get("key")) or 0) + (_size(call.kwargs.get("value")) or 0)
    headers = list(call.kwargs.get("headers") or ())
    added = fields_for(_batches[batch], texts_of(headers)) if size <= _LONGEST_CARRYING else {}
    if not added:
        return None
    call.kwargs = {**call.kwargs, "headers": _with(headers, added)}
    return Step()


def texts_of(headers: Any) -> dict[str, str]:
    """Return the headers that are texts, of which there may be several of one name and some without a value."""
    texts = {}
    for name, value in headers:
        if isinstance(name, str) and isinstance(value, (bytes, bytearray)) and value.isascii():
            texts[name.lower()] = value.decode("ascii")
    return texts


def _with(headers: list[Any], added: Mapping[str, str]) -> list[Any]:
    kept = [each for each in headers if str(each[0]).lower() not in added]
    return [*kept, *((name, text.encode()) for name, text in added.items())]


def _size(text: Any) -> int | None:
    return len(text) if isinstance(text, (bytes, bytearray, memoryview)) else None


def note_stop(call: Call) -> None:
    """Note that a producer is stopped."""
    clients.measure_rest(call.instance)
