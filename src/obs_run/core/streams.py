"""One engine around the calls of a library: sync, async, streams and results that are read later, finished once.

An instrumentor gives three pure functions: ``begin`` reads the call, ``result`` reads what came back, ``chunk`` reads
one piece of a stream. What they raise is ours and stays here; what the library raises goes to the agent as it is.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_run.core import guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.recorder import Recording

    Begin = Callable[["Call"], Operation | None]
    Result = Callable[[Operation, Any], "Later | None"]
    # True hides the chunk from the agent, who did not ask for it.
    Chunk = Callable[[Operation, Any], bool]


@dataclass
class Call:
    """A call of a target: the object it belongs to and its arguments, which ``begin`` may replace by copies."""

    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Later:
    """What ``result`` answers where the outcome is read later by the agent; ``key`` finds the recording then."""

    key: Any


_waiting: dict[int, tuple[weakref.ref[Any], Recording]] = {}


def call(begin: Begin, result: Result) -> Wrapper:
    """Return the wrapper of a function that returns its result."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        made = Call(instance, args, kwargs)
        recording = guard.call("begin", _begun, begin, made)
        if recording is None:
            return wrapped(*args, **kwargs)
        try:
            with recording:
                returned = wrapped(*made.args, **made.kwargs)
        except BaseException as error:
            guard.call("finish", recording.finish, error)
            raise
        guard.call("result", _returned, recording, result, returned)
        return returned

    return wrapper


def async_call(begin: Begin, result: Result) -> Wrapper:
    """Return the wrapper of a coroutine function."""

    async def recorded(wrapped: Callable[..., Any], made: Call) -> Any:
        recording = guard.call("begin", _begun, begin, made)
        if recording is None:
            return await wrapped(*made.args, **made.kwargs)
        try:
            with recording:
                returned = await wrapped(*made.args, **made.kwargs)
        except BaseException as error:
            guard.call("finish", recording.finish, error)
            raise
        guard.call("result", _returned, recording, result, returned)
        return returned

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return recorded(wrapped, Call(instance, args, kwargs))

    return wrapper


def iteration(key: Callable[[Any], Any], chunk: Chunk) -> Wrapper:
    """Return the wrapper of a generator method that reads a stream whose call was answered with ``Later(key)``."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        chunks = wrapped(*args, **kwargs)
        recording = guard.call("stream", lambda: claim(key(instance)))
        return chunks if recording is None else _followed(chunks, recording, chunk)

    return wrapper


def async_iteration(key: Callable[[Any], Any], chunk: Chunk) -> Wrapper:
    """Return the wrapper of an async generator method, as ``iteration`` does of a sync one."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        chunks = wrapped(*args, **kwargs)
        recording = guard.call("stream", lambda: claim(key(instance)))
        return chunks if recording is None else _async_followed(chunks, recording, chunk)

    return wrapper


def closing(key: Callable[[Any], Any], result: Result) -> Wrapper:
    """Return the wrapper of the method that closes a response which the agent may have read by itself."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("close", _closed, key, result, instance)
        return wrapped(*args, **kwargs)

    return wrapper


def claim(key: Any) -> Recording | None:
    """Return the recording that waits for ``key``, which then waits no more."""
    entry = _waiting.pop(id(key), None)
    return entry[1] if entry is not None and entry[0]() is key else None


def _begun(begin: Begin, made: Call) -> Recording | None:
    operation = begin(made)
    if operation is None:
        return None
    from obs_run.core import recorder

    return recorder.start(operation)


def _returned(recording: Recording, result: Result, returned: Any) -> None:
    later = None
    try:
        later = result(recording.operation, returned)
    finally:
        if later is None:
            recording.finish()
        else:
            _wait(later.key, recording)


def _wait(key: Any, recording: Recording) -> None:
    number = id(key)

    def forgotten(_: object) -> None:
        # The agent let go of the response without reading it.
        if _waiting.pop(number, None) is not None:
            _abandoned(recording)

    _waiting[number] = (weakref.ref(key, forgotten), recording)


def _closed(key: Callable[[Any], Any], result: Result, instance: Any) -> None:
    response = key(instance)
    recording = claim(response)
    if recording is not None:
        try:
            result(recording.operation, response)
        finally:
            recording.finish()


def _read(recording: Recording, chunk: Chunk, item: Any) -> bool:
    recording.chunk()
    return chunk(recording.operation, item)


def _abandoned(recording: Recording, how: str = "abandoned") -> None:
    if hasattr(recording.operation, "stream_end"):
        recording.operation.stream_end = how
    guard.call("finish", recording.finish)


def _followed(chunks: Iterator[Any], recording: Recording, chunk: Chunk) -> Iterator[Any]:
    try:
        for item in chunks:
            if not guard.call("chunk", _read, recording, chunk, item, default=False):
                yield item
    except GeneratorExit:
        _abandoned(recording)
        raise
    except BaseException as error:
        guard.call("finish", recording.finish, error)
        raise
    guard.call("finish", recording.finish)


async def _async_followed(chunks: AsyncIterator[Any], recording: Recording, chunk: Chunk) -> AsyncIterator[Any]:
    try:
        async for item in chunks:
            if not guard.call("chunk", _read, recording, chunk, item, default=False):
                yield item
    except GeneratorExit:
        _abandoned(recording)
        raise
    except BaseException as error:
        guard.call("finish", recording.finish, error)
        raise
    guard.call("finish", recording.finish)
