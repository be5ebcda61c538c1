"""Bodies of HTTP responses with many methods to read them: what the agent reads of one is read here too, once.

The one object gets a class derived from its own, which has the same name; no other object of the class costs anything.
"""

from __future__ import annotations

from functools import cache, partial
from sys import is_finalizing
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.base import generators, guard
from obs_run.base.stand_in import hide_frame, passed_over
from obs_run.base.steps import Step
from obs_run.core.outcomes import tracker_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.byte_streams import BytesReader
    from obs_run.core.outcomes import OutcomeTracker

    Begin = Callable[[OutcomeTracker, Any], BytesReader | None]
    """Given what reads the outcome and the body, returns what reads the bytes."""
    Read = Callable[["_Follower", tuple[Any, ...], Any], None]

__all__ = ["Methods", "follow"]

_FOLLOWER = "_obs_run_follower"


class Methods(NamedTuple):
    """The methods of a class of bodies, by what they do with bytes; those that a release has not are passed over.

    ``returning`` return the bytes, and may call one another; ``filling`` write them into their first argument and
    return how many; ``taking`` are given them first of all; ``around`` call such methods; ``generating`` are generator
    methods that do. ``is_over(body)`` tells whether all has been read.
    """

    is_over: Callable[[Any], bool]
    returning: tuple[str, ...] = ()
    filling: tuple[str, ...] = ()
    taking: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    generating: tuple[str, ...] = ()


def follow(body: Any, methods: Methods, begin: Begin) -> bool:
    """Have a body followed that has not been read yet; return whether that can be done."""
    kind = _kind_for(type(body), methods)  # type: ignore[arg-type] # a class is hashable
    if kind is None:
        return False
    vars(body)[_FOLLOWER] = _Follower(methods.is_over, begin)
    body.__class__ = kind
    return True


class _Follower:
    """What follows one body."""

    __slots__ = ("_begin", "_depth", "_is_begun", "_is_over", "_reader", "is_inside")

    def __init__(self, is_over: Callable[[Any], bool], begin: Begin) -> None:
        self._is_over = is_over
        self._begin = begin
        self._is_begun = False
        self._reader: BytesReader | None = None
        self._depth = 0
        self.is_inside = False
        """Whether a method runs that returns bytes, so that those it calls return the same."""

    def __enter__(self) -> None:
        """Begin a step of the library's own reading."""
        self._depth += 1

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        """End the step."""
        self._depth -= 1

    def read(self, body: Any, piece: Any) -> None:
        """Read a piece of the body."""
        reader = self._reader_of(body)
        if reader is not None and piece:
            reader.pass_on(bytes(piece))

    def end_if_over(self, body: Any) -> None:
        """End where nothing is to come any more."""
        if self._is_over(body):
            self.end(body, StopIteration())

    def end(self, body: Any, error: BaseException) -> None:
        """End with what was raised."""
        reader = self._reader_of(body)
        if reader is not None:
            reader.end(error)

    def close(self, body: Any) -> None:
        """End as the agent closes the body; what the library closes itself it has read, or raises an error about."""
        tracker = None if self._depth or is_finalizing() else tracker_of(body)
        if tracker is not None:
            tracker.close(body)

    def _reader_of(self, body: Any) -> BytesReader | None:
        tracker = tracker_of(body)
        if tracker is None:
            return None
        if not self._is_begun:
            self._is_begun = True
            self._reader = self._begin(tracker, body)
            tracker.start_reading(is_current=False)
        return self._reader


class _BodyStep(Step):
    """The steps of a generator that reads a body; leaving it early leaves the rest of the body to others."""

    __slots__ = ("_body", "_follower")

    def __init__(self, follower: _Follower, body: Any) -> None:
        super().__init__(follower)
        self._follower = follower
        self._body = body

    def end(self, error: BaseException) -> None:
        if not isinstance(error, GeneratorExit):
            self._follower.end(self._body, error)


@cache
def _kind_for(kind: type, methods: Methods) -> type | None:
    """Return the class for a followed body of ``kind``, None where it cannot have another one."""
    if not (kind.__dictoffset__ and kind.__weakrefoffset__):
        return None
    namespace: dict[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    namespace |= _methods(kind, methods.returning, partial(_reading, _read_returned))
    namespace |= _methods(kind, methods.filling, partial(_reading, _read_filled))
    namespace |= _methods(kind, methods.taking, partial(_reading, _read_taken))
    namespace |= _methods(kind, methods.around, _around)
    namespace |= _methods(kind, methods.generating, _generating)
    namespace |= _methods(kind, ("close",), _closing)
    derived: type = type(kind)(kind.__name__, (kind,), namespace)
    return derived


def _methods(kind: type, names: tuple[str, ...], make: Callable[[type, str], Any]) -> dict[str, Any]:
    return {name: make(kind, name) for name in names if hasattr(kind, name)}


def _read_returned(follower: _Follower, body: Any, args: tuple[Any, ...], returned: Any) -> None:
    if returned:
        follower.read(body, returned)
    elif args[:1] != (0,):
        # Not every stand-in for a body closes itself.
        follower.end(body, StopIteration())


def _read_filled(follower: _Follower, body: Any, args: tuple[Any, ...], returned: Any) -> None:
    follower.read(body, memoryview(args[0]).cast("B")[:returned])


def _read_taken(follower: _Follower, body: Any, args: tuple[Any, ...], _returned: Any) -> None:
    follower.read(body, args[0])


def _reading(read: Callable[..., None], kind: type, name: str) -> Any:
    @passed_over
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        own = getattr(kind, name)
        follower: _Follower = vars(self)[_FOLLOWER]
        if follower.is_inside:
            return own(self, *args, **kwargs)
        follower.is_inside = True
        try:
            with follower:
                returned = own(self, *args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            guard.call("finish", follower.end, self, error)
            raise
        finally:
            follower.is_inside = False
        guard.call("chunk", read, follower, self, args, returned)
        guard.call("finish", follower.end_if_over, self)
        return returned

    method.__name__ = name
    return method


def _around(kind: type, name: str) -> Any:
    @passed_over
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        follower: _Follower = vars(self)[_FOLLOWER]
        try:
            with follower:
                returned = getattr(kind, name)(self, *args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            guard.call("finish", follower.end, self, error)
            raise
        guard.call("finish", follower.end_if_over, self)
        return returned

    method.__name__ = name
    return method


def _generating(kind: type, name: str) -> Any:
    @passed_over
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        inner = getattr(kind, name)(self, *args, **kwargs)
        return guard.call("stream", _followed, self, inner, default=inner)

    method.__name__ = name
    return method


def _followed(body: Any, inner: Any) -> Any:
    follower: _Follower = vars(body)[_FOLLOWER]
    return generators.followed(inner, lambda: _BodyStep(follower, body))


def _closing(kind: type, name: str) -> Any:
    @passed_over
    def method(self: Any) -> Any:
        guard.call("close", vars(self)[_FOLLOWER].close, self)
        return getattr(kind, name)(self)

    method.__name__ = name
    return method
