"""Frames of AWS's event streams (application/vnd.amazon.eventstream)."""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from .wire import Json

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_TEXT = 7


def event(kind: str, body: Json) -> bytes:
    """Return the frame of an event."""
    named = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return _frame(named, json.dumps(body).encode())


def chunk(body: Json) -> bytes:
    """Return the frame of an event whose body is a document of its own."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(body).encode()).decode()})


def failure(kind: str, message: str) -> bytes:
    """Return the frame of an error amid a stream."""
    named = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return _frame(named, json.dumps({"message": message}).encode())


def _frame(named: dict[str, str], body: bytes) -> bytes:
    headers = b"".join(
        struct.pack(f"!B{len(name)}sBH{len(value)}s", len(name), name.encode(), _TEXT, len(value), value.encode())
        for name, value in named.items()
    )
    lengths = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    checked = lengths + struct.pack("!I", crc32(lengths)) + headers + body
    return checked + struct.pack("!I", crc32(checked))
