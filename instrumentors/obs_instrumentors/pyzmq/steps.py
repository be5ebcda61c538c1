"""The calls of ``zmq.Socket`` and ``zmq.Poller``, each as one step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from obs_run.base.steps import Step
from obs_run.core import message_carriers
from obs_run.core.message_steps import ReceivingStep

from . import exchanges, sockets

if TYPE_CHECKING:
    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.message_carriers import Sender
    from obs_run.core.outcomes import Call

    from .exchanges import Sending
    from .sockets import ObservedSocket

_POLLIN = 1
_MONITORED = "inproc://monitor."


class _Within:
    """A call of the agent's, inside of which the library calls functions that are hooked too."""

    __slots__ = ("_flag", "_observed")

    def __init__(self, observed: ObservedSocket, flag: str) -> None:
        self._observed = observed
        self._flag = flag

    def __enter__(self) -> None:
        setattr(self._observed, self._flag, True)

    def __exit__(self, *_: object) -> None:
        setattr(self._observed, self._flag, False)


class _Part(Step):
    """The sending of a frame that others follow."""

    __slots__ = ("_frame", "_observed")

    def __init__(self, observed: ObservedSocket, frame: Any) -> None:
        super().__init__(_Within(observed, "is_sending"))
        self._observed = observed
        self._frame = frame

    def read_returned(self, returned: Any) -> Any:
        """Keep the frame until the last one is sent."""
        self._observed.frames_out.append(self._frame)
        return returned


class SendStep(Step):
    """The sending of a message, or of its last frame."""

    __slots__ = ("_observed", "_sending")

    def __init__(self, observed: ObservedSocket, sending: Sending | HandledMessage | None) -> None:
        super().__init__(_Within(observed, "is_sending"))
        self._observed = observed
        self._sending = sending

    def read_returned(self, returned: Any) -> Any:
        """Note that the message was sent."""
        self._observed.frames_out = []
        if self._sending is not None:
            exchanges.sent(self._observed, self._sending)
        return returned

    def end(self, error: BaseException) -> None:
        """Note that it could not be sent."""
        self._observed.frames_out = []
        if self._sending is not None:
            exchanges.not_sent(self._sending, error)


def begin_send(call: Call) -> Step | None:
    """Begin ``Socket.send``."""
    observed = sockets.observed(call.instance)
    if observed is None or observed.is_sending:
        return None
    frame = call.argument(0, "data")
    if (call.argument(1, "flags") or 0) & exchanges.SNDMORE:
        return _Part(observed, frame)
    sending = exchanges.begin_send(call.instance, observed, [*observed.frames_out, frame])
    last = getattr(sending, "last_frame", None)
    if last is not None:
        call.replace(0, "data", last)
    return SendStep(observed, sending)


def begin_send_multipart(call: Call) -> Step | None:
    """Begin ``Socket.send_multipart``; where what it is given is not the whole message, its frames are looked at."""
    observed = sockets.observed(call.instance)
    frames = call.argument(0, "msg_parts")
    is_whole = isinstance(frames, (list, tuple)) and frames and not (call.argument(1, "flags") or 0) & exchanges.SNDMORE
    if observed is None or observed.is_sending or observed.frames_out or not is_whole:
        return None
    sending = exchanges.begin_send(call.instance, observed, list(frames))
    last = getattr(sending, "last_frame", None)
    if last is not None:
        call.replace(0, "msg_parts", [*frames[:-1], last])
    return SendStep(observed, sending)


def begin_send_json(call: Call) -> Step | None:
    """Begin ``Socket.send_json``: what it sends need not be parsed to know what it is."""
    observed = sockets.observed(call.instance)
    return None if observed is None else Step(_Within(observed, "is_json"))


class ReceiveStep(ReceivingStep):
    """The receiving of a frame."""

    __slots__ = ("_is_waiting", "_observed", "_socket")

    def __init__(self, socket: Any, observed: ObservedSocket, flags: int) -> None:
        super().__init__(_Within(observed, "is_receiving"))
        self._socket = socket
        self._observed = observed
        self._is_waiting = not flags & exchanges.NOBLOCK

    def read_received(self, received: Any, sender: Sender | None) -> None:
        """Keep a frame that others follow; with the last one the message has come."""
        socket, observed = self._socket, self._observed
        if socket.getsockopt(sockets.RCVMORE):
            observed.frames_in.append(received)
            return
        frames, observed.frames_in = [*observed.frames_in, received], []
        self._note(frames, sender)

    def end(self, error: BaseException) -> None:
        """Note that nothing came."""
        exchanges.not_received(self._socket, self._observed, error, is_waiting=self._is_waiting)

    def _note(self, frames: list[Any], sender: Sender | None) -> None:
        """Note that a message has come, and have the agent's work on it be inside of its span."""
        handled = exchanges.received(self._socket, self._observed, frames, sender)
        if handled is not None:
            handled.make_current()


class MultipartStep(ReceiveStep):
    """The receiving of a whole message."""

    __slots__ = ()

    def read_received(self, received: Any, sender: Sender | None) -> None:
        """Note that a message has come."""
        self._note(received, sender)


class IntoStep(ReceiveStep):
    """The receiving of a frame into a buffer of the agent's, which stays as it came."""

    __slots__ = ("_buffer",)

    def __init__(self, socket: Any, observed: ObservedSocket, flags: int, buffer: Any) -> None:
        super().__init__(socket, observed, flags)
        self._buffer = buffer

    def read_received(self, received: Any, sender: Sender | None) -> None:
        """Note what is in the buffer: ``received`` is how many bytes of it."""
        frame, sender = message_carriers.read(bytes(memoryview(self._buffer).cast("B")[:received]))
        super().read_received(frame, sender)


def begin_receive_into(call: Call) -> ReceivingStep | None:
    """Begin ``Socket.recv_into``."""
    observed = sockets.observed(call.instance)
    if observed is None or observed.is_receiving:
        return None
    exchanges.before_receiving(observed)
    return IntoStep(call.instance, observed, call.kwargs.get("flags") or 0, call.argument(0, "buffer"))


def begin_receive(call: Call) -> ReceivingStep | None:
    """Begin ``Socket.recv``."""
    return _begin_receive(call, ReceiveStep)


def begin_receive_multipart(call: Call) -> ReceivingStep | None:
    """Begin ``Socket.recv_multipart``."""
    return _begin_receive(call, MultipartStep)


def _begin_receive(call: Call, kind: type[ReceiveStep]) -> ReceivingStep | None:
    observed = sockets.observed(call.instance)
    if observed is None or observed.is_receiving:
        return None
    if observed.handled is not None:
        exchanges.before_receiving(observed)
    return kind(call.instance, observed, call.argument(0, "flags") or 0)


class PollStep(Step):
    """The waiting for messages."""

    __slots__ = ("_observed",)

    def __init__(self, observed: list[ObservedSocket]) -> None:
        super().__init__()
        self._observed = observed

    def read_returned(self, returned: Any) -> Any:
        """Note that none came in time."""
        if not returned:
            for observed in self._observed:
                observed.timed_out_at = sockets.now()
        return returned


def begin_poll(call: Call) -> Step | None:
    """Begin ``Poller.poll``."""
    waiting = waiting_for_answers(call)
    return PollStep(waiting) if waiting and call.argument(0, "timeout") else None


def waiting_for_answers(call: Call) -> list[ObservedSocket]:
    """Return those of a poller's sockets by which answers are to come; no more is worked on what came by any."""
    waiting = []
    for socket, events in call.instance.sockets:
        observed = sockets.find(socket) if events & _POLLIN else None
        if observed is None:
            continue
        if observed.handled is not None:
            exchanges.before_receiving(observed)
        if observed.calls:
            waiting.append(observed)
    return waiting


def note_bind(call: Call) -> None:
    """Note that a socket was bound."""
    observed = sockets.observed(call.instance)
    if observed is not None:
        observed.has_bound = True


def note_connect(call: Call) -> None:
    """Note that a socket was connected; what libzmq tells of another socket by it is no message of an agent's."""
    address = call.argument(0, "addr")
    if isinstance(address, str) and address.startswith(_MONITORED):
        sockets.leave_alone(call.instance)
    observed = sockets.observed(call.instance)
    if observed is not None:
        observed.has_connected = True


def note_close(call: Call) -> None:
    """Note that a socket is closed."""
    observed = sockets.find(call.instance)
    if observed is None:
        return
    sockets.forget(call.instance)
    # A child process has its parent's sockets, and what goes on by them is the parent's.
    if observed.process == os.getpid():
        exchanges.closed(call.instance, observed)
