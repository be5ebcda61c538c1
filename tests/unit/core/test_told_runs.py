"""Runs of which a framework tells from outside of them: late, with sums of its own, and by messages in a stream."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import Context

from obs_run.core import recorder
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.operations import AgentRun, Inference, McpServerCall, ToolCall, Usage, Workflow
from obs_run.core.part_calls import OwnServer
from obs_run.core.stream_listeners import wrap_fed, wrap_given
from obs_run.pipeline.cost import Bill
from obs_run.pipeline.run_totals import RunTotals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.core.conftest import FakeSink

SECOND = 1_000_000_000


class _Served(ToolCall):
    SERVES_ITSELF = True


def test_what_is_told_of_later_has_its_own_times(fake: FakeSink) -> None:
    moment = recorder.now()
    recording: Any = recorder.start(Inference("chat"), Context(), begun=moment - 3 * SECOND)
    recording.over_at(moment - SECOND)
    recording.end()
    assert fake.of("chat").record.timing.duration == pytest.approx(2, abs=0.5)


def test_a_framework_knows_more_than_the_calls_inside(fake: FakeSink) -> None:
    runs = CallbackRuns()
    outer = runs.start(1, None, Workflow(), around=Context())
    inner = runs.start(2, 1, AgentRun())
    call = runs.start(3, 2, Inference("chat", usage=Usage(input_tokens=7)))
    runs.end(call)
    inner.recording.operation.usage = Usage(input_tokens=10, output_tokens=5)
    inner.recording.operation.reported_cost = 0.5
    runs.end(inner)
    runs.end(outer)
    told = fake.of("invoke_agent").record
    assert (told.attributes["gen_ai.usage.input_tokens"], told.attributes["gen_ai.usage.output_tokens"]) == (10, 5)
    around = fake.of("invoke_workflow").record.attributes
    assert (around["obs.usage.input_tokens"], around["obs.usage.output_tokens"]) == (10, 5)

    costs = RunTotals()
    costs.add(fake.of("chat").record, Bill(None, None, Decimal("0.125"), "table"))
    assert [_cost(costs, fake, name) for name in ("invoke_agent", "invoke_workflow")] == [0.5, 0.5]


def _cost(costs: RunTotals, fake: FakeSink, name: str) -> float | None:
    totals = costs.pop(fake.of(name).record)
    return None if totals is None or totals.all.cost is None else float(totals.all.cost)


def test_a_run_that_is_left_takes_along_what_is_inside(fake: FakeSink) -> None:
    runs = CallbackRuns()
    runs.start(1, None, AgentRun(), around=Context())
    runs.start(2, 1, ToolCall(tool_name="slow"))
    run = runs.pop(1)
    assert run is not None
    runs.leave(run, "interrupted")
    assert {each.record.attributes["obs.outcome"] for each in fake.ended} == {"interrupted"}
    assert len(fake.ended) == 2
    assert len(runs) == 0


def test_a_server_of_the_frameworks_own_has_no_spans(fake: FakeSink) -> None:
    with OwnServer():
        shaken: Any = recorder.start(McpServerCall("initialize"))
        shaken.end()
    tool: Any = recorder.start(_Served(tool_name="weather"), Context())
    with tool:
        handled: Any = recorder.start(McpServerCall("tools/call", tool_name="weather", request_id="7"))
        handled.end()
    tool.end()
    assert fake.trees() == ["execute_tool weather"]
    assert fake.of("execute_tool weather").record.attributes["jsonrpc.request.id"] == "7"
    assert [record.kind for record in fake.measured] == ["McpServerCall", "McpServerCall"]


class _Stream:
    def __init__(self) -> None:
        self.got: list[Any] = []

    async def send(self, message: Any) -> None:
        self.got.append(message)

    def send_nowait(self, message: Any) -> None:
        if message is None:
            raise ValueError("full")
        self.got.append(message)


class _Fed:
    def __init__(self) -> None:
        self.stream: Any = _Stream()


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_stream_is_fed_is_read_on_its_way(*, fails: bool) -> None:
    read: list[Any] = []

    def listen(_: Any) -> Any:
        return (lambda _: 1 / 0) if fails else read.append

    fed = _Fed.__new__(_Fed)
    wrap_fed("stream", listen)(fed.__init__, fed, (), {})  # type: ignore[misc]  # as wrapt does it
    asyncio.run(fed.stream.send(1))
    fed.stream.send_nowait(2)
    with pytest.raises(ValueError, match="full"):
        fed.stream.send_nowait(None)
    assert fed.stream.got == [1, 2]
    assert read == ([] if fails else [1, 2, None])


def test_a_given_generator_is_read_as_it_is_taken() -> None:
    read: list[Any] = []
    wrapper = wrap_given(0, "pieces", lambda _: read.append)

    def pieces() -> Iterator[int]:
        yield from (1, 2, 3)

    def take(pieces: Any) -> Any:
        return next(pieces) if hasattr(pieces, "__next__") else pieces

    assert wrapper(take, None, (pieces(),), {}) == 1
    assert wrapper(take, None, (), {"pieces": pieces()}) == 1
    assert wrapper(take, None, ("a text",), {}) == "a text"
    assert read == [1, 1]
