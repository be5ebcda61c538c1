"""One engine around the calls of a library: sync, async, streams and results that are read later, ended once.

An instrumentor gives ``begin``, which reads the call and chooses the ``Reader`` of what comes back. They are pure
functions: whatever they raise is ours and stays here; whatever the library raises goes to the agent as it is.

==================================================  ==========================================================
what the library has                                wrapper
==================================================  ==========================================================
a function that returns its result, a generator of  ``wrap_call``, which also follows the generator or
either kind or a coroutine                          coroutine; with ``Reader.held`` one in a result, too
a coroutine function that returns such              ``wrap_async_call``
a call that returns a stream, an object whose       ``wrap_call`` or ``wrap_async_call``, with ``Reader.deferred``
class has ``__next__`` or ``__anext__``             giving the stream; and ``wrap_next``, ``wrap_anext`` for these
a stream whose ``__iter__`` (or the like) is a      the same, and ``wrap_iter`` for the generator method that the
generator method that the library calls early       library itself iterates
a stream whose ``__iter__`` or ``__aiter__`` is a   the same, and ``wrap_generator`` for the method: the agent gets
generator method that the agent calls               a genuine generator
a body with a method that gives the next part       the same, and ``wrap_read`` or ``wrap_async_read``
a response that can be closed unread                the same, and ``wrap_close`` for ``close`` or ``__exit__``
a function inside of a call that knows more of it   ``wrap_inner_call``
==================================================  ==========================================================

A wrapper is what stands between the agent and its library: it calls the library once, and ours only through the guard
or in a ``Step``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard
from obs_run.base.stand_in import hide_frame, no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.core import client_secrets, content
from obs_run.core.outcomes import Call, OutcomeTracker, tracker_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import ModuleType

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Reader

    Begin = Callable[[Call], tuple[Operation, Reader] | None]
    Key = Callable[[Any], Any]

__all__ = [
    "wrap_anext",
    "wrap_async_call",
    "wrap_async_read",
    "wrap_call",
    "wrap_close",
    "wrap_generator",
    "wrap_inner_call",
    "wrap_iter",
    "wrap_next",
    "wrap_read",
]


def wrap_call(begin: Begin) -> Wrapper:
    """Return the wrapper of a function that returns its result, or a generator of either kind."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = guard.call("begin", _begin_call, begin, instance, args, kwargs)
        if begun is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        call, step = begun
        with step:
            returned = wrapped(*call.args, **call.kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    return wrapper


def wrap_async_call(begin: Begin) -> Wrapper:
    """Return the wrapper of a coroutine function, as ``wrap_call`` does of a sync one."""

    @passed_over
    async def observe(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = guard.call("begin", _begin_call, begin, instance, args, kwargs)
        if begun is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        call, step = begun
        with step:
            returned = await wrapped(*call.args, **call.kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        coroutine = observe(wrapped, instance, args, kwargs)
        # Python's warning of one that was never awaited tells the name.
        guard.call("begin", generators.take_name, coroutine, wrapped)
        return coroutine

    return wrapper


def wrap_next(key: Key, *, current: bool = False) -> Wrapper:
    """Return the wrapper of a stream class's ``__next__``; ``key`` is what ``Reader.deferred`` gave.

    With ``current`` the recording owns what happens inside, where a library asks the provider only as the agent reads.
    """

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("stream", _start_reading, key, instance, is_current=current)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        while True:
            with step:
                chunk = wrapped(*args, **kwargs)
            try:
                is_hidden = step.hides(chunk)
            except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
                guard.failed("chunk", error)
                return chunk
            if not is_hidden:
                return chunk

    return wrapper


def wrap_anext(key: Key, *, current: bool = False) -> Wrapper:
    """Return the wrapper of a stream class's ``__anext__``, as ``wrap_next`` does of ``__next__``."""

    @passed_over
    async def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("stream", _start_reading, key, instance, is_current=current)
        if step is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        while True:
            with step:
                chunk = await wrapped(*args, **kwargs)
            try:
                is_hidden = step.hides(chunk)
            except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
                guard.failed("chunk", error)
                return chunk
            if not is_hidden:
                return chunk

    return wrapper


def wrap_read(key: Key, is_last: Callable[[Any, Any], bool]) -> Wrapper:
    """Return the wrapper of a method that gives the next part of a body; ``is_last(instance, part)`` tells the last."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("stream", _start_reading, key, instance)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        with step:
            part = wrapped(*args, **kwargs)
        guard.call("chunk", _read_part, step, is_last, instance, part)
        return part

    return wrapper


def wrap_async_read(key: Key, is_last: Callable[[Any, Any], bool]) -> Wrapper:
    """Return the wrapper of a coroutine method that gives the next part of a body, as ``wrap_read`` of a sync one."""

    @passed_over
    async def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("stream", _start_reading, key, instance)
        if step is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        with step:
            part = await wrapped(*args, **kwargs)
        guard.call("chunk", _read_part, step, is_last, instance, part)
        return part

    return wrapper


def wrap_generator(key: Key) -> Wrapper:
    """Return the wrapper of a generator method of either kind that the agent itself calls: it gets a generator."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            inner = wrapped(*args, **kwargs)
        return guard.call("stream", _follow_generator, key, instance, inner, default=inner)

    return wrapper


def wrap_iter(key: Key) -> Wrapper:
    """Return the wrapper of a generator method of either kind that reads a stream within the library."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            chunks = wrapped(*args, **kwargs)
        return guard.call("stream", _follow_iterator, key, instance, chunks, default=chunks)

    return wrapper


def wrap_close(key: Key) -> Wrapper:
    """Return the wrapper of the method that closes a response, sync or async."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("close", _close, key, instance)
        with no_frame:
            return wrapped(*args, **kwargs)

    return wrapper


def wrap_inner_call(read: Callable[[Operation, Call], None]) -> Wrapper:
    """Return the wrapper of a function inside of recorded calls: ``read`` learns from its arguments."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("inside of a call", _read_inner_call, read, instance, args, kwargs)
        try:
            return wrapped(*args, **kwargs)
        except BaseException as error:
            # As no_frame does it, which costs each call two of its own.
            hide_frame(error, error.__traceback__)
            raise

    return wrapper


class _LazyCall(Step):
    """A call that returns a generator, and is recorded from when the agent reads from it."""

    __slots__ = ("_operation", "_reader")

    def __init__(self, operation: Operation, reader: Reader) -> None:
        super().__init__()
        self._operation = operation
        self._reader = reader

    def read_returned(self, returned: Any) -> Any:
        """Return what the agent reads from."""
        return generators.followed(returned, self._start_reading)

    def _start_reading(self) -> OutcomeTracker | None:
        tracker = _start(self._operation, self._reader)
        return None if tracker is None else tracker.start_reading()


def _begin_call(
    begin: Begin, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Call, OutcomeTracker | _LazyCall] | None:
    """Begin to record a call; None where it is not recorded."""
    call = Call(instance, args, kwargs)
    request = content.read("begin", begin, call)
    if request is None:
        return None
    client_secrets.note(instance, kwargs)
    operation, reader = request
    step = _LazyCall(operation, reader) if reader.lazy else _start(operation, reader)
    return None if step is None else (call, step)


def _start(operation: Operation, reader: Reader) -> OutcomeTracker | None:
    recording = _recorder().start(operation)
    return None if recording is None else OutcomeTracker(recording, reader)


@cache
def _recorder() -> ModuleType:
    # An import statement would cost as much as the rest of ``_begin_call``, at each call.
    from obs_run.core import recorder

    return recorder


def _start_reading(key: Key, instance: Any, *, is_current: bool = False) -> OutcomeTracker | None:
    """Return the steps of the stream that is found by ``key``; None where it is not recorded."""
    tracker = tracker_of(key(instance))
    return None if tracker is None else tracker.start_reading(is_current=is_current)


def _read_part(step: OutcomeTracker, is_last: Callable[[Any, Any], bool], instance: Any, part: Any) -> None:
    guard.call("chunk", step.hides, part)
    if guard.call("chunk", is_last, instance, part, default=True):
        step.finish()


def _follow_generator(key: Key, instance: Any, inner: Any) -> Any:
    tracker = tracker_of(key(instance))
    return inner if tracker is None else generators.followed(inner, tracker.start_reading)


def _follow_iterator(key: Key, instance: Any, chunks: Any) -> Any:
    kind = _AsyncFollowed if hasattr(chunks, "__anext__") else _Followed
    return kind(chunks, guard.call("stream", key, instance))


def _close(key: Key, instance: Any) -> None:
    tracker = tracker_of(key(instance))
    if tracker is not None:
        tracker.close(instance)


def _read_inner_call(
    read: Callable[[Operation, Call], None], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    recording = _recorder().ownership.current_recording()
    if recording is not None:
        read(recording.operation, Call(instance, args, kwargs))


class _FollowedBase:
    """The chunks of a stream on their way to the agent.

    Not a generator around the library's: that one must be finalised as it is without us. The recording is looked up
    late, because libraries make the iterator before the call has returned.

    Each chunk passes here, so the step is not entered: it has no context, and two calls for each chunk can be spared.
    """

    def __init__(self, chunks: Any, key: Any) -> None:
        self._chunks = chunks
        self._key = key
        self._step: OutcomeTracker | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _start_reading(self) -> OutcomeTracker | None:
        tracker = tracker_of(self._key)
        if tracker is not None:
            self._step = tracker.start_reading(is_current=False)
        return self._step


class _Followed(_FollowedBase):
    _chunks: Iterator[Any]

    def __iter__(self) -> _Followed:
        return self

    def __next__(self) -> Any:
        step = self._step or guard.call("stream", self._start_reading)
        if step is None:
            with no_frame:
                return next(self._chunks)
        while True:
            try:
                chunk = next(self._chunks)
            except BaseException as error:
                hide_frame(error, error.__traceback__)
                guard.call("finish", step.end, error)
                raise
            try:
                is_hidden = step.hides(chunk)
            except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
                guard.failed("chunk", error)
                return chunk
            if not is_hidden:
                return chunk


class _AsyncFollowed(_FollowedBase):
    _chunks: AsyncIterator[Any]

    def __aiter__(self) -> _AsyncFollowed:
        return self

    async def __anext__(self) -> Any:
        step = self._step or guard.call("stream", self._start_reading)
        if step is None:
            with no_frame:
                return await self._chunks.__anext__()
        while True:
            try:
                chunk = await self._chunks.__anext__()
            except BaseException as error:
                hide_frame(error, error.__traceback__)
                guard.call("finish", step.end, error)
                raise
            try:
                is_hidden = step.hides(chunk)
            except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
                guard.failed("chunk", error)
                return chunk
            if not is_hidden:
                return chunk
