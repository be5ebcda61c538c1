"""The sender's trace within a message that has no headers, where no parser of the message's format sees it.

JSON allows blanks before a closing bracket, and what stands behind the end of a pickle is ignored: so a peer that knows
nothing of this reads the same value, also one that refuses keys that it does not know. What is added takes the same
place in every message, and whoever reads it gives the agent the bytes that were sent.
"""

from __future__ import annotations

import json
import re
import struct
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from opentelemetry.trace import TraceFlags, format_span_id, format_trace_id, get_current_span

from obs_run import settings
from obs_run.context import current_context
from obs_run.context.allowed_hosts import is_allowed

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = [
    "Sender",
    "carried",
    "carried_in_json",
    "is_topic",
    "read",
    "read_json",
    "seconds_since",
    "sender_of",
    "take_out",
    "uses_headers",
    "uses_json",
]

_VERSION = 0xA5
_PACKED = struct.Struct(">BQQQBQ")
_CHECK_SIZE = 4
"""Bytes of a checksum: somebody else may pad what they send with blanks, too."""
_SIZE = _PACKED.size + _CHECK_SIZE
_BITS = _SIZE * 8
_TO_BLANKS = bytes.maketrans(b"01", b" \t")
_FROM_BLANKS = bytes.maketrans(b" \t", b"01")
_BEHIND_PICKLE = b"\x00obs-run"
_LONGEST_CARRIED = 512
_SUFFIX_SIZE = len(_BEHIND_PICKLE) + _SIZE
_ANY_TEXT = "surrogatepass"
_CLOSING = {b"{": b"}", b"[": b"]"}
_LONGEST_CHECKED = 64 * 1024
"""Bytes of what is parsed only to learn that it is JSON."""
_LONGEST_TAIL = 8
_FRAME_HEAD = 11
_FRAMED_PICKLES = (b"\x80\x04\x95", b"\x80\x05\x95")
_LONGEST_TOPIC = 128
_LETTER = re.compile(rb"[A-Za-z]")
_LOOKS_COMPUTED = re.compile(rb"(?i)(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])|[0-9a-f]{8}|[A-Za-z0-9+/=_]{24}")
"""A number, a checksum or a signature: what may have been computed from the bytes that stand beside it."""
_LOW_BITS = (1 << 64) - 1
_NEWEST_SECONDS = 86_400


class Sender(NamedTuple):
    """What a message tells of its sender."""

    trace_id: int
    span_id: int
    flags: int
    sent_at: int
    """Microseconds since 1970."""

    def headers(self) -> dict[str, str]:
        """Return it as W3C's headers have it."""
        return {"traceparent": f"00-{format_trace_id(self.trace_id)}-{format_span_id(self.span_id)}-{self.flags:02x}"}

    def seconds_under_way(self) -> float | None:
        """Return how long the message was under way, None where the two clocks cannot be compared."""
        return seconds_since(self.sent_at)


def seconds_since(sent_at: int) -> float | None:
    """Return how long ago a moment, as microseconds since 1970, was; None where it was taken by another clock."""
    seconds = (time.time_ns() // 1000 - sent_at) / 1e6
    return seconds if 0 <= seconds < _NEWEST_SECONDS else None


def uses_headers() -> bool:
    """Whether messages of brokers carry the trace beside their body."""
    return bool(settings.get("OBS_PROPAGATE_MESSAGES") != "off")


def uses_json() -> bool:
    """Whether messages of brokers, and of connections, carry it within them where there is no place beside."""
    return bool(settings.get("OBS_PROPAGATE_MESSAGES") == "json")


def sender_of(context: Context, host: str | None) -> Sender | None:
    """Return what a message to ``host`` is to tell of its sender; None for nothing."""
    return None if settings.get("OBS_PROPAGATE_ZMQ") == "off" else _sender_in(context, host)


def _sender_in(context: Context, host: str | None) -> Sender | None:
    if "tracecontext" not in settings.get("OTEL_PROPAGATORS"):
        return None
    span = get_current_span(context).get_span_context()
    if not span.is_valid or not is_allowed(host):
        return None
    return Sender(span.trace_id, span.span_id, int(span.trace_flags), time.time_ns() // 1000)


def carried(payload: bytes, sender: Sender, *, is_json: bool = False) -> bytes | None:
    """Return ``payload`` with its sender within; None where it has no place for that. ``is_json`` says that it is."""
    if _is_framed_pickle(payload):
        return payload + _BEHIND_PICKLE + _pack(sender)
    end = _closing_bracket(payload)
    if end is None or not _is_json(payload, is_json=is_json):
        return None
    return payload[:end] + _blanks(sender) + payload[end:]


def carried_in_json(message: Any, host: str | None) -> Any:
    """Return a message to ``host`` over a broker without headers, with who sends it here; None where it has no place.

    It is a JSON object or array, as text or bytes.
    """
    if not uses_json() or not isinstance(message, (str, bytes)):
        return None
    text = message.encode(errors=_ANY_TEXT) if isinstance(message, str) else message
    if text[:_LONGEST_TAIL].lstrip()[:1] not in _CLOSING:
        return None
    sender = _sender_in(current_context.current(), host)
    with_sender = None if sender is None else carried(text, sender)
    return with_sender if with_sender is None or isinstance(message, bytes) else with_sender.decode(errors=_ANY_TEXT)


def read_json(message: Any) -> tuple[Any, Sender | None]:
    """Return what the sender's agent sent as JSON, text or bytes, and who that was where it is told."""
    if isinstance(message, bytes):
        return read(message)
    if not isinstance(message, str) or message[-_LONGEST_TAIL:].rstrip()[-2:-1] not in (" ", "\t"):
        return message, None
    text, sender = read(message.encode(errors=_ANY_TEXT))
    return (message, None) if sender is None else (text.decode(errors=_ANY_TEXT), sender)


def read(payload: bytes) -> tuple[bytes, Sender | None]:
    """Return what the sender's agent sent, and who that was where it is told."""
    if payload[-_SUFFIX_SIZE:-_SIZE] == _BEHIND_PICKLE:
        sender = _unpack(payload[-_SIZE:])
        return (payload, None) if sender is None else (payload[:-_SUFFIX_SIZE], sender)
    end = _closing_bracket(payload)
    if end is None or end <= _BITS or payload[end - 1] not in b" \t":
        return payload, None
    bits = payload[end - _BITS : end].translate(_FROM_BLANKS)
    if bits.strip(b"01"):
        return payload, None
    sender = _unpack(int(bits, 2).to_bytes(_SIZE, "big"))
    return (payload, None) if sender is None else (payload[: end - _BITS] + payload[end:], sender)


def take_out(received: Any) -> tuple[Any, Sender | None]:
    """Return what the agent gets of bytes, of a list of frames or of a frame, as it was sent, and who the sender is.

    A frame is an object of the library's that holds more than its bytes: it stays as it is.
    """
    if type(received) is bytes:
        return read(received)
    if type(received) is list and received:
        received[-1], sender = take_out(received[-1])
        return received, sender
    buffer = getattr(received, "buffer", None)
    if buffer is None:
        return received, None
    return received, read(bytes(buffer[-_LONGEST_CARRIED:]))[1]


def is_topic(frame: bytes) -> bool:
    """Whether what stands before a message is no more than words, and not computed from the message."""
    if len(frame) > _LONGEST_TOPIC or not frame.isascii() or not _LETTER.search(frame):
        return False
    return frame.decode("ascii").isprintable() and not _LOOKS_COMPUTED.search(frame)


def _closing_bracket(payload: bytes) -> int | None:
    """Return where the bracket is that closes what may be JSON."""
    tail = payload[-_LONGEST_TAIL:].rstrip(b" \t\r\n")
    if tail[-1:] not in (b"}", b"]"):
        return None
    return len(payload) - min(len(payload), _LONGEST_TAIL) + len(tail) - 1


def _is_json(payload: bytes, *, is_json: bool) -> bool:
    head = payload[:_LONGEST_TAIL].lstrip()[:1]
    if head in _CLOSING:
        return is_json or _parses(payload)
    begin = payload.find(b"{", 0, _LONGEST_TOPIC)
    if begin < 0 or not is_topic(payload[:begin].rstrip(b" ")):
        return False
    # Whoever splits the text at every blank, or at tabs, would see ours: not where that works without us.
    return b" " in payload[begin:] and _parses(payload[begin:])


def _parses(text: bytes) -> bool:
    if len(text) > _LONGEST_CHECKED:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_framed_pickle(payload: bytes) -> bool:
    """Whether it is a pickle that says of itself how long it is."""
    if payload[:3] not in _FRAMED_PICKLES or payload[-1:] != b".":
        return False
    return int.from_bytes(payload[3:_FRAME_HEAD], "little") == len(payload) - _FRAME_HEAD


def _pack(sender: Sender) -> bytes:
    packed = _PACKED.pack(
        _VERSION,
        sender.trace_id >> 64,
        sender.trace_id & _LOW_BITS,
        sender.span_id,
        sender.flags,
        sender.sent_at,
    )
    return packed + crc32(packed).to_bytes(_CHECK_SIZE, "big")


def _blanks(sender: Sender) -> bytes:
    number = int.from_bytes(_pack(sender), "big")
    return f"{number:0{_BITS}b}".encode("ascii").translate(_TO_BLANKS)


def _unpack(received: bytes) -> Sender | None:
    packed = received[:-_CHECK_SIZE]
    if crc32(packed) != int.from_bytes(received[-_CHECK_SIZE:], "big"):
        return None
    version, high, low, span_id, flags, sent_at = _PACKED.unpack(packed)
    trace_id = high << 64 | low
    if version != _VERSION or not trace_id or not span_id:
        return None
    return Sender(trace_id, span_id, flags & TraceFlags.SAMPLED, sent_at)
