"""What is counted of runs, as their spans tell it."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core import content, recorder
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import AgentRun, Embedding, Inference, Operation, Step, ToolCall, Usage, Workflow
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from tests.unit.core.conftest import FakeSink


def start(operation: Operation) -> recorder.Recording:
    recording = recorder.start(operation)
    assert isinstance(recording, recorder.Recording)
    return recording


def chat(usage: Usage | None = None, error: BaseException | None = None) -> None:
    operation = Inference("chat", request_model="m", usage=usage)
    start(operation).end(error)


def tool(name: str, arguments: Any = None) -> None:
    operation = ToolCall(tool_name=name)
    content.note_arguments(operation, arguments)
    start(operation).end()


def told(fake: FakeSink, name: str) -> dict[str, Any]:
    """Return what is said of the run of a name, by the last part of the attributes' names."""
    attributes = fake.of(name).record.attributes
    return {key.removeprefix("obs.run."): value for key, value in attributes.items() if key.startswith("obs.run.")}


def counts(fake: FakeSink, name: str) -> dict[str, Any]:
    return {key: value for key, value in told(fake, name).items() if not key.endswith("_time")}


def test_steps_calls_and_tools_of_a_run(fake: FakeSink) -> None:
    with start(AgentRun(agent_name="a")) as run:
        chat(Usage(10, 2))
        tool("search", {"q": "x"})
        chat(Usage(20, 3))
        start(Embedding("embeddings", request_model="e", usage=Usage(5))).end()
    run.end()
    assert counts(fake, "invoke_agent a") == {"steps": 2, "model_calls": 3, "tool_calls": 1}
    assert fake.of("invoke_agent a").record.attributes["gen_ai.usage.input_tokens"] == 35


def test_steps_of_a_framework_hold_the_calls_inside(fake: FakeSink) -> None:
    with start(Workflow(workflow_name="w")) as outer:
        with start(Step(step_name="node")) as node:
            with start(AgentRun(agent_name="a")) as run:
                chat(Usage(1, 1))
                chat(Usage(1, 1))
            run.end()
        node.end()
        with start(Step(step_name="last")) as node:
            chat(Usage(1, 1))
        node.end()
    outer.end()
    assert counts(fake, "invoke_agent a") == {"steps": 2, "model_calls": 2}
    assert counts(fake, "invoke_workflow w") == {"steps": 4, "model_calls": 3}


def test_nothing_is_said_of_a_run_in_which_nothing_was_seen(fake: FakeSink) -> None:
    start(AgentRun(agent_name="a")).end()
    assert told(fake, "invoke_agent a") == {}


def test_a_framework_that_learns_late_what_a_run_is_keeps_its_counts(fake: FakeSink) -> None:
    with start(Workflow(workflow_name="w")) as run:
        chat(Usage(10, 2))
        run.replace(AgentRun(agent_name="a"))
        chat(Usage(10, 2))
    run.end()
    assert counts(fake, "invoke_agent a") == {"steps": 2, "model_calls": 2}
    assert fake.of("invoke_agent a").record.attributes["gen_ai.usage.output_tokens"] == 4


def test_a_call_of_framework_and_client_is_one(fake: FakeSink) -> None:
    with start(AgentRun(agent_name="a")) as run:
        with start(FrameworkInference("chat", request_model="m")) as call:
            inner = recorder.start(Inference("chat", request_model="m", usage=Usage(7, 1)))
            assert inner is not None
            inner.end()
        call.end()
    run.end()
    assert counts(fake, "invoke_agent a") == {"steps": 1, "model_calls": 1}


def test_calls_without_usage_are_counted_as_such(fake: FakeSink) -> None:
    with start(AgentRun(agent_name="a")) as run:
        chat()
        chat(error=ValueError("no"))
        chat(Usage(1, 1))
    run.end()
    assert counts(fake, "invoke_agent a") == {"steps": 3, "model_calls": 3, "unknown_usage": 1}


@pytest.mark.parametrize("mode", ["SPAN_ONLY", "NO_CONTENT"])
def test_identical_calls_are_found_whether_content_is_wanted_or_not(
    mode: str, fake: FakeSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", mode)
    content.forget()
    with start(AgentRun(agent_name="a")) as run:
        tool("search", {"q": "x", "n": 1})
        tool("search", {"n": 1, "q": "x"})
        tool("search", {"q": "y", "n": 1})
        tool("read", {"q": "x", "n": 1})
    run.end()
    assert counts(fake, "invoke_agent a") == {"tool_calls": 4, "repeated_tool_calls": 1}
    kept = [each.record.content for each in fake.ended if each.name == "execute_tool search"]
    assert all(bool(each) == (mode == "SPAN_ONLY") for each in kept)


def test_calls_whose_arguments_are_unknown_are_not_compared(fake: FakeSink) -> None:
    with start(AgentRun(agent_name="a")) as run:
        for _ in range(5):
            start(ToolCall(tool_name="search")).end()
            tool("read", {"of": object()})
    run.end()
    assert counts(fake, "invoke_agent a") == {"tool_calls": 10}


LOOPS: dict[str, tuple[str, int, list[str]]] = {
    "the same call": ("x x x", 1, ["x"]),
    "the same call, often": ("x x x x x x x x x x", 1, ["x"]),
    "a sequence": ("s r s r s r", 1, ["s", "r"]),
    "a sequence after others": ("a b c s r t s r t s r t", 1, ["s", "r", "t"]),
    "a sequence that goes on": ("s r s r s r s r s r s r s r s r", 1, ["s", "r"]),
    "two loops": ("x x x s r s r s r", 2, ["s", "r"]),
    "the same loop again": ("x x x y x x x", 2, ["x"]),
    "twice is no loop": ("s r s r x x", 0, []),
    "a sequence with the same call in it": ("x x y x x y x x y", 1, ["x", "x", "y"]),
    "no sequence": ("a b a c a d a e a f", 0, []),
}


@pytest.mark.parametrize("kind", LOOPS)
def test_sequences_that_go_round(kind: str, fake: FakeSink) -> None:
    calls, loops, tools = LOOPS[kind]
    with start(AgentRun(agent_name="a")) as run:
        for name in calls.split():
            tool(name, {})
    run.end()
    found = counts(fake, "invoke_agent a")
    assert (found.get("loops", 0), found.get("loop_tools", [])) == (loops, tools)


def test_the_same_tool_with_other_arguments_is_no_loop(fake: FakeSink) -> None:
    with start(AgentRun(agent_name="a")) as run:
        for number in range(20):
            tool("search", {"page": number})
    run.end()
    assert counts(fake, "invoke_agent a") == {"tool_calls": 20}


def test_time_is_waited_once_where_calls_are_made_at_once(fake: FakeSink, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now[0])

    def at(second: float) -> None:
        now[0] = round(second * 1e9)

    run = start(AgentRun(agent_name="a"))
    with run:
        at(1)
        first = start(Inference("chat", request_model="m"))
        at(2)
        second = start(Inference("chat", request_model="m"))
        at(4)
        first.end()
        at(5)
        second.end()
        at(7)
        start(Inference("chat", request_model="m"))
    at(10)
    run.end()
    assert told(fake, "invoke_agent a")["model_time"] == pytest.approx(4 + 3), "the last of them goes on"
    assert told(fake, "invoke_agent a")["own_time"] == pytest.approx(3)


def test_what_ends_after_its_run_is_not_counted_any_more(fake: FakeSink) -> None:
    outer = start(Workflow(workflow_name="w"))
    with outer:
        run = start(AgentRun(agent_name="a"))
        with run:
            late = start(Inference("chat", request_model="m", usage=Usage(9, 1)))
        run.end()
        late.end()
    outer.end()
    assert "gen_ai.usage.input_tokens" not in fake.of("invoke_agent a").record.attributes
    assert fake.of("invoke_workflow w").record.attributes["obs.usage.input_tokens"] == 9


def test_threads_count_on_the_same_run(fake: FakeSink) -> None:
    run = start(AgentRun(agent_name="a"))

    def work(number: int) -> None:
        with run:
            for each in range(200):
                chat(Usage(1, 2))
                tool("search", {"at": (number, each)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    run.end()
    assert counts(fake, "invoke_agent a") == {"steps": 800, "model_calls": 800, "tool_calls": 800}
    assert fake.of("invoke_agent a").record.attributes["gen_ai.usage.output_tokens"] == 1600


@pytest.mark.slow
def test_a_run_of_very_many_calls_takes_no_more_memory(fake: FakeSink) -> None:
    run = start(AgentRun(agent_name="a"))

    def work(numbers: range) -> None:
        with run:
            for number in numbers:
                chat(Usage(1, 1))
                tool("search", {"page": number})
                fake.ended.clear()

    def taken_after(numbers: range) -> int:
        work(numbers)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    work(range(2000))
    tracemalloc.start()
    try:
        sizes = [taken_after(range(begin, begin + 600)) for begin in range(2000, 5000, 600)]
    finally:
        tracemalloc.stop()
    run.end()
    # What grows does so each time; what another thread of the tests' process allocates is in one of them.
    assert median(after - before for before, after in pairwise(sizes)) / 600 < 20  # bytes for each call and tool
    assert counts(fake, "invoke_agent a")["tool_calls"] == 5000


def test_a_signal_handler_that_records_amid_a_count_is_not_stuck(fake: FakeSink) -> None:
    from obs_run.core import run_statistics

    with start(AgentRun(agent_name="a")) as run:
        done = threading.Event()

        def handle() -> None:
            with run_statistics._guarding.lock, run:
                chat(Usage(1, 1))
            done.set()

        thread = threading.Thread(target=handle, daemon=True)
        thread.start()
        assert done.wait(60)
    run.end()
    assert counts(fake, "invoke_agent a")["model_calls"] == 1


def test_who_made_a_call_goes_along_with_it(fake: FakeSink) -> None:
    with start(AgentRun(agent_name="a")) as outer:
        asking = ToolCall(tool_name="ask_b")
        with start(asking) as call:
            with start(AgentRun(agent_name="b")) as run:
                chat(Usage(1, 1))
            run.end()
        call.end()
    outer.end()
    record = fake.of("chat m").record
    assert record.agent_name == "b"
    assert record.runs == ((fake.of("invoke_agent b").span_id, None), (fake.of("invoke_agent a").span_id, "ask_b"))
