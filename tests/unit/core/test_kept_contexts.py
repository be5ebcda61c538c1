"""Generators of libraries that make a span current around a ``yield``, and tracers that lie in a class's fields."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from obs_run.core import kept_contexts
from obs_run.core.recorded_spans import note_raised
from obs_run.core.recording_tracers import RecordingTracer, UnflushedProvider, Vocabulary, replace_fields
from obs_run.core.span_attributes import operation_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.unit.core.conftest import FakeSink

TRACER = RecordingTracer(Vocabulary(__name__, operation_of, sums_runs=False))


async def pieces(*, ends_spans: bool = True) -> AsyncIterator[Any]:
    """Make spans current around each ``yield``, as an agent's loop does."""
    run = TRACER.start_span("invoke_agent a")
    with trace.use_span(run, end_on_exit=ends_spans):
        yield kept_contexts.asked()
        for _ in range(2):
            with trace.use_span(TRACER.start_span("execute_tool t"), end_on_exit=ends_spans):
                yield None
        yield None


def follow(**how: bool) -> Any:
    wrapper = kept_contexts.wrap_generator_apart(lambda call: call.kwargs)
    return wrapper(pieces, None, (), dict(how))


async def read(stream: Any, most: int = 10) -> list[Any]:
    """Return what is current between the pieces."""
    current: list[Any] = []
    async for piece in stream:
        current.extend((piece, trace.get_current_span()))
        if len(current) >= 2 * most:
            break
    return current


def test_what_a_generator_makes_current_is_so_in_it_alone(fake: FakeSink) -> None:
    async def reading() -> None:
        first, *others = await read(follow(ends_spans=True))
        assert first == {"ends_spans": True}
        assert set(others) == {None, trace.INVALID_SPAN}
        assert kept_contexts.asked() is None

    asyncio.run(reading())
    assert fake.trees() == ["invoke_agent(execute_tool execute_tool)"]


@pytest.mark.parametrize("ends_spans", [True, False])
def test_a_generator_that_is_closed_leaves_nothing_open(ends_spans: bool, fake: FakeSink) -> None:  # noqa: FBT001
    async def reading() -> None:
        stream = follow(ends_spans=ends_spans)
        await read(stream, 2)
        await stream.aclose()
        assert trace.get_current_span() is trace.INVALID_SPAN

    asyncio.run(reading())
    assert fake.trees() == ["invoke_agent(execute_tool)"]
    assert {each.record.attributes["obs.outcome"] for each in fake.ended} == {"abandoned"}


def test_what_is_thrown_into_a_generator_ends_what_it_leaves_open(fake: FakeSink) -> None:
    async def reading() -> None:
        stream = follow(ends_spans=False)
        await read(stream, 1)
        with pytest.raises(ValueError, match="no"):
            await stream.athrow(ValueError("no"))

    asyncio.run(reading())
    (ended,) = fake.ended
    assert ended.record.error is not None
    assert ended.record.error.error_type == "ValueError"


def test_a_run_that_is_left_ends_the_steps_inside_of_it(fake: FakeSink) -> None:
    def run() -> None:
        with TRACER.start_as_current_span("invoke_agent a"):
            TRACER.start_span("execute_tool t")
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run()
    assert [(each.name, each.record.attributes["obs.outcome"]) for each in fake.ended] == [
        ("execute_tool", "cancelled"),
        ("invoke_agent", "cancelled"),
    ]


def test_an_error_is_told_where_the_library_says_only_that_it_failed(fake: FakeSink) -> None:
    with TRACER.start_as_current_span("execute_tool t") as span:
        note_raised(ValueError("no"))
        span.set_attribute("error.type", "ValueError")
    with TRACER.start_as_current_span("execute_tool t"):
        # One that was tried again.
        note_raised(ValueError("no"))
    assert [each.record.error and each.record.error.message for each in fake.ended] == ["no", None]


def test_tokens_of_more_than_the_run_are_not_the_runs(fake: FakeSink) -> None:
    with TRACER.start_as_current_span("invoke_agent a") as run:
        with TRACER.start_as_current_span("chat m") as chat:
            chat.set_attribute("gen_ai.usage.input_tokens", 3)
        run.set_attribute("gen_ai.usage.input_tokens", 300)
    assert [each.record.attributes["gen_ai.usage.input_tokens"] for each in fake.ended] == [3, 3]


def test_fields_of_a_class_are_replaced_for_a_while() -> None:
    class Tracer:
        """A library's."""

        def __init__(self) -> None:
            self.tracer = "its own"

    module = ModuleType("library")
    module.Tracer = Tracer  # type: ignore[attr-defined]
    before = Tracer()
    take_back = replace_fields("Tracer", lambda: {"tracer": "ours", "is_new": True})(module)
    after: Any = Tracer()
    assert (before.tracer, after.tracer, after.is_new) == ("ours", "ours", True)
    take_back()
    assert (before.tracer, after.tracer, hasattr(after, "is_new")) == ("its own", "its own", False)


def test_a_provider_without_a_flush_gives_the_processs_tracer() -> None:
    provider = UnflushedProvider()
    assert not hasattr(provider, "force_flush")
    assert type(provider.get_tracer("library")) is type(trace.get_tracer_provider().get_tracer("library"))
