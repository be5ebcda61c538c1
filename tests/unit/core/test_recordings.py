from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context

from obs_run.core import conversations, messages, recorder
from obs_run.core.open_recordings import Ending, OpenRecordings, open_recordings
from obs_run.core.operations import AgentRun, Inference, McpCall, ToolCall, Usage, Workflow

if TYPE_CHECKING:
    from tests.unit.core.conftest import FakeSink

NOWHERE = Context()


def start(operation: Any, parent: Context | None = None, owner: object = None) -> recorder.Recording:
    recording = recorder.start(operation, parent, owner)
    assert isinstance(recording, recorder.Recording)
    return recording


def test_a_given_parent_or_the_current_one(fake: FakeSink) -> None:
    run = start(AgentRun(agent_name="a"), NOWHERE)
    given = start(ToolCall(tool_name="given"), run.context)
    with run:
        current = start(ToolCall(tool_name="current"))
    outside = start(ToolCall(tool_name="outside"))
    for each in (outside, current, given, run):
        each.end()
    assert fake.trees() == ["invoke_agent a(execute_tool given execute_tool current)", "execute_tool outside"]


def test_a_run_is_linked_to_the_one_before_it_in_its_conversation(fake: FakeSink) -> None:
    first = start(AgentRun(agent_name="a", conversation_id="c-1"), NOWHERE)
    inner = start(AgentRun(agent_name="b", conversation_id="c-1"), first.context)
    other = start(Workflow(conversation_id="c-2"), NOWHERE)
    asked = start(McpCall("tools/call"), NOWHERE)
    second = start(AgentRun(agent_name="a", conversation_id="c-1"), asked.context)
    runs: list[Any] = [first, inner, other, second]
    for run in runs:
        run.end()
    assert len(fake.ended) == 4
    first_id = first.span.get_span_context().span_id
    assert [run.span.links for run in runs] == [[], [], [], [(first_id, {"obs.link.kind": "previous_run"})]]


def test_the_conversations_that_are_known_are_bounded(fake: FakeSink) -> None:
    for number in range(3000):
        start(AgentRun(conversation_id=f"many-{number}"), NOWHERE).end()
    assert len(fake.ended) == 3000
    assert len(conversations._last_runs._values) <= 1000


def test_ended_once_whoever_ends_it(fake: FakeSink) -> None:
    call = start(Inference("chat", request_model="m"))
    threads = [threading.Thread(target=call.end, args=(ValueError(str(number)),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    call.end()
    (ended,) = fake.ended
    assert ended.record.error is not None
    assert len(fake.logs) == 1
    assert not len(open_recordings)


def test_what_passes_is_plain_and_nobody_elses(fake: FakeSink) -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    class Text(str, Enum):
        STRING = "t"

    arguments: dict[Any, Any] = {"list": [1, (2, 3)], 4: Odd(), "text": Text.STRING, "bytes": b"abc"}
    stops = ["a", "b"]
    call = start(Inference("chat", stop_sequences=stops, extra={"obs.x": Odd()}))
    call.operation.input_messages = [messages.message("user", messages.tool_call("1", "f", arguments))]  # type: ignore[attr-defined]
    call.end()
    arguments["list"].append("later")
    stops.append("later")
    record = fake.ended[0].record
    assert "later" not in json.dumps([record.attributes, record.content, record.pricing, record.timing])
    assert record.attributes["gen_ai.request.stop_sequences"] == ["a", "b"]
    (message,) = record.content["gen_ai.input.messages"]
    assert message["parts"][0]["arguments"] == {"list": [1, [2, 3]], "4": "odd", "text": "t", "bytes": "[3 bytes]"}


def test_what_holds_itself_has_an_end(fake: FakeSink) -> None:
    loop: list[Any] = []
    loop.append(loop)
    start(ToolCall(tool_name="t", arguments=loop)).end()
    assert "nested too deep" in json.dumps(fake.ended[0].record.content)


def test_conversation_agent_and_usage_of_the_subtree(fake: FakeSink) -> None:
    run = start(AgentRun(agent_name="a", agent_id="7", conversation_id="c"))
    with run:
        step = start(Workflow(workflow_name="w"))
        with step:
            for tokens in (10, 20):
                call = start(Inference("chat", request_model="m"))
                call.operation.usage = Usage(tokens, 1)  # type: ignore[attr-defined]
                call.end()
        step.end()
    run.end()
    calls = [each.record.attributes for each in fake.ended if each.name == "chat m"]
    assert [call["gen_ai.conversation.id"] for call in calls] == ["c", "c"]
    total = fake.ended[-1].record.attributes
    assert (total["gen_ai.usage.input_tokens"], total["gen_ai.usage.output_tokens"]) == (30, 2)


def test_entering_twice_leaving_elsewhere_and_never_leaving(fake: FakeSink, caplog: pytest.LogCaptureFixture) -> None:
    run = start(AgentRun(agent_name="a"))

    async def other() -> None:
        run.__exit__()
        run.__exit__()

    async def agent() -> None:
        before = trace.get_current_span()
        with run, run:
            start(ToolCall(tool_name="inside")).end()
        run.__enter__()
        await asyncio.create_task(other())
        run.__exit__()
        assert trace.get_current_span() is before
        start(ToolCall(tool_name="after")).end()
        run.__enter__()

    asyncio.run(agent())
    run.end()
    assert fake.trees() == ["invoke_agent a(execute_tool inside)", "execute_tool after"]
    assert not caplog.records


@pytest.mark.parametrize("many", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_runs_at_once_in_any_order(many: int, fake: FakeSink) -> None:
    """As callback handlers have it: begins and ends come in other tasks, ends of parents before those of children."""
    runs: dict[tuple[int, int], recorder.Recording] = {}

    async def begin(number: int, depth: int) -> None:
        parent = runs[number, depth - 1].context if depth else NOWHERE
        runs[number, depth] = start(Workflow(workflow_name=f"{depth}"), parent)

    async def finish(number: int, depth: int) -> None:
        runs[number, depth].end()

    async def all_at_once() -> None:
        for depth in range(4):
            await asyncio.gather(*(begin(number, depth) for number in range(many)))
        order = [(number, depth) for depth in (2, 0, 3, 1) for number in range(many) if (number + depth) % 10]
        await asyncio.gather(*(finish(number, depth) for number, depth in order))

    asyncio.run(all_at_once())
    assert len(open_recordings) == 4 * many // 10, "whose ends never came"
    open_recordings.end_all(Ending("exit"))
    names = [f"invoke_workflow {depth}" for depth in range(4)]
    assert fake.trees() == [f"{names[0]}({names[1]}({names[2]}({names[3]})))"] * many
    unfinished = [each for each in fake.ended if each.record.attributes.get("obs.span.unfinished")]
    assert {each.record.attributes["obs.span.ended_by"] for each in unfinished} == {"exit"}
    assert len(unfinished) == 4 * many // 10
    runs.clear()
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, recorder.Recording)]


def test_a_recording_ends_with_its_owner(fake: FakeSink) -> None:
    class Handler:
        pass

    handler = Handler()
    start(AgentRun(agent_name="a"), owner=handler)
    assert not fake.ended
    del handler
    gc.collect()
    attributes = fake.ended[0].record.attributes
    assert attributes["obs.span.ended_by"] == "owner is gone"
    assert not len(open_recordings)


def test_what_a_signal_ends_has_not_failed_and_ended_when_it_came(fake: FakeSink) -> None:
    start(Inference("chat"))
    at_ns = time.time_ns() - 10**9
    open_recordings.end_all(Ending("SIGTERM", at_ns))
    record = fake.ended[0].record
    assert record.error is None
    assert record.attributes["obs.span.ended_by"] == "SIGTERM"
    assert record.timing.end_ns == at_ns
    assert record.timing.duration == 0


def test_what_a_person_interrupts_has_not_failed(fake: FakeSink) -> None:
    recording = start(Inference("chat"))
    assert recording is not None
    recording.end(KeyboardInterrupt())
    record = fake.ended[0].record
    assert record.error is None
    assert record.attributes["obs.span.ended_by"] == "SIGINT"
    assert record.attributes["obs.span.unfinished"] is True


def test_the_registry_is_bounded_and_ends_the_oldest() -> None:
    registry = OpenRecordings()
    ended: list[tuple[int, str]] = []
    for number in range(10_003):
        registry.add(number, lambda record, ending: ended.append((record, ending.ended_by)), number)
    assert len(registry) == 10_000
    assert ended == [(0, "too many open"), (1, "too many open"), (2, "too many open")]


def test_without_a_sink_nothing_is_recorded(fake: FakeSink, monkeypatch: pytest.MonkeyPatch) -> None:
    from obs_run.core import sink

    monkeypatch.setattr(sink._chosen, "sink", None)
    monkeypatch.setattr(sink._chosen, "make", None)
    assert recorder.start(Inference("chat")) is None
    assert not fake.ended
