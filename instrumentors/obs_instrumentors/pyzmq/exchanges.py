"""What becomes of messages: calls that wait for their answers, requests that are to be answered, and the others."""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING, Any

from obs_run.core import handled_messages, message_carriers, recorder
from obs_run.core.operations import MessageCall, MessageProcess, MessageReceive, MessageSend, MessageServerCall

from . import sockets

if TYPE_CHECKING:
    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.message_carriers import Sender

    from .sockets import ObservedSocket

NOBLOCK, SNDMORE = 1, 2
_SENDERS = (sockets.PUB, sockets.PUSH, sockets.PAIR, sockets.XPUB)
_RECEIVERS = (sockets.SUB, sockets.PULL, sockets.PAIR, sockets.XSUB)
_ONLY = b""
"""The route of a socket that has but one."""
_MOST_UNANSWERED = 64
_MOST_ROUTES = 1024
_HAUSNUMERO = 156384712
_OWN_ERRORS = {51: "EFSM", 52: "ENOCOMPATPROTO", 53: "ETERM", 54: "EMTHREAD"}
_ROUTING_ID_SIZE = 5
_LONGEST_TOPIC = 128


class _Unrecorded:
    """A call or request beyond the rate of spans, kept so that its answer is known for one."""

    expects_answer = True
    operation = MessageCall()
    """Of all of them: what is noted there is of no use."""

    def over_at(self, moment: int) -> None:
        """Do nothing."""

    def end(self, error: BaseException | None = None) -> None:
        """Do nothing."""


class Sending:
    """A message on its way out; ``recording`` is open until it is sent, or answered."""

    def __init__(self, recording: Any, *, is_call: bool, route: bytes = _ONLY) -> None:
        self.recording = recording
        self.is_call = is_call
        self.route = route
        self.last_frame: bytes | None = None
        """What is to be sent for the last frame, where that is another."""


def begin_send(socket: Any, observed: ObservedSocket, frames: list[Any]) -> Sending | HandledMessage | None:
    """Begin to record a message that is sent: as a message, a call, or the answer to the request that is returned."""
    kind = observed.kind
    if not sockets.can_be_sent(frames) or sockets.is_of_jupyter(frames):
        return None
    if kind == sockets.REP:
        return observed.handled
    if kind in (sockets.ROUTER, sockets.DEALER):
        route = _bytes(frames[0]) if kind == sockets.ROUTER else _ONLY
        request = _answered(observed, route)
        return _begin(socket, observed, frames, MessageCall(), route) if request is None else request
    if kind == sockets.REQ:
        return _begin(socket, observed, frames, MessageCall(), _ONLY)
    return _begin(socket, observed, frames, MessageSend(), _ONLY) if kind in _SENDERS else None


def _answered(observed: ObservedSocket, route: bytes) -> HandledMessage | None:
    """Return the request that a message to ``route`` answers."""
    waiting = observed.requests.get(route)
    if not waiting:
        return None
    current = handled_messages.here()
    if current is not None and current.expects_answer and current is not observed.handled:
        # What came by another socket is handed on, to a worker that asked for work.
        _take(observed.requests, route).end()
        return None
    return waiting[0]


def _begin(socket: Any, observed: ObservedSocket, frames: list[Any], operation: Any, route: bytes) -> Sending | None:
    recording: Any = None
    if observed.has_room(socket, is_sent=True):
        observed.describe(socket, operation, frames)
        recording = recorder.start(operation, owner=socket)
    is_call = isinstance(operation, MessageCall)
    if recording is None:
        return Sending(_Unrecorded(), is_call=True, route=route) if is_call else None
    sending = Sending(recording, is_call=is_call, route=route)
    if _may_carry(observed, frames):
        sender = message_carriers.sender_of(recording.context, operation.server_address)
        if sender is not None:
            sending.last_frame = message_carriers.carried(frames[-1], sender, is_json=observed.is_json)
    return sending


def _may_carry(observed: ObservedSocket, frames: list[Any]) -> bool:
    """Whether no other frame may have been computed from the last, as signatures are."""
    if type(frames[-1]) is not bytes:
        return False
    others = frames[1:-1] if observed.kind == sockets.ROUTER else frames[:-1]
    return all(map(_is_harmless, others))


def _is_harmless(frame: Any) -> bool:
    # Arrays are frames too, and may be large.
    if sockets.size(frame) > _LONGEST_TOPIC:
        return False
    text = _bytes(frame)
    is_route = not text or (len(text) == _ROUTING_ID_SIZE and text[0] == 0)
    return is_route or message_carriers.is_topic(text)


def _bytes(frame: Any) -> bytes:
    content: bytes = frame.bytes if hasattr(frame, "bytes") else bytes(frame)
    return content


def sent(observed: ObservedSocket, sending: Sending | HandledMessage) -> None:
    """Note that a message was sent."""
    if not isinstance(sending, Sending):
        _end_request(observed, sending)
    elif not sending.is_call or observed.is_worker:
        sending.recording.end()
        if observed.is_worker and observed.handled is not None:
            _end_request(observed, observed.handled)
    else:
        if observed.kind == sockets.REQ:
            _give_up(observed)
        observed.timed_out_at = None
        for recording in _append(observed.calls, sending.route, (sending.recording, sockets.now())):
            _end_unanswered(observed, *recording)


def not_sent(sending: Sending | HandledMessage, error: BaseException) -> None:
    """Note that a message could not be sent; what is not answered yet can still be."""
    if isinstance(sending, Sending):
        sending.recording.operation.error_type = name_of(error)
        sending.recording.end(error)


def received(socket: Any, observed: ObservedSocket, frames: list[Any], sender: Sender | None) -> HandledMessage | None:
    """Note that a message was received, and return it where the agent is to work on it."""
    kind = observed.kind
    if kind == sockets.XPUB or sockets.is_of_jupyter(frames):
        return None
    route = _bytes(frames[0]) if kind == sockets.ROUTER else _ONLY
    call = _take_answered(observed, route, sender)
    if call is not None:
        call.end()
        return None
    if kind == sockets.REQ:
        call = _take(observed.calls, route)
        if call is not None:
            call[0].end()
        if sender is None:
            return None
        # A worker asks for work by its own request, and gets somebody's.
        observed.is_worker = True
    is_message = kind in _RECEIVERS
    handled: HandledMessage | None = None
    if observed.has_room(socket, is_sent=False):
        operation = MessageProcess() if is_message else MessageServerCall()
        observed.describe(socket, operation, frames)
        operation.queue_time = None if sender is None else sender.seconds_under_way()
        handled = handled_messages.receive(operation, None if sender is None else sender.headers(), socket)
        observed.handled = handled
    if kind in (sockets.ROUTER, sockets.DEALER):
        for request in _append(observed.requests, route, handled or _Unrecorded()):
            request.end()
    return handled


def _take_answered(observed: ObservedSocket, route: bytes, sender: Sender | None) -> Any:
    """Return the call that a message is the answer to: one that is sent back as it was names it, none names another."""
    waiting = observed.calls.get(route)
    if not waiting:
        return None
    if sender is None:
        return _take(observed.calls, route)[0]
    for call in waiting:
        recording = call[0]
        if isinstance(recording, _Unrecorded):
            continue
        told = recording.span.get_span_context()
        # What a worker found out it sends as a request for more work, from within the call.
        is_of_worker = observed.kind == sockets.ROUTER and told.trace_id == sender.trace_id
        if told.span_id == sender.span_id or is_of_worker:
            waiting.remove(call)
            return recording
    return None


def before_receiving(observed: ObservedSocket) -> None:
    """Note that the agent comes for the next message: it works on the last one here no more."""
    handled = observed.handled
    if handled is None:
        return
    if handled.expects_answer:
        handled.leave()
    else:
        observed.handled = None
        handled.end()


def not_received(socket: Any, observed: ObservedSocket, error: BaseException, *, is_waiting: bool) -> None:
    """Note that nothing was received: in time, or at all."""
    name = name_of(error)
    if name == "EAGAIN":
        if is_waiting:
            observed.timed_out_at = sockets.now()
        return
    operation = MessageReceive(error_type=name)
    observed.describe(socket, operation, None)
    recorder.measure(operation, 0, error)


def closed(socket: Any, observed: ObservedSocket) -> None:
    """Note that a socket is closed."""
    if observed.handled is not None:
        observed.handled.end()
    for waiting in observed.requests.values():
        for request in waiting:
            request.end()
    _give_up(observed)
    observed.measure_rest(socket)


def name_of(error: BaseException) -> str | None:
    """Return the name of libzmq's error."""
    number = getattr(error, "errno", None)
    if not isinstance(number, int):
        return None
    return errno.errorcode.get(number) or _OWN_ERRORS.get(number - _HAUSNUMERO)


def _end_request(observed: ObservedSocket, request: HandledMessage) -> None:
    for route, waiting in observed.requests.items():
        if waiting[0] is request:
            _take(observed.requests, route)
            break
    if observed.handled is request:
        observed.handled = None
    request.end()


def _give_up(observed: ObservedSocket) -> None:
    calls, observed.calls = observed.calls, {}
    for waiting in calls.values():
        for recording, sent_at in waiting:
            _end_unanswered(observed, recording, sent_at)


def _end_unanswered(observed: ObservedSocket, recording: Any, sent_at: int) -> None:
    """End a call that nobody waits for any more; one that need not have been meant as such was over when sent."""
    if observed.timed_out_at is not None:
        recording.operation.error_type = "timeout"
        recording.operation.error_message = "no answer came in time"
        recording.over_at(observed.timed_out_at)
    elif observed.kind == sockets.REQ:
        recording.operation.error_type = "unanswered"
        recording.operation.error_message = "the socket was closed or used again before an answer came"
    else:
        recording.over_at(sent_at)
    recording.end()


def _append(queues: dict[bytes, deque[Any]], route: bytes, item: Any) -> list[Any]:
    """Put ``item`` into the queue of a route, and return what is too much."""
    queue = queues.get(route)
    if queue is None:
        queue = queues[route] = deque()
    queue.append(item)
    if len(queue) > _MOST_UNANSWERED:
        return [queue.popleft()]
    if len(queues) > _MOST_ROUTES:
        return list(queues.pop(next(iter(queues))))
    return []


def _take(queues: dict[bytes, deque[Any]], route: bytes) -> Any:
    """Take the first out of the queue of a route; None where there is none."""
    queue = queues.get(route)
    if not queue:
        return None
    item = queue.popleft()
    if not queue:
        queues.pop(route, None)
    return item
