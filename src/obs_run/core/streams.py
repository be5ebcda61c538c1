"""One engine around the calls of a library: sync, async, streams and results that are read later, finished once.

An instrumentor gives ``begin``, which reads the call and chooses the ``Reader`` of what comes back. They are pure
functions: whatever they raise is ours and stays here; whatever the library raises goes to the agent as it is.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard
from obs_run.core.outcomes import Call, Reading, waiting_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Reader

    Begin = Callable[[Call], tuple[Operation, Reader] | None]


def call(begin: Begin) -> Wrapper:
    """Return the wrapper of a function that returns its result, or a generator of either kind."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        made = Call(instance, args, kwargs)
        begun = guard.call("begin", begin, made)
        if begun is None:
            return wrapped(*args, **kwargs)
        if begun[1].lazy:
            return generators.followed(wrapped(*made.args, **made.kwargs), partial(_started_to_read, begun))
        reading = guard.call("begin", _started, begun)
        if reading is None:
            return wrapped(*args, **kwargs)
        try:
            with reading.recording:
                returned = wrapped(*made.args, **made.kwargs)
        except BaseException as error:
            guard.call("finish", reading.finish, error)
            raise
        return reading.returned(returned)

    return wrapper


def async_call(begin: Begin) -> Wrapper:
    """Return the wrapper of a coroutine function, as ``call`` does of a sync one."""

    async def recorded(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        made = Call(instance, args, kwargs)
        begun = guard.call("begin", begin, made)
        if begun is None:
            return await wrapped(*args, **kwargs)
        if begun[1].lazy:
            return generators.followed(await wrapped(*made.args, **made.kwargs), partial(_started_to_read, begun))
        reading = guard.call("begin", _started, begun)
        if reading is None:
            return await wrapped(*args, **kwargs)
        try:
            with reading.recording:
                returned = await wrapped(*made.args, **made.kwargs)
        except BaseException as error:
            guard.call("finish", reading.finish, error)
            raise
        return reading.returned(returned)

    return recorded


def step(key: Callable[[Any], Any], *, current: bool = False) -> Wrapper:
    """Return the wrapper of a stream class's ``__next__``; ``key`` is what ``Reader.later`` gave.

    With ``current`` the recording owns what happens inside, where a library asks the provider only as the agent reads.
    """

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        reading = guard.call("stream", _read_by, key, instance)
        owned = reading.recording if current and reading is not None else nullcontext()
        while True:
            try:
                with owned:
                    item = wrapped(*args, **kwargs)
            except StopIteration:
                if reading is not None:
                    guard.call("finish", reading.finish)
                raise
            except BaseException as error:
                if reading is not None:
                    guard.call("finish", reading.failed, error)
                raise
            if reading is None or not reading.chunk(item):
                return item

    return wrapper


def async_step(key: Callable[[Any], Any], *, current: bool = False) -> Wrapper:
    """Return the wrapper of a stream class's ``__anext__``, as ``step`` does of ``__next__``."""

    async def recorded(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        reading = guard.call("stream", _read_by, key, instance)
        owned = reading.recording if current and reading is not None else nullcontext()
        while True:
            try:
                with owned:
                    item = await wrapped(*args, **kwargs)
            except StopAsyncIteration:
                if reading is not None:
                    guard.call("finish", reading.finish)
                raise
            except BaseException as error:
                if reading is not None:
                    guard.call("finish", reading.failed, error)
                raise
            if reading is None or not reading.chunk(item):
                return item

    return recorded


def piece(key: Callable[[Any], Any], over: Callable[[Any, Any], bool]) -> Wrapper:
    """Return the wrapper of a method that gives the next piece of a body; ``over(instance, piece)`` tells the last."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        reading = guard.call("stream", _read_by, key, instance)
        if reading is None:
            return wrapped(*args, **kwargs)
        try:
            item = wrapped(*args, **kwargs)
        except BaseException as error:
            guard.call("finish", reading.failed, error)
            raise
        reading.chunk(item)
        if guard.call("chunk", over, instance, item, default=True):
            guard.call("finish", reading.finish)
        return item

    return wrapper


def async_piece(key: Callable[[Any], Any], over: Callable[[Any, Any], bool]) -> Wrapper:
    """Return the wrapper of a coroutine method that gives the next piece of a body, as ``piece`` does of a sync one."""

    async def recorded(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        reading = guard.call("stream", _read_by, key, instance)
        if reading is None:
            return await wrapped(*args, **kwargs)
        try:
            item = await wrapped(*args, **kwargs)
        except BaseException as error:
            guard.call("finish", reading.failed, error)
            raise
        reading.chunk(item)
        if guard.call("chunk", over, instance, item, default=True):
            guard.call("finish", reading.finish)
        return item

    return recorded


def generation(key: Callable[[Any], Any]) -> Wrapper:
    """Return the wrapper of a generator method of either kind that the agent itself calls: it gets a generator."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        inner = wrapped(*args, **kwargs)
        reading = guard.call("stream", _read_by, key, instance)
        return inner if reading is None else generators.followed(inner, lambda: reading)

    return wrapper


def iteration(key: Callable[[Any], Any]) -> Wrapper:
    """Return the wrapper of a generator method that reads a stream; ``key`` is what ``Reader.later`` gave."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _Followed(wrapped(*args, **kwargs), guard.call("stream", key, instance))

    return wrapper


def async_iteration(key: Callable[[Any], Any]) -> Wrapper:
    """Return the wrapper of an async generator method, as ``iteration`` does of a sync one."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _AsyncFollowed(wrapped(*args, **kwargs), guard.call("stream", key, instance))

    return wrapper


def closing(key: Callable[[Any], Any]) -> Wrapper:
    """Return the wrapper of the method that closes a response, sync or async."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        reading = guard.call("close", lambda: waiting_for(key(instance)))
        if reading is not None:
            guard.call("close", reading.closed, instance)
        return wrapped(*args, **kwargs)

    return wrapper


def observed(read: Callable[[Operation, Call], None]) -> Wrapper:
    """Return the wrapper of a function inside of recorded calls: ``read`` learns from its arguments."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("inside of a call", _observe, read, Call(instance, args, kwargs))
        return wrapped(*args, **kwargs)

    return wrapper


def _started(begun: tuple[Operation, Reader]) -> Reading | None:
    from obs_run.core import recorder

    operation, reader = begun
    recording = recorder.start(operation)
    return None if recording is None else Reading(recording, reader)


def _started_to_read(begun: tuple[Operation, Reader]) -> Reading | None:
    return guard.call("begin", _started, begun)


def _observe(read: Callable[[Operation, Call], None], made: Call) -> None:
    from obs_run.core import ownership

    recording = ownership.current_recording()
    if recording is not None:
        read(recording.operation, made)


def _read_by(key: Callable[[Any], Any], instance: Any) -> Reading | None:
    reading = waiting_for(key(instance))
    if reading is not None:
        reading.iterated = True
    return reading


class _Followed:
    """The pieces of a stream on their way to the agent.

    Not a generator around the library's: that one must be finalised as it is without us. The recording is looked up
    late, because libraries make the iterator before the call has returned.
    """

    def __init__(self, chunks: Iterator[Any], key: Any) -> None:
        self._chunks = chunks
        self._key = key
        self._reading: Reading | None = None

    def __iter__(self) -> _Followed:
        return self

    def __next__(self) -> Any:
        reading = self._reading or self._begin()
        while True:
            try:
                item = next(self._chunks)
            except StopIteration:
                if reading is not None:
                    guard.call("finish", reading.finish)
                raise
            except BaseException as error:
                if reading is not None:
                    guard.call("finish", reading.failed, error)
                raise
            if reading is None or not reading.chunk(item):
                return item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _begin(self) -> Reading | None:
        self._reading = waiting_for(self._key)
        if self._reading is not None:
            self._reading.iterated = True
        return self._reading


class _AsyncFollowed:
    """The pieces of an async stream on their way to the agent, as ``_Followed`` has them."""

    def __init__(self, chunks: AsyncIterator[Any], key: Any) -> None:
        self._chunks = chunks
        self._key = key
        self._reading: Reading | None = None

    def __aiter__(self) -> _AsyncFollowed:
        return self

    async def __anext__(self) -> Any:
        reading = self._reading or self._begin()
        while True:
            try:
                item = await self._chunks.__anext__()
            except StopAsyncIteration:
                if reading is not None:
                    guard.call("finish", reading.finish)
                raise
            except BaseException as error:
                if reading is not None:
                    guard.call("finish", reading.failed, error)
                raise
            if reading is None or not reading.chunk(item):
                return item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _begin(self) -> Reading | None:
        self._reading = waiting_for(self._key)
        if self._reading is not None:
            self._reading.iterated = True
        return self._reading
