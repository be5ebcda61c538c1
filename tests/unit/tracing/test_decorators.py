from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.tracing import (
    InMemorySpanRecorder,
    Span,
    SpanKind,
    SpanStatus,
    get_tracer,
    setup_tracing,
    trace_function,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator


def recorded() -> list[Span]:
    recorder = get_tracer().recorder
    assert isinstance(recorder, InMemorySpanRecorder)
    return recorder.get_spans()


@trace_function
def plain(value: int, *, more: int = 0) -> int:
    """Add."""
    return value + more


@trace_function(tags={"team": "a"})
async def coroutine(value: int) -> str:
    await asyncio.sleep(0)
    return str(value)


@trace_function("counted", SpanKind.PRODUCER)
def generator(most: int) -> Generator[int, None, str]:
    yield from range(most)
    return "done"


@trace_function(kind=SpanKind.CONSUMER)
async def async_generator(most: int) -> AsyncGenerator[int, None]:
    for number in range(most):
        yield number


class Agent:
    @trace_function("method")
    def method(self, value: int) -> int:
        return value

    @trace_function("static")
    @staticmethod
    def static() -> None:
        return None

    @classmethod
    @trace_function("class method")
    def of_class(cls) -> str:
        return cls.__name__

    def __call__(self) -> bool:
        return True


def test_functions_of_every_kind_keep_their_kind_and_get_a_span() -> None:
    async def follow() -> list[int]:
        return [number async for number in async_generator(2)]

    assert plain(1, more=2) == 3
    assert asyncio.run(coroutine(1)) == "1"
    assert list(generator(2)) == [0, 1]
    assert asyncio.run(follow()) == [0, 1]
    agent = Agent()
    assert (agent.method(5), Agent.static(), Agent.of_class(), trace_function("called")(agent)()) == (
        5,
        None,
        "Agent",
        True,
    )
    assert trace_function("partial")(partial(plain, 1))() == 1

    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.isasyncgenfunction(async_generator)
    assert (plain.__name__, plain.__doc__) == ("plain", "Add.")
    here = __name__
    assert [(span.operation_name, span.kind.value, span.tags.get("function.result_type")) for span in recorded()] == [
        (f"{here}.plain", "internal", "int"),
        (f"{here}.coroutine", "internal", "str"),
        ("counted", "producer", None),
        (f"{here}.async_generator", "consumer", None),
        ("method", "internal", "int"),
        ("static", "internal", "NoneType"),
        ("class method", "internal", "str"),
        ("called", "internal", "bool"),
        (f"{here}.plain", "internal", "int"),
        ("partial", "internal", "int"),
    ]
    assert recorded()[0].tags == {
        "service.name": "ai_system",
        "function.name": "plain",
        "function.module": here,
        "function.args_count": 1,
        "function.kwargs_count": 1,
        "function.result_type": "int",
    }


def test_each_call_has_tags_of_its_own() -> None:
    given: dict[str, Any] = {"team": "b"}

    @trace_function("work", tags=given)
    def work(*, fail: bool) -> None:
        if fail:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        work(fail=True)
    work(fail=False)
    failed, done = recorded()
    assert given == {"team": "b"}
    assert (failed.status, failed.tags["error.type"], failed.tags["error.message"]) == (
        SpanStatus.ERROR,
        "ValueError",
        "no",
    )
    assert [log["event"] for log in failed.logs] == ["error"]
    assert (done.status, "error.type" in done.tags, done.tags["team"]) == (SpanStatus.OK, False, "b")


def test_nested_calls_are_one_trace_of_the_chosen_service() -> None:
    tracer = setup_tracing("chosen")
    get_tracer("other")

    @trace_function
    async def outer() -> str:
        return await coroutine(1)

    asyncio.run(outer())
    inner, whole = recorded()
    assert inner.context.parent_span_id == whole.context.span_id
    assert inner.tags["service.name"] == "chosen"
    assert tracer.get_metrics()["spans_finished"] == 2


def test_a_span_of_a_tracer_decorates_too() -> None:
    @get_tracer("a").span("decorated", tags={"x": 1})
    def work() -> int:
        return 1

    @get_tracer("a").async_span("awaited")
    async def later() -> int:
        return 2

    assert (work(), work(), asyncio.run(later())) == (1, 1, 2)
    assert [span.operation_name for span in recorded()] == ["decorated", "decorated", "awaited"]
    assert recorded()[0].tags["x"] == 1


def test_cancelled_and_left_early() -> None:
    @trace_function("waits")
    async def waits() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waits(), 0.01)

    asyncio.run(main())
    steps = generator(5)
    next(steps)
    steps.close()
    assert [(span.operation_name, span.status.value) for span in recorded()] == [
        ("waits", "cancelled"),
        ("counted", "ok"),
    ]
    assert get_tracer().get_active_spans() == []
