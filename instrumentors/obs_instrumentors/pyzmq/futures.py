"""``zmq.asyncio``: calls that give futures, where the message is the agent's when it asks the future for it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.base.steps import Step
from obs_run.core.message_futures import MessageFuture
from obs_run.core.message_steps import ReceivingStep

from . import exchanges, sockets, steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.message_carriers import Sender
    from obs_run.core.outcomes import Call

    from .exchanges import Sending
    from .sockets import ObservedSocket

_EAGAIN = "EAGAIN"


class Received:
    """A message that is received: noted once, and current wherever the agent takes it."""

    def __init__(self, socket: Any, observed: ObservedSocket, *, is_multipart: bool) -> None:
        self._socket = socket
        self._observed = observed
        self._is_multipart = is_multipart
        self._is_noted = False
        self._handled: Any = None
        self.is_handed_on = False
        """Whether another future gives what is made of it."""

    def read(self, received: Any, sender: Sender | None) -> None:
        """Note what was received, and have the agent work on it here."""
        if not self._is_noted:
            self._is_noted = True
            self._note(received, sender)
        if not self.is_handed_on:
            self.read_made(received, sender)

    def read_made(self, _made: Any, _sender: Sender | None) -> None:
        """Have the agent's work here be inside of the message's span, now that it gets what was made of it."""
        if self._handled is not None:
            self._handled.make_current()

    def _note(self, received: Any, sender: Sender | None) -> None:
        observed = self._observed
        if self._is_multipart:
            frames = received
        # To ask the socket itself would have it look for further messages.
        elif vars(self._socket)["_shadow_sock"].getsockopt(sockets.RCVMORE):
            observed.frames_in.append(received)
            return
        else:
            frames, observed.frames_in = [*observed.frames_in, received], []
        self._handled = exchanges.received(self._socket, observed, frames, sender)


class _ReceiveStep(ReceivingStep):
    __slots__ = ("_is_multipart", "_observed", "_socket")

    def __init__(self, socket: Any, observed: ObservedSocket, *, is_multipart: bool) -> None:
        super().__init__()
        self._socket = socket
        self._observed = observed
        self._is_multipart = is_multipart

    def read_future(self, future: Any) -> None:
        """Have the message noted when the agent takes it."""
        future.read = Received(self._socket, self._observed, is_multipart=self._is_multipart).read
        if self._observed.calls:
            future.add_done_callback(partial(guard.call, "message", note_outcome, self._observed))


def note_outcome(observed: ObservedSocket, future: Any) -> None:
    """Note that no answer came as long as the agent waited."""
    if future.cancelled() or exchanges.name_of(payload.get(future, "_exception")) == _EAGAIN:
        observed.timed_out_at = sockets.now()


def begin_receive(call: Call) -> ReceivingStep | None:
    """Begin ``zmq.asyncio.Socket.recv``."""
    return _begin_receive(call, is_multipart=False)


def begin_receive_multipart(call: Call) -> ReceivingStep | None:
    """Begin ``zmq.asyncio.Socket.recv_multipart``."""
    return _begin_receive(call, is_multipart=True)


def _begin_receive(call: Call, *, is_multipart: bool) -> ReceivingStep | None:
    observed = sockets.observed(call.instance)
    if observed is None:
        return None
    exchanges.before_receiving(observed)
    return _ReceiveStep(call.instance, observed, is_multipart=is_multipart)


class _PollStep(Step):
    __slots__ = ("_observed",)

    def __init__(self, observed: list[ObservedSocket]) -> None:
        super().__init__()
        self._observed = observed

    def read_returned(self, returned: Any) -> Any:
        """Have it noted where no answer comes in time."""
        returned.add_done_callback(partial(guard.call, "message", note_polled, self._observed))
        return returned


def begin_poll(call: Call) -> Step | None:
    """Begin ``zmq.asyncio.Poller.poll``."""
    waiting = steps.waiting_for_answers(call)
    return _PollStep(waiting) if waiting and call.argument(0, "timeout") else None


def note_polled(waiting: list[ObservedSocket], future: Any) -> None:
    """Note that no answer came in time."""
    if future.cancelled() or payload.get(future, "_result") == []:
        for observed in waiting:
            observed.timed_out_at = sockets.now()


class _DeserializeStep(Step):
    __slots__ = ("_received",)

    def __init__(self, received: Received) -> None:
        super().__init__()
        self._received = received

    def read_returned(self, returned: Any) -> Any:
        """Have the agent work on the message when it takes what was made of it."""
        if isinstance(returned, MessageFuture):
            self._received.is_handed_on = True
            returned.read = self._received.read_made
        return returned


def begin_deserialize(call: Call) -> Step | None:
    """Begin what makes, of a future of bytes, one of a text or an object."""
    received = getattr(getattr(call.argument(0, "recvd"), "read", None), "__self__", None)
    return _DeserializeStep(received) if isinstance(received, Received) else None


class _SendStep(Step):
    __slots__ = ("_observed", "_sending")

    def __init__(self, observed: ObservedSocket, sending: Any) -> None:
        super().__init__()
        self._observed = observed
        self._sending = sending

    def read_returned(self, returned: Any) -> Any:
        """Note what becomes of it."""
        if returned.done():
            note_sent(self._observed, self._sending, returned)
        else:
            returned.add_done_callback(partial(guard.call, "message", note_sent, self._observed, self._sending))
        return returned

    def end(self, error: BaseException) -> None:
        """Note that it could not be sent."""
        exchanges.not_sent(self._sending, error)


def note_sent(observed: ObservedSocket, sending: Sending, future: Any) -> None:
    """Note what became of a message; to ask the future for its exception would say that the agent knows it."""
    error = asyncio.CancelledError() if future.cancelled() else payload.get(future, "_exception")
    if error is None:
        exchanges.sent(observed, sending)
    else:
        exchanges.not_sent(sending, error)


def begin_send(call: Call) -> Step | None:
    """Begin ``zmq.asyncio.Socket.send``."""
    observed = sockets.observed(call.instance)
    if observed is None:
        return None
    frame = call.argument(0, "data")
    if (call.argument(1, "flags") or 0) & exchanges.SNDMORE:
        observed.frames_out.append(frame)
        return None
    frames, observed.frames_out = [*observed.frames_out, frame], []
    return _begin_send(call, observed, frames, "data", lambda last: last)


def begin_send_multipart(call: Call) -> Step | None:
    """Begin ``zmq.asyncio.Socket.send_multipart``."""
    observed = sockets.observed(call.instance)
    frames = call.argument(0, "msg_parts")
    if observed is None or not isinstance(frames, (list, tuple)) or not frames:
        return None
    return _begin_send(call, observed, list(frames), "msg_parts", lambda last: [*frames[:-1], last])


def _begin_send(
    call: Call, observed: ObservedSocket, frames: list[Any], name: str, with_last: Callable[[bytes], Any]
) -> Step | None:
    sending = exchanges.begin_send(call.instance, observed, frames)
    last = getattr(sending, "last_frame", None)
    if last is not None:
        call.replace(0, name, with_last(last))
    return None if sending is None else _SendStep(observed, sending)
