"""The bytes of a streamed HTTP response, on their way to whoever reads them: the library's client, or the agent itself.

An instrumentor gives ``begin``, which makes what reads the bytes, or None where they go on as they are.
"""

from __future__ import annotations

import weakref
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from obs_run.base import guard
from obs_run.core.outcomes import tracker_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from obs_run.core.outcomes import OutcomeTracker

    Begin = Callable[[OutcomeTracker, Any, bool], "BytesReader | None"]
    """Given what reads the outcome, the response, and whether the agent reads the bytes itself."""

__all__ = ["BytesReader", "follow"]

_BASES = ("SyncByteStream", "AsyncByteStream")


class BytesReader(Protocol):
    """Reads the bytes of one response as they pass."""

    def pass_on(self, piece: bytes) -> bytes:
        """Read a piece, and return what is passed on of it and of what was held back."""

    def end(self, error: BaseException) -> bytes:
        """End as the bytes do, and return what was held back."""


def follow(response: Any, begin: Begin) -> None:
    """Stand beneath all who read the bytes of a response of httpx that has not been read yet."""
    kind = _kind_for(type(response.stream))  # type: ignore[arg-type] # a class is hashable
    if kind is not None:
        # The response must not be kept by what it holds: its recording ends when it is gone.
        response.stream = kind(response.stream, weakref.ref(response), begin)


@cache
def _kind_for(stream: type) -> type | None:
    for base in stream.__mro__:
        if base.__name__ in _BASES:
            # The library, which is not imported here, asks for its own class.
            parent = _Bytes if base.__name__ == "SyncByteStream" else _AsyncBytes
            return type(base.__name__, (parent, base), {})
    return None


class _BytesBase:
    def __init__(self, inner: Any, response: weakref.ref[Any], begin: Begin) -> None:
        self._inner = inner
        self._response = response
        self._begin = begin
        self._is_read_here = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _start_reading(self) -> BytesReader | None:
        tracker = tracker_of(self._response())
        if tracker is None:
            return None
        is_read_here = not tracker.is_iterated
        reader = self._begin(tracker, self._response(), is_read_here)
        if reader is not None and is_read_here:
            tracker.start_reading(is_current=False)
            self._is_read_here = True
        return reader

    def _close(self) -> None:
        if self._is_read_here:
            tracker = tracker_of(self._response())
            if tracker is not None:
                tracker.close(self._response())


class _Bytes(_BytesBase):
    def __iter__(self) -> Iterator[bytes]:
        pieces: Iterator[bytes] = iter(self._inner)
        reader = guard.call("stream", self._start_reading)
        if reader is None:
            return pieces
        followed: Iterator[bytes] = guard.call("stream", _Pieces, pieces, reader, default=pieces)
        return followed

    def close(self) -> None:
        guard.call("close", self._close)
        self._inner.close()


class _AsyncBytes(_BytesBase):
    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = self._inner.__aiter__()
        reader = guard.call("stream", self._start_reading)
        if reader is None:
            return pieces
        followed: AsyncIterator[bytes] = guard.call("stream", _AsyncPieces, pieces, reader, default=pieces)
        return followed

    async def aclose(self) -> None:
        guard.call("close", self._close)
        await self._inner.aclose()


class _Pieces:
    def __init__(self, pieces: Iterator[bytes], reader: BytesReader) -> None:
        self._pieces = pieces
        self._reader = reader

    def __iter__(self) -> _Pieces:
        return self

    def __next__(self) -> bytes:
        while True:
            try:
                piece = next(self._pieces)
            except BaseException as error:
                rest = guard.call("finish", self._reader.end, error, default=b"")
                if rest and isinstance(error, StopIteration):
                    return rest
                raise
            passed = guard.call("chunk", self._reader.pass_on, piece, default=piece)
            if passed:
                return passed


class _AsyncPieces:
    def __init__(self, pieces: AsyncIterator[bytes], reader: BytesReader) -> None:
        self._pieces = pieces
        self._reader = reader

    def __aiter__(self) -> _AsyncPieces:
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                piece = await self._pieces.__anext__()
            except BaseException as error:
                rest = guard.call("finish", self._reader.end, error, default=b"")
                if rest and isinstance(error, StopAsyncIteration):
                    return rest
                raise
            passed = guard.call("chunk", self._reader.pass_on, piece, default=piece)
            if passed:
                return passed
