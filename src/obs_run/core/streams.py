"""One engine around the calls of a library: sync, async, streams and results that are read later, finished once.

An instrumentor gives ``begin``, which reads the call and chooses the ``Reader`` of what comes back. They are pure
functions: whatever they raise is ours and stays here; whatever the library raises goes to the agent as it is.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from sys import is_finalizing
from typing import TYPE_CHECKING, Any

from obs_run.core import guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.recorder import Recording

    Begin = Callable[["Call"], tuple[Operation, "Reader"] | None]

_CANCELLATIONS = ("CancelledError", "Cancelled")


@dataclass
class Call:
    """A call of a target: the object it belongs to and its arguments, which ``begin`` may replace by copies."""

    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, position: int, name: str) -> Any:
        """Return an argument that may be given by place or by name, None where it is not given."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)

    def replace(self, position: int, name: str, value: Any) -> None:
        """Give the target another value of an argument; the agent's own objects stay as they are."""
        if len(self.args) > position:
            self.args = (*self.args[:position], value, *self.args[position + 1 :])
        else:
            self.kwargs = {**self.kwargs, name: value}


@dataclass(frozen=True)
class Reader:
    """How the outcome of an operation is read into it.

    ``result`` reads what the call returned. ``later`` gives, where the agent reads the outcome by itself later, the
    object by which the recording is found then, None otherwise. ``chunk`` reads one piece of a stream. ``hides``
    tells whether the agent must not see the piece, because it did not ask for it. ``end`` is called once when a
    stream is over, however it ends. ``failure`` reads the library's error. ``closed`` reads a response that the agent
    closed without iterating.
    """

    result: Callable[[Any, Any], None]
    later: Callable[[Any], Any] | None = None
    chunk: Callable[[Any, Any], None] | None = None
    hides: Callable[[Any, Any], bool] | None = None
    end: Callable[[Any], None] | None = None
    failure: Callable[[Any, BaseException], None] | None = None
    closed: Callable[[Any, Any], None] | None = None


class _Reading:
    """An operation whose outcome is being read."""

    __slots__ = ("iterated", "key", "reader", "recording")

    def __init__(self, recording: Recording, reader: Reader) -> None:
        self.recording = recording
        self.reader = reader
        self.key: weakref.ref[Any] | None = None
        self.iterated = False

    def returned(self, returned: Any) -> None:
        """Read what the call returned; the operation is over unless the agent reads the rest."""
        key = None if self.reader.later is None else guard.call("result", self.reader.later, returned)
        if key is None:
            guard.call("result", self.reader.result, self.recording.operation, returned)
            self.finish()
        else:
            guard.call("result", self._wait, key)

    def chunk(self, item: Any) -> bool:
        """Read a piece of the stream; True hides it from the agent."""
        operation, reader = self.recording.operation, self.reader
        self.recording.chunk()
        if reader.chunk is not None:
            guard.call("chunk", reader.chunk, operation, item)
        return reader.hides is not None and bool(guard.call("chunk", reader.hides, operation, item, default=False))

    def closed(self, response: Any) -> None:
        """Finish as the agent closes the response."""
        if self.iterated:
            self.finish(how="abandoned")
            return
        if self.reader.closed is not None:
            guard.call("close", self.reader.closed, self.recording.operation, response)
        self.finish()

    def finish(self, error: BaseException | None = None, how: str | None = None) -> None:
        """End the recording, once; ``how`` says why the stream was not read to its end."""
        operation = self.recording.operation
        if self.recording.done:
            return
        if self.key is not None:
            _waiting.pop(id(self.key()), None)
            if self.reader.end is not None:
                guard.call("end", self.reader.end, operation)
        if error is not None and self.reader.failure is not None:
            guard.call("failure", self.reader.failure, operation, error)
        if how is not None and hasattr(operation, "stream_end"):
            operation.stream_end = how
        guard.call("finish", self.recording.finish, error)

    def _wait(self, key: Any) -> None:
        number = id(key)

        def forgotten(_: object) -> None:
            # The agent let go of the response without reading it to its end.
            reading = _waiting.pop(number, None)
            # While the interpreter goes down its modules are half gone; open spans were ended before.
            if reading is not None and not is_finalizing():
                reading.finish(how="abandoned")

        self.key = weakref.ref(key, forgotten)
        _waiting[number] = self


_waiting: dict[int, _Reading] = {}


def call(begin: Begin) -> Wrapper:
    """Return the wrapper of a function that returns its result."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        made = Call(instance, args, kwargs)
        reading = guard.call("begin", _begun, begin, made)
        if reading is None:
            return wrapped(*args, **kwargs)
        try:
            with reading.recording:
                returned = wrapped(*made.args, **made.kwargs)
        except BaseException as error:
            guard.call("finish", reading.finish, error)
            raise
        reading.returned(returned)
        return returned

    return wrapper


def async_call(begin: Begin) -> Wrapper:
    """Return the wrapper of a coroutine function."""

    async def recorded(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        made = Call(instance, args, kwargs)
        reading = guard.call("begin", _begun, begin, made)
        if reading is None:
            return await wrapped(*args, **kwargs)
        try:
            with reading.recording:
                returned = await wrapped(*made.args, **made.kwargs)
        except BaseException as error:
            guard.call("finish", reading.finish, error)
            raise
        reading.returned(returned)
        return returned

    return recorded


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
        reading = guard.call("close", lambda: _waits_for(key(instance)))
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


def _begun(begin: Begin, made: Call) -> _Reading | None:
    begun = begin(made)
    if begun is None:
        return None
    from obs_run.core import recorder

    operation, reader = begun
    recording = recorder.start(operation)
    return None if recording is None else _Reading(recording, reader)


def _observe(read: Callable[[Operation, Call], None], made: Call) -> None:
    from obs_run.core import ownership

    recording = ownership.owner()
    if recording is not None:
        read(recording.operation, made)


def _waits_for(key: Any) -> _Reading | None:
    reading = _waiting.get(id(key))
    return reading if reading is not None and reading.key is not None and reading.key() is key else None


class _Followed:
    """The pieces of a stream on their way to the agent.

    Not a generator around the library's: that one must be finalised as it is without us. The recording is looked up
    late, because libraries make the iterator before the call has returned.
    """

    def __init__(self, chunks: Iterator[Any], key: Any) -> None:
        self._chunks = chunks
        self._key = key
        self._reading: _Reading | None = None

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
                    guard.call("finish", _failed, reading, error)
                raise
            if reading is None or not reading.chunk(item):
                return item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _begin(self) -> _Reading | None:
        self._reading = _waits_for(self._key)
        if self._reading is not None:
            self._reading.iterated = True
        return self._reading


class _AsyncFollowed:
    """The pieces of an async stream on their way to the agent, as ``_Followed`` has them."""

    def __init__(self, chunks: AsyncIterator[Any], key: Any) -> None:
        self._chunks = chunks
        self._key = key
        self._reading: _Reading | None = None

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
                    guard.call("finish", _failed, reading, error)
                raise
            if reading is None or not reading.chunk(item):
                return item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _begin(self) -> _Reading | None:
        self._reading = _waits_for(self._key)
        if self._reading is not None:
            self._reading.iterated = True
        return self._reading


def _failed(reading: _Reading, error: BaseException) -> None:
    if isinstance(error, GeneratorExit):
        reading.finish(how="abandoned")
    else:
        reading.finish(error, "cancelled" if type(error).__name__ in _CANCELLATIONS else None)
