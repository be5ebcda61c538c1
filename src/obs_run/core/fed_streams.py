"""Streams of a response that a connection feeds: what comes in is read here as it comes, however the agent reads it.

As in ``followed_bodies`` the one stream gets a class derived from its own. It may have no place for anything of ours:
it keeps what follows it among the callbacks for its end.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import passed_over
from obs_run.core.outcomes import tracker_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.byte_streams import BytesReader
    from obs_run.core.outcomes import OutcomeTracker

    Begin = Callable[[OutcomeTracker, Any], BytesReader | None]
    """Given what reads the outcome and what it is found by, returns what reads the bytes."""

__all__ = ["follow"]


def follow(stream: Any, begin: Begin, pieces: list[bytes], is_left: Callable[[BaseException], bool]) -> Any:
    """Have a stream followed that has ``pieces`` already, and return what the recording is found by.

    ``is_left(error)`` tells whether the stream ends with an error because the agent let go of it.
    """
    follower = _Follower(begin, pieces, is_left)
    stream.on_eof(follower.end_of_stream)
    stream.__class__ = _kind_for(type(stream))  # type: ignore[arg-type] # a class is hashable
    return follower


class _Follower:
    """What follows one stream, and is gone with it."""

    def __init__(self, begin: Begin, pieces: list[bytes], is_left: Callable[[BaseException], bool]) -> None:
        self._begin = begin
        self._pieces = pieces
        self._is_left = is_left
        self._reader: BytesReader | None = None

    def feed(self, piece: bytes) -> None:
        """Read what has come in."""
        reader = self._open()
        if reader is not None:
            reader.pass_on(bytes(piece))

    def end_of_stream(self) -> None:
        """End, because all has come in; the stream calls it."""
        guard.call("finish", self._end, StopIteration())

    def fail(self, error: BaseException) -> None:
        """End with the stream's error."""
        self._end(GeneratorExit() if self._is_left(error) else error)

    def _end(self, error: BaseException) -> None:
        reader = self._open()
        if reader is not None:
            reader.end(error)

    def _open(self) -> BytesReader | None:
        tracker = tracker_of(self)
        if tracker is None:
            return None
        if self._reader is None:
            self._reader = self._begin(tracker, self)
            tracker.start_reading(is_current=False)
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                self.feed(piece)
        return self._reader


def _follower_of(stream: Any) -> _Follower | None:
    for callback in stream._eof_callbacks:  # noqa: SLF001 (what ``on_eof`` adds to)
        owner = getattr(callback, "__self__", None)
        if type(owner) is _Follower:
            return owner
    return None


def _feed(stream: Any, piece: bytes) -> None:
    follower = _follower_of(stream)
    if follower is not None:
        follower.feed(piece)


def _fail(stream: Any, error: BaseException) -> None:
    follower = _follower_of(stream)
    if follower is not None:
        follower.fail(error)


@cache
def _kind_for(kind: Any) -> type:
    @passed_over
    def feed_data(self: Any, data: bytes, *args: Any, **kwargs: Any) -> Any:
        guard.call("chunk", _feed, self, data)
        return kind.feed_data(self, data, *args, **kwargs)

    @passed_over
    def set_exception(self: Any, exc: BaseException, *args: Any, **kwargs: Any) -> Any:
        # The stream forgets its callbacks then.
        guard.call("finish", _fail, self, exc)
        return kind.set_exception(self, exc, *args, **kwargs)

    names = {"__slots__": (), "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    derived: type = type(kind)(
        kind.__name__, (kind,), {**names, "feed_data": feed_data, "set_exception": set_exception}
    )
    return derived
