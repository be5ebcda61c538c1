"""Peers that know nothing of obs-run, and take every message at its word: ``peers.py ROLE DUTY COUNT ADDRESS...``."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
import sys
from functools import partial
from importlib import import_module
from typing import Any

msgpack: Any = import_module("msgpack")
zmq: Any = import_module("zmq")

KEY = b"a key that both have"
TOPIC = b"event.weather"
WAIT = 60_000
_ALLOWED = {"action", "number"}


def value(number: int) -> dict[str, Any]:
    return {"action": "count", "number": number}


def _json(number: int) -> bytes:
    return json.dumps(value(number)).encode()


def _compact(number: int) -> bytes:
    return json.dumps(value(number), separators=(",", ":")).encode()


def _signature(text: bytes) -> bytes:
    return hmac.new(KEY, text, hashlib.sha256).hexdigest().encode()


ENCODED: dict[str, Any] = {
    "object": lambda number: [_json(number)],
    "compact object": lambda number: [_compact(number)],
    "array": lambda number: [json.dumps([number, "two"]).encode()],
    "text": lambda number: [f"number {number}".encode()],
    "text like an object": lambda number: [b"{{ number %d }}" % number],
    "topic and object in one": lambda number: [TOPIC + b" " + _json(number)],
    "topic and compact object in one": lambda number: [TOPIC + b" " + _compact(number)],
    "topic and object": lambda number: [TOPIC, _json(number)],
    "signed object": lambda number: [_signature(_json(number)), _json(number)],
    "sized object": lambda number: [str(len(_json(number))).encode(), _json(number)],
    "pickle": lambda number: [pickle.dumps(value(number))],
    "msgpack": lambda number: [msgpack.packb(value(number))],
    "frames": lambda number: [b"\x00\x01\x02\x03", b"", b"%d" % number],
}
"""How a message looks on the wire, by its format."""
FORMATS = tuple(ENCODED)


def encoded(number: int) -> list[bytes]:
    """Return a message, each in another format than the one before."""
    frames: list[bytes] = ENCODED[FORMATS[number % len(FORMATS)]](number)
    return frames


def is_taken(frames: list[bytes], number: int) -> bool:
    """Whether a strict reader of the format gets what was meant."""
    kind = FORMATS[number % len(FORMATS)]
    try:
        read = _READERS.get(kind, _exact)(frames)
    except (ValueError, TypeError, EOFError, pickle.UnpicklingError) as error:
        print(kind, frames, error, file=sys.stderr)
        return False
    wanted = _READERS.get(kind, _exact)(encoded(number))
    if read != wanted:
        print(kind, frames, file=sys.stderr)
    return bool(read == wanted)


def _exact(frames: list[bytes]) -> Any:
    return frames


def _object(frames: list[bytes]) -> Any:
    (text,) = frames
    if not (text.startswith(b"{") and text.endswith(b"}")):
        raise ValueError("no object")
    return _known(json.loads(text))


def _known(read: dict[str, Any]) -> Any:
    if set(read) - _ALLOWED:
        raise ValueError("unknown keys")
    return read


def _array(frames: list[bytes]) -> Any:
    (text,) = frames
    number, word = json.loads(text)
    return number, word


def _after_topic(frames: list[bytes]) -> Any:
    (text,) = frames
    topic, rest = text.split(b" ", 1)
    return topic, _known(json.loads(rest))


def _two_words(frames: list[bytes]) -> Any:
    (text,) = frames
    topic, rest = text.split(b" ")
    return topic, _known(json.loads(rest))


def _topic(frames: list[bytes]) -> Any:
    topic, text = frames
    return topic, _known(json.loads(text))


def _signed(frames: list[bytes]) -> Any:
    signature, text = frames
    if not hmac.compare_digest(signature, _signature(text)):
        raise ValueError("wrong signature")
    return _known(json.loads(text))


def _sized(frames: list[bytes]) -> Any:
    size, text = frames
    if int(size) != len(text):
        raise ValueError("wrong size")
    return _known(json.loads(text))


def _pickle(frames: list[bytes]) -> Any:
    (pickled,) = frames
    return pickle.loads(pickled)


def _msgpack(frames: list[bytes]) -> Any:
    (packed,) = frames
    return msgpack.unpackb(packed)


_READERS = {
    "object": _object,
    "compact object": _object,
    "array": _array,
    "topic and object in one": _after_topic,
    "topic and compact object in one": _two_words,
    "topic and object": _topic,
    "signed object": _signed,
    "sized object": _sized,
    "pickle": _pickle,
    "msgpack": _msgpack,
}


def send(socket: Any, frames: list[bytes], *, by_frames: bool = False) -> None:
    """Send a message, in one call or in one for each frame."""
    if not by_frames:
        socket.send_multipart(frames)
        return
    for frame in frames[:-1]:
        socket.send(frame, zmq.SNDMORE)
    socket.send(frames[-1])


def receive(socket: Any, *, by_frames: bool = False) -> list[bytes]:
    """Receive a message, likewise."""
    if not by_frames:
        whole: list[bytes] = socket.recv_multipart()
        return whole
    frames = [socket.recv()]
    while socket.getsockopt(zmq.RCVMORE):
        frames.append(socket.recv())
    return frames


def answer(socket: Any, count: int, route: int = 0, *, by_frames: bool = False) -> int:
    """Send back each request that can be taken; the first ``route`` frames lead back. Return how many could not."""
    broken = 0
    for number in range(count):
        frames = receive(socket, by_frames=by_frames)
        is_good = is_taken(frames[route:], number)
        broken += not is_good
        send(socket, frames if is_good else [*frames[:route], b"broken"], by_frames=by_frames)
    return broken


def ask(socket: Any, count: int, route: int = 0, *, by_frames: bool = False, is_exact: bool = True) -> int:
    """Send requests, and return how many were not answered with what was sent, or with what means the same."""
    broken = 0
    for number in range(count):
        send(socket, [*[b""] * route, *encoded(number)], by_frames=by_frames)
        answered = receive(socket, by_frames=by_frames)
        is_same = answered == [*[b""] * route, *encoded(number)]
        if not (is_same if is_exact else is_taken(answered, number)):
            print(FORMATS[number % len(FORMATS)], answered, file=sys.stderr)
            broken += 1
    return broken


def read(socket: Any, count: int) -> int:
    """Return how many messages could not be taken."""
    return sum(not is_taken(socket.recv_multipart(), number) for number in range(count))


def write(socket: Any, count: int) -> int:
    """Send messages, to somebody who listens."""
    if socket.getsockopt(zmq.TYPE) == zmq.XPUB:
        socket.recv()
    for number in range(count):
        socket.send_multipart(encoded(number))
    return 0


DUTIES: dict[str, Any] = {
    "ask": ask,
    "ask by frames": partial(ask, by_frames=True),
    "ask for what means the same": partial(ask, is_exact=False),
    "ask behind an empty frame": partial(ask, route=1),
    "answer": answer,
    "answer by frames": partial(answer, by_frames=True),
    "answer one of many": partial(answer, route=1),
    "answer one of many behind an empty frame": partial(answer, route=2),
    "read": read,
    "write": write,
}
"""What a peer does with its socket."""


def main(role: str, duty: str, count: int, address: str, report: str) -> None:
    with zmq.Context() as context, context.socket(getattr(zmq, role)) as socket, context.socket(zmq.REQ) as reporting:
        for each in (socket, reporting):
            each.rcvtimeo, each.linger = WAIT, WAIT
            each.sndhwm = each.rcvhwm = 0
        if role == "SUB":
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.connect(address)
        reporting.connect(report)
        reporting.send(b"%d" % DUTIES[duty](socket, count))
        reporting.recv()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
