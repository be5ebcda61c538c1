"""Each task, thread, executor and loop has its own trace, and children have the parents that they should."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.context import threads
from obs_run.context.log_context import attached, fields
from obs_run.tracing import InMemorySpanRecorder, Span, Tracer, get_current_trace_id, get_tracer, trace_function

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator


@pytest.fixture(autouse=True)
def threads_carry() -> None:
    threads.install()


def recorded(tracer: Tracer) -> dict[str, Span]:
    assert isinstance(tracer.recorder, InMemorySpanRecorder)
    return {span.operation_name: span for span in tracer.recorder.get_spans()}


def parents(tracer: Tracer) -> dict[str, str | None]:
    spans = recorded(tracer)
    names = {span.context.span_id: name for name, span in spans.items()}
    return {name: names.get(span.context.parent_span_id or "") for name, span in spans.items()}


def test_fifty_tasks_have_a_context_and_a_trace_each() -> None:
    tracer = get_tracer("a")

    async def work(number: int) -> tuple[Any, ...]:
        with attached(operation=number):
            async with tracer.async_span(f"outer {number}", tags={"number": number}) as outer:
                seen = []
                for step in range(3):
                    await asyncio.sleep(0)
                    async with tracer.async_span(f"inner {number} {step}") as inner:
                        await asyncio.sleep(0)
                        seen.append((fields()["operation"], get_current_trace_id(), inner.context.parent_span_id))
                return outer.context.trace_id, outer.context.span_id, seen

    async def main() -> list[tuple[Any, ...]]:
        return await asyncio.gather(*(work(number) for number in range(50)))

    found = asyncio.run(main())
    assert len({trace_id for trace_id, _, _ in found}) == 50
    for number, (trace_id, span_id, seen) in enumerate(found):
        assert seen == [(number, trace_id, span_id)] * 3
    assert len(recorded(tracer)) == 200


def test_parents_are_right_across_everything_that_runs_code() -> None:
    tracer = get_tracer("a")

    def work(name: str) -> None:
        with tracer.span(name):
            pass

    async def several() -> None:
        async with tracer.async_span("loop"):
            await asyncio.gather(asyncio.to_thread(work, "to_thread"), asyncio.create_task(task()))
            await asyncio.get_running_loop().run_in_executor(None, work, "run_in_executor")

    async def task() -> None:
        work("task")

    def in_thread() -> None:
        with tracer.span("thread"):
            asyncio.run(several())

    with tracer.span("root"):
        thread = threading.Thread(target=in_thread)
        thread.start()
        with ThreadPoolExecutor() as pool:
            pool.submit(work, "pool").result()
        thread.join()
    work("after")

    assert parents(tracer) == {
        "root": None,
        "thread": "root",
        "loop": "thread",
        "to_thread": "loop",
        "task": "loop",
        "run_in_executor": "loop",
        "pool": "root",
        "after": None,
    }
    spans = recorded(tracer)
    assert len({span.context.trace_id for span in spans.values()}) == 2


def test_generators_have_their_span_current_only_while_they_run() -> None:
    tracer = get_tracer("a")

    @trace_function("steps")
    def steps() -> Generator[str | None, None, None]:
        yield get_current_trace_id()
        with tracer.span("within"):
            pass
        yield get_current_trace_id()

    @trace_function("async steps")
    async def async_steps() -> AsyncGenerator[str | None, None]:
        yield get_current_trace_id()
        await asyncio.sleep(0)
        yield get_current_trace_id()

    async def follow() -> list[tuple[str | None, str | None]]:
        return [(inside, get_current_trace_id()) async for inside in async_steps()]

    seen = [(inside, get_current_trace_id()) for inside in steps()]
    trace_id = recorded(tracer)["steps"].context.trace_id
    assert seen == [(trace_id, None)] * 2
    assert parents(tracer)["within"] == "steps"
    seen = asyncio.run(follow())
    assert seen == [(recorded(tracer)["async steps"].context.trace_id, None)] * 2


def test_a_generator_closed_by_another_task_says_nothing() -> None:
    tracer = get_tracer("a")

    async def stream() -> AsyncGenerator[int, None]:
        with tracer.span("within"):
            yield 1
            yield 2

    async def main() -> None:
        opened = stream()
        assert await asyncio.create_task(opened.__anext__()) == 1
        await asyncio.create_task(opened.aclose())

    asyncio.run(main())
    assert recorded(tracer)["within"].status.value == "ok"


def test_spans_from_many_threads_are_all_counted() -> None:
    tracer = Tracer("many", InMemorySpanRecorder(100_000))
    begun = threading.Barrier(8)

    def work() -> None:
        begun.wait()
        for number in range(200):
            with tracer.span("work") as span:
                span.set_tag("number", number)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    metrics = tracer.get_metrics()
    assert (metrics["spans_created"], metrics["spans_finished"], metrics["active_spans"]) == (1600, 1600, 0)
    assert isinstance(tracer.recorder, InMemorySpanRecorder)
    assert len({span.context.span_id for span in tracer.recorder.get_spans()}) == 1600
