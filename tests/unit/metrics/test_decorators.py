"""The decorators in every order on every kind of callable: it stays what it was, and each call is measured once."""

from __future__ import annotations

import asyncio
import inspect
import time
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.metrics import MetricsRegistry, count_calls, counter, gauge, measure_errors, measure_time, timer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Wrong = Exception | None

PAUSE = 0.02
DECORATORS = (measure_time("time"), count_calls("calls"), measure_errors("errors"))
ORDERS: list[tuple[Callable[[Any], Any], ...]] = list(permutations(DECORATORS))


def plain(wrong: Wrong) -> str:
    time.sleep(PAUSE)
    if wrong is not None:
        raise wrong
    return "done"


async def coroutine(wrong: Wrong) -> str:
    await asyncio.sleep(PAUSE)
    if wrong is not None:
        raise wrong
    return "done"


def behind(wrong: Wrong) -> Any:
    return coroutine(wrong)


def generator(wrong: Wrong) -> Iterator[str]:
    yield "do"
    time.sleep(PAUSE)
    if wrong is not None:
        raise wrong
    yield "ne"


async def async_generator(wrong: Wrong) -> AsyncIterator[str]:
    yield "do"
    await asyncio.sleep(PAUSE)
    if wrong is not None:
        raise wrong
    yield "ne"


async def joined(stream: AsyncIterator[str]) -> str:
    return "".join([part async for part in stream])


class Agent:
    """Its methods in all their kinds."""

    def __init__(self, wrong: Wrong = None) -> None:
        if wrong is not None:
            plain(wrong)

    def method(self, wrong: Wrong) -> str:
        return plain(wrong)

    async def async_method(self, wrong: Wrong) -> str:
        return await coroutine(wrong)

    def __call__(self, wrong: Wrong) -> str:
        return plain(wrong)

    @classmethod
    def of_class(cls, wrong: Wrong) -> str:
        return plain(wrong)


def as_method(decorate: Callable[[Any], Any], name: str) -> Any:
    return getattr(type("Decorated", (Agent,), {name: decorate(Agent.__dict__[name])})(), name)


def as_static_method(decorate: Callable[[Any], Any]) -> Any:
    return type("Decorated", (), {"static": decorate(staticmethod(plain))})().static


KINDS: dict[str, Callable[[Callable[[Any], Any]], Callable[[Wrong], str]]] = {
    "plain": lambda decorate: decorate(plain),
    "coroutine": lambda decorate: lambda wrong: asyncio.run(decorate(coroutine)(wrong)),
    "generator": lambda decorate: lambda wrong: "".join(decorate(generator)(wrong)),
    "async generator": lambda decorate: lambda wrong: asyncio.run(joined(decorate(async_generator)(wrong))),
    "lambda": lambda decorate: decorate(lambda wrong: plain(wrong) or ""),
    "partial": lambda decorate: lambda wrong: decorate(partial(plain, wrong))(),
    "callable": lambda decorate: decorate(Agent()),
    "method": lambda decorate: as_method(decorate, "method"),
    "async method": lambda decorate: lambda wrong: asyncio.run(as_method(decorate, "async_method")(wrong)),
    "class method": lambda decorate: as_method(decorate, "of_class"),
    "static method": as_static_method,
    "coroutine behind a plain function": lambda decorate: lambda wrong: asyncio.run(decorate(behind)(wrong)),
}


@pytest.mark.sampled
@pytest.mark.parametrize("order", ORDERS, ids=lambda _: "")
@pytest.mark.parametrize("kind", KINDS)
def test_any_order_on_any_callable(kind: str, order: tuple[Callable[[Any], Any], ...]) -> None:
    def decorate(function: Any) -> Any:
        for decorator in order:
            function = decorator(function)
        return function

    call = KINDS[kind](decorate)
    assert call(None) == "done"
    with pytest.raises(ValueError, match=r"^$"):
        call(ValueError())
    figures = timer("time").get_statistics()
    assert (figures["count"], figures["min"] >= PAUSE) == (2, True)
    assert counter("calls").get_value() == 2
    assert counter("errors").get_value(error_type="ValueError") == counter("errors").get_value() == 1


@pytest.mark.parametrize("order", ORDERS, ids=lambda _: "")
def test_a_class_stays_a_class(order: tuple[Callable[[Any], Any], ...]) -> None:
    class Made:
        def __init__(self, wrong: Wrong) -> None:
            plain(wrong)

    decorated: Any = Made
    for decorator in order:
        decorated = decorator(decorated)
    assert decorated is Made
    assert isinstance(decorated(None), Made)
    with pytest.raises(ValueError, match=r"^$"):
        decorated(ValueError())
    assert (timer("time").get_statistics()["count"], counter("calls").get_value()) == (2, 2)
    assert counter("errors").get_value(error_type="ValueError") == 1


@pytest.mark.parametrize("function", [plain, coroutine, generator, async_generator])
def test_what_a_function_is_stays(function: Any) -> None:
    decorated = measure_time()(count_calls()(measure_errors()(function)))
    for ask in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
        assert ask(decorated) == ask(function)
    assert inspect.signature(decorated) == inspect.signature(function)
    assert (decorated.__name__, decorated.__doc__) == (function.__name__, function.__doc__)


def test_names_by_default(own: MetricsRegistry) -> None:
    measure_time()(count_calls()(measure_errors()(partial(plain))))
    with pytest.raises(ValueError, match=r"^$"):
        measure_time()(count_calls()(measure_errors()(plain)))(wrong=ValueError())
    measure_time()(Agent())(wrong=None)
    place = f"{__name__}.plain"
    assert list(own.get_all_metrics())[5:] == [
        f"calls.{place}",
        f"errors.{place}",
        f"function.{place}",
        f"function.{__name__}.Agent",
    ]


def test_labels(own: MetricsRegistry) -> None:
    tags = {"layer": "api"}
    decorated = measure_time("time", tags)(count_calls("calls", tags=tags)(measure_errors("errors", tags)(plain)))
    tags["layer"] = "other"
    with pytest.raises(ValueError, match=r"^$"):
        decorated(wrong=ValueError())
    assert own.timer("time").get_statistics(layer="api")["count"] == 1
    assert own.counter("calls").get_value(layer="api") == 1
    assert own.counter("errors").get_value(layer="api", error_type="ValueError") == 1


def test_a_cancelled_task_is_no_error() -> None:
    @measure_time("time")
    @measure_errors("errors")
    async def wait() -> None:
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert (counter("errors").get_value(), timer("time").get_statistics()["count"]) == (0, 1)


def test_concurrent_calls_are_measured_each() -> None:
    decorated = measure_time("time")(count_calls("calls")(coroutine))

    async def many() -> list[str]:
        return await asyncio.gather(*(decorated(wrong=None) for _ in range(50)))

    assert asyncio.run(many()) == ["done"] * 50
    assert counter("calls").get_value() == 50
    assert timer("time").get_statistics()["count"] == 50


def test_a_name_of_another_kind_is_said_and_the_function_works(said: list[str]) -> None:
    gauge("time")
    decorated = measure_time("time")(count_calls("time")(plain))
    assert [decorated(wrong=None) for _ in range(2)] == ["done"] * 2
    [line] = said
    assert line == "decorator failed and was skipped: ValueError: Metric time is not a counter: it is a gauge already"
