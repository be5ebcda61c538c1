"""Streams of JSON objects in the bytes of a response: server-sent events, and lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_sent_events import EventSplitter, data_of
from obs_run.base.json_text import from_json

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = "events"
LINES = "lines"
_MOST = 8 * 1024 * 1024
"""How many bytes one object may have; what is longer is let go of."""
_DONE = b"[DONE]"
_LAST_TYPES = frozenset({"message_stop", "response.completed", "response.failed", "response.incomplete"})


def kind_of_stream(content_type: str, beginning: bytes) -> str | None:
    """Return what a body is a stream of, by its type and how it begins; None where it is one object or array."""
    kind = content_type.lower()
    if "event-stream" in kind:
        return EVENTS
    if "ndjson" in kind or "jsonl" in kind or "json-seq" in kind:
        return LINES
    # Some servers say nothing of use.
    start = beginning.lstrip()[:6]
    return EVENTS if start.startswith((b"data:", b"event:")) else None


def objects_of(body: bytes, kind: str) -> Iterator[dict[str, Any]]:
    """Return the objects of a whole body."""
    stream = JsonStream(kind)
    yield from stream.split(body)
    yield from stream.take_rest()


class JsonStream:
    """Parts bytes, which come in pieces of any size, into objects."""

    def __init__(self, kind: str) -> None:
        self._splitter: EventSplitter | LineSplitter = EventSplitter() if kind == EVENTS else LineSplitter()
        self._parse = data_of if kind == EVENTS else from_json
        self.is_over = False
        """Whether the stream has said that nothing is to come."""

    def split(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """Yield the objects that a piece completes."""
        for part in self._splitter.split(piece):
            yield from self._objects(part)
        if self._splitter.size > _MOST:
            self._splitter.take_rest()

    def take_rest(self) -> Iterator[dict[str, Any]]:
        """Yield the object that nothing followed."""
        yield from self._objects(self._splitter.take_rest())

    def _objects(self, part: bytes) -> Iterator[dict[str, Any]]:
        if _DONE in part and part.strip().endswith(_DONE):
            self.is_over = True
            return
        found = self._parse(part.strip())
        if isinstance(found, dict):
            if found.get("done") is True or found.get("type") in _LAST_TYPES:
                self.is_over = True
            yield found


class LineSplitter:
    """Parts bytes into lines."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def split(self, piece: bytes) -> list[bytes]:
        """Return the lines that a piece completes."""
        if b"\n" not in piece:
            self._parts.append(piece)
            self.size += len(piece)
            return []
        *lines, rest = (self.take_rest() + piece).split(b"\n")
        self._parts, self.size = [rest], len(rest)
        return lines

    def take_rest(self) -> bytes:
        """Return what came after the last whole line."""
        rest = b"".join(self._parts)
        self._parts, self.size = [], 0
        return rest
