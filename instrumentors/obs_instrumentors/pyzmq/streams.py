"""``ZMQStream``: callbacks of an event loop, which end with the work on a message or leave it to a task."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.base.steps import Step
from obs_run.core.message_steps import QueuedContexts

from . import exchanges, sockets

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_queued: WeakKeyDictionary[Any, QueuedContexts] = WeakKeyDictionary()


class _CallbackStep(Step):
    """A turn of the loop in which a message is received, and its callback called."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def read_returned(self, returned: Any) -> Any:
        """Note that what the loop does next is no work on the message."""
        self._leave()
        return returned

    def end(self, error: BaseException) -> None:  # noqa: ARG002 (the loop's)
        """Note it where the callback fails, too."""
        self._leave()

    def _leave(self) -> None:
        observed = sockets.find(payload.get(self._stream, "socket"))
        if observed is None or observed.handled is None:
            return
        if iscoroutinefunction(payload.get(self._stream, "_recv_callback")):
            observed.handled.leave()
        else:
            exchanges.before_receiving(observed)


def begin_callback(call: Call) -> Step:
    """Begin ``ZMQStream._handle_recv``."""
    return _CallbackStep(call.instance)


def note_queued(call: Call) -> None:
    """Note where a message comes from that ``ZMQStream.send_multipart`` puts into a queue."""
    stream = call.instance
    queued = _queued.get(stream)
    if queued is None:
        queued = _queued[stream] = QueuedContexts()
    if len(queued) != _waiting(stream):
        # Some were sent, or put there, past us.
        queued.clear()
    if not _waiting(stream) or len(queued):
        queued.put()


def begin_queued(call: Call) -> Step | None:
    """Begin ``ZMQStream._handle_send``, which sends the first message of the queue."""
    stream = call.instance
    queued = _queued.get(stream)
    if queued is None or payload.get(stream, "_flushed") or len(queued) != _waiting(stream) or not len(queued):
        return None
    return queued.take()


def _waiting(stream: Any) -> int:
    size: int = stream._send_queue.qsize()  # noqa: SLF001 (there is no public way)
    return size
