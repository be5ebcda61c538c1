"""What is known of a socket: what it is for, where it leads, and what it is in the middle of."""

from __future__ import annotations

import os
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from obs_run.core import message_carriers, message_rates
from obs_run.core.operations import ReceivedMessages, SentMessages

if TYPE_CHECKING:
    from collections import deque

    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.operations import MessageOperation

_SYSTEM = "zeromq"
_TYPE, _LAST_ENDPOINT, RCVMORE = 16, 32, 13
PUB, SUB, REQ, REP, DEALER, ROUTER, PULL, PUSH, XPUB, XSUB, PAIR = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0
_NAMES = {
    PAIR: "PAIR",
    PUB: "PUB",
    SUB: "SUB",
    REQ: "REQ",
    REP: "REP",
    DEALER: "DEALER",
    ROUTER: "ROUTER",
    PULL: "PULL",
    PUSH: "PUSH",
    XPUB: "XPUB",
    XSUB: "XSUB",
}
_WAITING_FOR_ANSWERS = (REQ, REP)
_METHOD = re.compile(rb'\s*\{\s*"(?:action|type|request_type|command|method)"\s*:\s*"([A-Za-z_][\w.:/-]{0,63})"')
"""What a request asks for, where it says so first."""
_LONGEST_TOPIC = 128
_JUPYTER = b"<IDS|MSG>"


class Place(NamedTuple):
    """Where a socket leads."""

    endpoint: str | None = None
    transport: str | None = None
    address: str | None = None
    port: int | None = None


class ObservedSocket:
    """One socket, as long as it lives."""

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.process = os.getpid()
        self.is_sending = self.is_receiving = False
        """Whether a call of the agent's is inside, whose parts are not looked at."""
        self.is_json = False
        """Whether what is being sent is known to be JSON."""
        self.frames_out: list[Any] = []
        self.frames_in: list[Any] = []
        """Of a message that the agent sends or receives frame by frame."""
        self.is_worker = False
        """Whether it asks, and is sent the requests of others in answer."""
        self.has_connected = self.has_bound = False
        self.handled: HandledMessage | None = None
        """What was received last."""
        self.requests: dict[bytes, deque[HandledMessage]] = {}
        """What was received and not answered, by the frame that leads back to who asked."""
        self.calls: dict[bytes, deque[Any]] = {}
        """What was sent and not answered, by the frame that leads to who is asked."""
        self.timed_out_at: int | None = None
        self._rates = {} if kind in _WAITING_FOR_ANSWERS else {"in": message_rates.Rate(), "out": message_rates.Rate()}

    def has_room(self, socket: Any, *, is_sent: bool) -> bool:
        """Whether a message may have a span; one that is waited for always has."""
        rate = self._rates.get("out" if is_sent else "in")
        return rate is None or rate.has_room(partial(self._counted, socket, is_sent=is_sent))

    def measure_rest(self, socket: Any) -> None:
        """Measure the messages that had no span."""
        for direction, rate in self._rates.items():
            rate.measure(partial(self._counted, socket, is_sent=direction == "out"))

    def _counted(self, socket: Any, *, is_sent: bool) -> MessageOperation:
        operation = SentMessages() if is_sent else ReceivedMessages()
        self.describe(socket, operation, None)
        return operation

    def describe(self, socket: Any, operation: MessageOperation, frames: list[Any] | None) -> None:
        """Fill in what holds of all messages of the socket, and what is seen of this one."""
        place = _place(socket)
        operation.system = _SYSTEM
        operation.socket_type = _NAMES[self.kind]
        operation.destination_template = operation.destination = place.endpoint
        operation.network_transport = place.transport
        operation.server_address, operation.server_port = place.address, place.port
        if self.has_connected and not self.has_bound and place.address is not None:
            operation.peer_service = place.address if place.port is None else f"{place.address}:{place.port}"
        if frames is not None:
            operation.body_size = sum(size(frame) for frame in frames)
            operation.method = _method_of(frames)
            operation.destination = _topic_of(frames) or place.endpoint


_sockets: WeakKeyDictionary[Any, ObservedSocket | None] = WeakKeyDictionary()
"""Those that the agent uses; None for one that is not observed."""
_UNKNOWN = ObservedSocket(PAIR)


def observed(socket: Any) -> ObservedSocket | None:
    """Return what is known of a socket; None where it is of a kind that is not observed."""
    known = _sockets.get(socket, _UNKNOWN)
    if known is not _UNKNOWN:
        return known
    if socket.closed:
        # It cannot be asked for anything any more, and what the agent asks it for fails.
        return None
    shadow = vars(socket).get("_shadow_sock")
    if shadow is not None:
        # By this one the asynchronous socket does, later, what it was asked for.
        leave_alone(shadow)
    kind = socket.getsockopt(_TYPE)
    _sockets[socket] = ObservedSocket(kind) if kind in _NAMES else None
    return _sockets[socket]


def find(socket: Any) -> ObservedSocket | None:
    """Return what is known of a socket that was used before; a poller may have files too."""
    return _sockets.get(socket) if hasattr(type(socket), "getsockopt") else None


def is_of_jupyter(frames: list[Any]) -> bool:
    """Whether a message is one of Jupyter's kernels, which are no agent's."""
    # Not by the list, which asks each frame: arrays answer with arrays.
    return any(type(frame) is bytes and frame == _JUPYTER for frame in frames)


def can_be_sent(frames: list[Any]) -> bool:
    """Whether all frames are bytes of some kind; the library refuses others."""
    return all(type(frame) is bytes or _is_buffer(frame) for frame in frames)


def _is_buffer(frame: Any) -> bool:
    return not isinstance(frame, str) and (hasattr(frame, "nbytes") or hasattr(frame, "__len__"))


def leave_alone(socket: Any) -> None:
    """Have a socket not be observed."""
    _sockets[socket] = None


def forget(socket: Any) -> None:
    """Forget a socket, which is closed."""
    _sockets.pop(socket, None)


def now() -> int:
    """Return this moment as recordings have it."""
    return time.perf_counter_ns()


def _topic_of(frames: list[Any]) -> str | None:
    """Return what a message that is published begins with."""
    first = frames[0]
    if type(first) is not bytes:
        return None
    topic = first if len(frames) > 1 else first[:_LONGEST_TOPIC].partition(b"{")[0].rstrip(b" :")
    is_alone = len(frames) == 1 and len(topic) == len(first)
    return topic.decode() if not is_alone and message_carriers.is_topic(topic) else None


def _method_of(frames: list[Any]) -> str | None:
    """Return what a request asks for, None where it does not say so first."""
    last = frames[-1]
    found = _METHOD.match(last) if type(last) is bytes else None
    return None if found is None else found[1].decode()


def size(frame: Any) -> int:
    """Return how many bytes a frame has, of whatever kind it is."""
    known_size = getattr(frame, "nbytes", None)
    return len(frame) if known_size is None else int(known_size)


def _place(socket: Any) -> Place:
    endpoint = socket.getsockopt(_LAST_ENDPOINT).rstrip(b"\0").decode(errors="replace")
    if not endpoint:
        return Place()
    transport, _, rest = endpoint.partition("://")
    if transport == "ipc":
        return Place(endpoint, "unix", rest)
    if transport != "tcp":
        return Place(endpoint)
    parts = urlsplit(endpoint)
    return Place(endpoint, transport, parts.hostname, parts.port)
