"""The events in the bytes of a streamed response of httpx, beneath all ways to read it.

What we asked a provider for beyond the agent's own request is taken out here. Where the agent reads the bytes itself,
the stream is followed here too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_sent_events import EventSplitter, data_of
from obs_run.base import guard
from obs_run.core import byte_streams

from . import encoded_events

if TYPE_CHECKING:
    from obs_run.core.byte_streams import BytesReader
    from obs_run.core.outcomes import OutcomeTracker

# Once usage is asked for, each chunk before the one that has it has a null.
_NULL = re.compile(rb',\s*"usage"\s*:\s*null')


def is_event_stream(response: Any) -> bool:
    """Whether a response is a stream of events."""
    return "event-stream" in response.headers.get("content-type", "")


def follow(response: Any) -> None:
    """Follow the events of a response that has not been read yet."""
    byte_streams.follow(response, _begin)
    if is_event_stream(response) and encoded_events.is_encoded(response):
        encoded_events.follow(response)


def _begin(tracker: OutcomeTracker, response: Any, is_read_here: bool) -> BytesReader | None:  # noqa: FBT001 (as core calls it)
    """Return what reads the events; None where the client reads them, and nothing is to be taken out."""
    hides = bool(getattr(tracker.recording.operation, "asked_for_usage", False))
    if not is_event_stream(response) or not (is_read_here or hides):
        return None
    reader = EventReader(tracker, reads=is_read_here, hides=hides)
    return encoded_events.begin(response, reader) if encoded_events.is_encoded(response) else reader


class EventReader:
    """The events of one stream; what is passed on is less than what came, where something is to be hidden."""

    def __init__(self, tracker: OutcomeTracker, *, reads: bool, hides: bool) -> None:
        self._tracker = tracker
        self._reads = reads
        self._hides = hides
        self._splitter = EventSplitter()
        self._is_over = False

    def pass_on(self, piece: bytes) -> bytes:
        """Read a piece, and return what the reader gets of it and of what was held back."""
        events = guard.call("chunk", self._splitter.split, piece)
        if events is None:
            # After a fault of ours nothing may be lost.
            return self._splitter.take_rest() + piece if self._hides else piece
        passed = [guard.call("chunk", self._pass_event, event, default=event) for event in events]
        return b"".join(passed) if self._hides else piece

    def _pass_event(self, event: bytes) -> bytes:
        if self._reads or self._may_be_synthetic(event):
            data = data_of(event)
            if data is not None and self._is_hidden(data):
                return b""
        return _NULL.sub(b"", event) if self._hides else event

    @staticmethod
    def _may_be_synthetic(event: bytes) -> bool:
        return b'"usage"' in event and _NULL.search(event) is None

    def _is_hidden(self, data: Any) -> bool:
        if self._reads:
            return self._tracker.hides(data)
        reader, operation = self._tracker.reader, self._tracker.recording.operation
        if reader.is_synthetic is None or not reader.is_synthetic(operation, data):
            return False
        if reader.chunk is not None:
            guard.call("chunk", reader.chunk, operation, data)
        return True

    def end(self, error: BaseException) -> bytes:
        """End as the library's bytes do; return what was held back."""
        if self._is_over:
            return b""
        self._is_over = True
        rest = self._splitter.take_rest()
        rest = guard.call("chunk", self._pass_event, rest, default=rest)
        if self._reads:
            self._tracker.end(error)
        return rest if self._hides else b""
