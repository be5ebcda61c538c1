"""The bytes of a streamed response of httpx, on their way to whoever reads them: the client, or the agent itself.

What we asked a provider for beyond the agent's own request is taken out here, beneath all ways to read a response.
Where the agent reads the bytes itself, the stream is followed here too.
"""

from __future__ import annotations

import re
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_sent_events import EventSplitter, data_of
from obs_run.base import guard
from obs_run.core.outcomes import tracker_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from obs_run.core.outcomes import OutcomeTracker

_BASES = ("SyncByteStream", "AsyncByteStream")
# Once usage is asked for, each chunk before the one that has it has a null.
_NULL = re.compile(rb',\s*"usage"\s*:\s*null')


def is_event_stream(response: Any) -> bool:
    """Whether a response is a stream of events that is sent as it is, not compressed."""
    headers = response.headers
    if "event-stream" not in headers.get("content-type", ""):
        return False
    return bool(headers.get("content-encoding", "identity") == "identity")


def follow(response: Any) -> None:
    """Stand beneath all who read the bytes of a response that has not been read yet."""
    stream = response.stream
    for base in type(stream).__mro__:
        if base.__name__ in _BASES:
            kind = _kind_of(base)
            # The response must not be kept by what it holds: its recording ends when it is gone.
            response.stream = kind(stream, weakref.ref(response))
            return


@cache
def _kind_of(base: type) -> type:
    parent = _Bytes if base.__name__ == "SyncByteStream" else _AsyncBytes
    return type(parent.__name__, (parent, base), {})


class _BytesBase:
    def __init__(self, inner: Any, response: weakref.ref[Any]) -> None:
        self._inner = inner
        self._response = response
        self._is_read_here = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _tracker(self) -> OutcomeTracker | None:
        return tracker_of(self._response())

    def _start_reading(self) -> _Events | None:
        """Return what reads the events; None where the client reads them, and nothing is to be taken out."""
        tracker = self._tracker()
        if tracker is None:
            return None
        hides = bool(getattr(tracker.recording.operation, "asked_for_usage", False))
        if not tracker.is_iterated:
            self._is_read_here = True
            tracker.start_reading(is_current=False)
            return _Events(tracker, reads=True, hides=hides)
        return _Events(tracker, reads=False, hides=True) if hides else None

    def _close(self) -> None:
        if self._is_read_here:
            tracker = self._tracker()
            if tracker is not None:
                tracker.close(self._response())


class _Bytes(_BytesBase):
    def __iter__(self) -> Iterator[bytes]:
        events = guard.call("stream", self._start_reading)
        pieces = iter(self._inner)
        return pieces if events is None else _Pieces(pieces, events)

    def close(self) -> None:
        guard.call("close", self._close)
        self._inner.close()


class _AsyncBytes(_BytesBase):
    def __aiter__(self) -> AsyncIterator[bytes]:
        events = guard.call("stream", self._start_reading)
        pieces = self._inner.__aiter__()
        return pieces if events is None else _AsyncPieces(pieces, events)

    async def aclose(self) -> None:
        guard.call("close", self._close)
        await self._inner.aclose()


class _Events:
    """The events of one stream; what is passed on is less than what came, where something is to be hidden."""

    def __init__(self, tracker: OutcomeTracker, *, reads: bool, hides: bool) -> None:
        self._tracker = tracker
        self._reads = reads
        self._hides = hides
        self._splitter = EventSplitter()
        self._is_over = False

    def pass_on(self, piece: bytes) -> bytes:
        """Read a piece, and return what the reader gets of it and of what was held back."""
        events = self._splitter.split(piece)
        passed = [event for event in map(self._pass_event, events) if event]
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
        rest = self._pass_event(self._splitter.take_rest())
        if self._reads:
            self._tracker.end(error)
        return rest if self._hides else b""


class _Pieces:
    def __init__(self, pieces: Iterator[bytes], events: _Events) -> None:
        self._pieces = pieces
        self._events = events

    def __iter__(self) -> _Pieces:
        return self

    def __next__(self) -> bytes:
        while True:
            try:
                piece = next(self._pieces)
            except BaseException as error:
                rest = guard.call("finish", self._events.end, error, default=b"")
                if rest and isinstance(error, StopIteration):
                    return rest
                raise
            passed = guard.call("chunk", self._events.pass_on, piece, default=piece)
            if passed:
                return passed


class _AsyncPieces:
    def __init__(self, pieces: AsyncIterator[bytes], events: _Events) -> None:
        self._pieces = pieces
        self._events = events

    def __aiter__(self) -> _AsyncPieces:
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                piece = await self._pieces.__anext__()
            except BaseException as error:
                rest = guard.call("finish", self._events.end, error, default=b"")
                if rest and isinstance(error, StopAsyncIteration):
                    return rest
                raise
            passed = guard.call("chunk", self._events.pass_on, piece, default=piece)
            if passed:
                return passed
