from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.logging import DistributedLogger, LogCategory, LogLevel, log_exceptions, log_function_calls
from obs_run.logging import distributed_logger as home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.unit.logging.conftest import Sent


@pytest.fixture(autouse=True)
def silent_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_first", {"": DistributedLogger()})


def told(sent: Sent) -> list[tuple[int | None, str, Any]]:
    return [(item.severity, item.body.partition(":")[0], item.attributes["obs.log.tags"]) for item in sent]


ENTERED = (5, "Entering function", ("function_entry",))
LEFT = (5, "Exiting function", ("function_exit", "success"))
FAILED = (17, "Function failed", ("function_exit", "error"))


def test_plain_functions_and_methods(sent: Sent) -> None:
    class Service:
        @log_function_calls(LogLevel.INFO, LogCategory.API, include_args=True, include_result=True)
        def login(self, user: str, password: str = "", *more: int, **rest: int) -> dict[str, Any]:
            return {"user": user, "given": bool(password), "more": len(more) + len(rest)}

        @staticmethod
        @log_function_calls
        def static(number: int) -> int:
            return number

        @log_function_calls
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

    assert Service().login("ada", "secret", 1, x=2) == {"user": "ada", "given": True, "more": 2}
    entry, end = sent
    name = f"{__name__}.test_plain_functions_and_methods.<locals>.Service.login"
    assert (entry.body, end.body) == (f"Entering function: {name}", f"Exiting function: {name}")
    assert (entry.severity, entry.attributes["obs.log.category"]) == (9, "api")
    assert entry.attributes["function"] == name
    assert entry.attributes["arguments"] == '{"user":"ada","password":"secret","more":[1],"rest":{"x":2}}'
    assert end.attributes["result"] == '{"user":"ada","given":true,"more":2}'
    assert end.attributes["execution_time"] == end.attributes["obs.log.performance.execution_time"] > 0
    assert end.attributes["code.function.name"] == "login"
    sent.clear()
    assert (Service.static(1), Service().of_class()) == (1, "Service")
    assert told(sent) == [ENTERED, LEFT] * 2


async def test_each_kind_of_function_stays_what_it_is(sent: Sent) -> None:
    @log_function_calls()
    async def coroutine() -> int:
        await asyncio.sleep(0.01)
        return 1

    @log_function_calls()
    def generator() -> Iterator[int]:
        yield 1
        yield 2

    @log_function_calls()
    async def async_generator() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        yield 2

    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.isasyncgenfunction(async_generator)
    assert await coroutine() == 1
    assert sent[1].attributes["execution_time"] >= 0.01
    assert list(generator()) == [1, 2]
    assert [item async for item in async_generator()] == [1, 2]
    assert told(sent) == [ENTERED, LEFT] * 3


async def test_failures_are_recorded_and_go_through(sent: Sent) -> None:
    @log_function_calls
    @log_exceptions(category=LogCategory.BUSINESS)
    async def both() -> None:
        raise KeyError("k")

    @log_exceptions
    @log_function_calls
    def reversed_order() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError):
        await both()
    with pytest.raises(KeyError):
        reversed_order()
    unhandled = (17, f"Unhandled exception in {both.__module__}.{both.__qualname__}", ("unhandled_exception",))
    assert told(sent) == [
        ENTERED, unhandled, FAILED, ENTERED, FAILED,
        (17, f"Unhandled exception in {reversed_order.__module__}.{reversed_order.__qualname__}", unhandled[2]),
    ]  # fmt: skip
    assert {item.attributes.get("exception.type") for item in sent} == {None, "KeyError"}
    assert "raise KeyError" in sent[1].attributes["exception.stacktrace"]
    assert sent[1].attributes["obs.log.category"] == "business"


async def test_a_task_that_is_cancelled_has_not_failed(sent: Sent) -> None:
    begun = asyncio.Event()

    @log_exceptions
    @log_function_calls
    async def waits() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told(sent) == [ENTERED, (5, "Function cancelled", ("function_exit", "cancelled"))]


def test_a_call_with_wrong_arguments_is_the_callers_error(sent: Sent) -> None:
    @log_function_calls(include_args=True)
    def one(number: int) -> int:
        return number

    with pytest.raises(TypeError):
        one(1, 2)  # type: ignore[call-arg]
    assert told(sent) == [ENTERED, FAILED]
    assert sent[0].attributes["arguments"] == '{"args":[1,2],"kwargs":{}}'
