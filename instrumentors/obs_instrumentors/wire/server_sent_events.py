"""Server-sent events, from the bytes of a response: what a stream is where nobody has read it into objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obs_run.base.json_text import from_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
"""The end of a line and an empty one; each of them may end as it likes."""
_FIELD = b"data:"


class EventSplitter:
    """Parts bytes, which come in pieces of any size, into events."""

    def __init__(self) -> None:
        self._rest = b""

    def split(self, piece: bytes) -> list[bytes]:
        """Return the events that a piece completes, with the empty line that ends each."""
        self._rest += piece
        events: list[bytes] = []
        start = 0
        for end in _END.finditer(self._rest):
            events.append(self._rest[start : end.end()])
            start = end.end()
        self._rest = self._rest[start:]
        return events

    @property
    def size(self) -> int:
        """How many bytes wait for the end of their event."""
        return len(self._rest)

    def take_rest(self) -> bytes:
        """Return what came after the last whole event."""
        rest, self._rest = self._rest, b""
        return rest


def data_of(event: bytes) -> Any:
    """Return the JSON object that an event carries, None where it carries none."""
    lines = [line[len(_FIELD) :] for line in event.splitlines() if line.startswith(_FIELD)]
    data = from_json(b"\n".join(lines).strip())
    return data if isinstance(data, dict) else None


def all_data(body: bytes) -> Iterator[Any]:
    """Return the JSON objects of all events of a body."""
    splitter = EventSplitter()
    for event in (*splitter.split(body), splitter.take_rest()):
        data = data_of(event)
        if data is not None:
            yield data
