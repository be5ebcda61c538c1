"""Runs that go on as the generators are read that a framework's functions return."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import wrapt

from obs_run.core.callback_wrappers import Reading, wrap_returned_within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import pytest


class _Recording:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def __enter__(self) -> None:
        self.told.append("in")

    def __exit__(self, *_: object) -> None:
        self.told.append("out")

    def find(self, _: Any) -> Reading:
        return Reading(self, self.told.append, lambda error: self.told.append(type(error)))


def _wrapped(function: Any, find: Any) -> Any:
    return wrapt.FunctionWrapper(function, wrap_returned_within(find))


def _numbers() -> Iterator[int]:
    yield 1


async def _async_numbers() -> AsyncIterator[int]:
    yield 1


_READ = ["in", "out", 1, "in", "out"]


def test_a_generator_is_followed_from_its_first_reading_to_its_end() -> None:
    recording = _Recording()
    numbers = _wrapped(_numbers, recording.find)()
    assert recording.told == []
    assert list(numbers) == [1]
    assert recording.told == [*_READ, StopIteration]


def test_an_async_generator_of_a_coroutine_function() -> None:
    recording = _Recording()

    async def answer() -> Any:
        return _async_numbers()

    async def read() -> list[int]:
        return [number async for number in await _wrapped(answer, recording.find)()]

    assert asyncio.run(read()) == [1]
    assert recording.told == [*_READ, StopAsyncIteration]


def test_a_stream_that_is_left() -> None:
    recording = _Recording()
    numbers = _wrapped(_numbers, recording.find)()
    next(numbers)
    numbers.close()
    assert recording.told == ["in", "out", 1, GeneratorExit]


def test_what_is_no_generator_or_not_followed_is_as_it_was() -> None:
    recording = _Recording()
    assert _wrapped(lambda: 5, recording.find)() - 5 == 0
    assert list(_wrapped(_numbers, lambda _: None)()) == [1]
    assert recording.told == []


def test_a_fault_of_ours_leaves_the_stream_alone(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Any) -> Any:
        raise RuntimeError("ours")

    assert list(_wrapped(_numbers, fail)()) == [1]
    assert "ours" in caplog.text
