"""Runs that somebody gave up, by the wrappers of calls and generators, and what is found by a message's trace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core import ownership, recorder
from obs_run.core.operations import AgentRun, Workflow
from obs_run.core.outcomes import Reader
from obs_run.core.streams import wrap_async_call, wrap_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from obs_run.core.outcomes import Call
    from tests.unit.core.conftest import FakeSink

OUTCOME = "obs.outcome"


def read(run: AgentRun, piece: Any) -> None:
    run.has_result = run.has_result or piece == "answer"


def start(_: Call) -> tuple[AgentRun, Reader[AgentRun]]:
    return AgentRun(agent_name="a"), Reader(read, chunk=read, lazy=True)


async def run() -> None:
    await asyncio.sleep(60)


async def stream() -> AsyncGenerator[str, None]:
    yield "thought"
    yield "answer"
    yield "afterword"


async def test_a_run_that_is_cancelled_has_not_failed(fake: FakeSink) -> None:
    def start_now(_: Call) -> tuple[AgentRun, Reader[AgentRun]]:
        return AgentRun(agent_name="a"), Reader(read)

    task = asyncio.ensure_future(wrap_async_call(start_now)(run, None, (), {}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (ended,) = fake.ended
    assert ended.record.error is None
    assert ended.record.attributes[OUTCOME] == "cancelled"


@pytest.mark.parametrize(("last", "outcome"), [("thought", "abandoned"), ("answer", None), ("afterword", None)])
async def test_a_stream_is_abandoned_only_before_its_result(last: str, outcome: str | None, fake: FakeSink) -> None:
    pieces = wrap_call(start)(stream, None, (), {})
    async for piece in pieces:
        if piece == last:
            break
    await pieces.aclose()
    (ended,) = fake.ended
    assert ended.record.error is None
    assert ended.record.attributes.get(OUTCOME) == outcome


def test_the_workflow_in_which_a_message_was_sent(fake: FakeSink) -> None:
    workflow: Any = recorder.start(Workflow())
    agent: Any = recorder.start(AgentRun(agent_name="a"), workflow.context)
    context = agent.span.get_span_context()
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
    found: Any = ownership.workflow_with(traceparent)
    assert found is workflow
    with workflow:
        assert ownership.workflow_with(traceparent) is None
    agent.end()
    workflow.end()
    assert [ownership.workflow_with(each) for each in (traceparent, None, "", "nonsense")] == [None] * 4
    assert fake.trees() == ["invoke_workflow(invoke_agent a)"]
