"""Generators that a library returns, followed on their way to the agent by genuine generators."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any, Protocol

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractContextManager


class Reading(Protocol):
    """What follows a stream: told of each piece, and of the end."""

    recording: Any
    iterated: bool

    def chunk(self, item: Any) -> bool:
        """Read a piece; True hides it from the agent."""

    def finish(self, error: BaseException | None = None, how: str | None = None) -> None:
        """End the recording."""

    def failed(self, error: BaseException) -> None:
        """End the recording of a stream that ended with an error."""


def followed(inner: Any, begin: Callable[[], Reading | None]) -> Any:
    """Return a generator in the place of ``inner``; ``begin`` is called when the agent reads for the first time."""
    if isinstance(inner, GeneratorType):
        return _generator(inner, begin)
    if isinstance(inner, AsyncGeneratorType):
        return _async_generator(inner, begin)
    return inner


def _generator(inner: Generator[Any, Any, Any], begin: Callable[[], Reading | None]) -> Generator[Any, Any, Any]:
    reading, current = _begun(begin)
    advance: Callable[[], Any] = inner.__next__
    while True:
        try:
            with current:
                item = advance()
        except StopIteration as stop:
            _finish(reading)
            return stop.value
        except BaseException as error:
            _fail(reading, error)
            raise
        advance = inner.__next__
        if reading is not None and reading.chunk(item):
            continue
        try:
            sent = yield item
        except GeneratorExit as left:
            _fail(reading, left)
            inner.close()
            raise
        except BaseException as thrown:  # noqa: BLE001 (it is the agent's, on its way into the library)
            advance = partial(inner.throw, thrown)
        else:
            if sent is not None:
                advance = partial(inner.send, sent)


async def _async_generator(
    inner: AsyncGenerator[Any, Any], begin: Callable[[], Reading | None]
) -> AsyncGenerator[Any, Any]:
    reading, current = _begun(begin)
    advance: Callable[[], Any] = inner.__anext__
    while True:
        try:
            with current:
                item = await advance()
        except StopAsyncIteration:
            _finish(reading)
            return
        except BaseException as error:
            _fail(reading, error)
            raise
        advance = inner.__anext__
        if reading is not None and reading.chunk(item):
            continue
        try:
            sent = yield item
        except GeneratorExit as left:
            _fail(reading, left)
            await inner.aclose()
            raise
        except BaseException as thrown:  # noqa: BLE001 (it is the agent's, on its way into the library)
            advance = partial(inner.athrow, thrown)
        else:
            if sent is not None:
                advance = partial(inner.asend, sent)


def _begun(begin: Callable[[], Reading | None]) -> tuple[Reading | None, AbstractContextManager[Any]]:
    reading = begin()
    if reading is None:
        return None, nullcontext()
    reading.iterated = True
    return reading, reading.recording


def _finish(reading: Reading | None) -> None:
    if reading is not None:
        guard.call("finish", reading.finish)


def _fail(reading: Reading | None, error: BaseException) -> None:
    if reading is not None:
        guard.call("finish", reading.failed, error)
