"""Runs that are left by an exception without having failed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core import ownership, streams
from obs_run.core.operations import AgentRun, Inference, ToolCall
from obs_run.core.outcomes import Call, Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.core.conftest import FakeSink


class PausedError(Exception):
    """What a framework raises to stop a run."""


READER: Reader[Any] = Reader(lambda *_: None, outcomes={"PausedError": "interrupted"})


def leave(error: BaseException, operation: Any) -> None:
    def begin(_: Call) -> tuple[Any, Reader[Any]]:
        return operation, READER

    def failing() -> None:
        raise error

    with pytest.raises(type(error)):
        streams.wrap_call(begin)(failing, None, (), {})


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(asyncio.CancelledError, "cancelled"), (PausedError, "interrupted"), (ValueError, None)],
)
def test_a_run_that_was_cancelled_or_stopped_has_not_failed(
    error: type[BaseException], outcome: str | None, fake: FakeSink
) -> None:
    leave(error(), AgentRun(agent_name="a"))
    (ended,) = fake.ended
    assert ended.record.attributes.get("obs.outcome") == outcome
    assert (ended.record.error is None) == (outcome is not None)


def test_a_model_call_that_was_cancelled_is_as_before(fake: FakeSink) -> None:
    leave(asyncio.CancelledError(), Inference("chat"))
    (ended,) = fake.ended
    assert ended.record.error is not None


def test_a_stream_of_a_run_that_is_left_is_abandoned(fake: FakeSink) -> None:
    def pieces() -> Iterator[int]:
        yield 1
        yield 2

    stream = streams.wrap_call(lambda _: (AgentRun(agent_name="a"), READER))(pieces, None, (), {})
    next(stream)
    stream.close()
    (ended,) = fake.ended
    assert ended.record.attributes["obs.outcome"] == "abandoned"
    assert ended.record.error is None


def _always(begun: Any) -> Any:
    return lambda _: begun


def test_a_coroutine_that_a_function_returns_is_followed(fake: FakeSink) -> None:
    async def answering() -> str:
        await asyncio.sleep(0)
        assert ownership.current_recording() is not None
        return "fine"

    def read(operation: AgentRun, returned: str) -> None:
        operation.agent_description = returned

    for is_lazy in (False, True):
        begun = AgentRun(), Reader(read, lazy=is_lazy)
        returned: Any = streams.wrap_call(_always(begun))(answering, None, (), {})
        assert returned.__name__ == "answering"
        assert asyncio.iscoroutine(returned)
        assert asyncio.run(returned) == "fine"
    assert [one.record.attributes["gen_ai.agent.description"] for one in fake.ended] == ["fine", "fine"]


def test_a_coroutine_that_is_cancelled_has_not_failed(fake: FakeSink) -> None:
    async def cancelling() -> None:
        task = asyncio.ensure_future(streams.wrap_call(lambda _: (AgentRun(), READER))(asyncio.sleep, None, (9,), {}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelling())
    (ended,) = fake.ended
    assert ended.record.attributes["obs.outcome"] == "cancelled"
    assert ended.record.error is None


def test_a_generator_in_what_is_returned_is_followed(fake: FakeSink) -> None:
    result = SimpleNamespace(pieces=iter(()))

    def returning() -> SimpleNamespace:
        result.pieces = (ownership.current_recording() for _ in range(2))
        return result

    def held(returned: Any, follow: Any) -> bool:
        returned.pieces = follow(returned.pieces)
        return True

    reader: Reader[Any] = Reader(lambda *_: None, held=held)
    assert streams.wrap_call(lambda _: (ToolCall(tool_name="t"), reader))(returning, None, (), {}) is result
    assert not fake.ended
    inside = list(result.pieces)
    assert all(inside)
    assert len(fake.ended) == 1


def test_an_error_that_the_library_caught_is_told(fake: FakeSink) -> None:
    reader: Reader[Any] = Reader(lambda *_: None, caught=lambda _: ValueError("no"))
    streams.wrap_call(lambda _: (ToolCall(tool_name="t"), reader))(lambda: None, None, (), {})
    (ended,) = fake.ended
    assert ended.record.error is not None
    assert len(fake.logs) == 1
