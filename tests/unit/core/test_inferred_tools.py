"""Tools that no hook sees, from what models ask for and what the next request brings."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from obs_run.context import propagation
from obs_run.core import content, tool_windows
from obs_run.core.control_flow import end_with_outcome
from obs_run.core.open_recordings import Ending, open_recordings
from obs_run.core.operations import AgentRun, Embedding, FetchedResponse, McpCall, Step, ToolResult
from tests.unit.core.conversations import HOTEL, WEATHER, answer, ask, embed, request, run, start, told

if TYPE_CHECKING:
    from tests.unit.core.conftest import FakeSink

pytestmark = pytest.mark.usefixtures("none_waits")


def test_a_tool_is_known_by_the_next_request(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        ask(results=[ToolResult("1", result="rain")])
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather chat m)"]
    tool = fake.of("execute_tool weather").record
    assert tool.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "1",
        "gen_ai.agent.name": "a",
        "obs.tool.inferred": True,
    }
    assert tool.content == {"gen_ai.tool.call.arguments": {"of": "weather"}, "gen_ai.tool.call.result": "rain"}
    assert tool.kind == "ToolCall"
    assert not open_recordings.forget()


def test_content_off(fake: FakeSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")
    content.forget()
    with run():
        ask(WEATHER)
        ask(results=["1"])
    tool = fake.of("execute_tool weather").record
    assert tool.content == {}
    assert tool.attributes["gen_ai.tool.call.id"] == "1"


def test_a_result_may_be_an_error(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        ask(results=[ToolResult("1", is_error=True)])
    record = fake.of("execute_tool weather").record
    assert record.attributes["error.type"] == "tool_error"
    assert record.error is not None


def test_a_part_of_the_run_that_has_ended_has_no_more_inside(fake: FakeSink) -> None:
    with run():
        with start(Step(step_name="ask")) as step:
            ask(WEATHER)
        step.end()
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(step ask(chat m) execute_tool weather chat m)"]


@pytest.mark.parametrize("has_steps", [False, True])
def test_what_a_person_answers_in_place_of_a_tool_is_none(fake: FakeSink, *, has_steps: bool) -> None:
    """A run waited for an approval, which was refused; of the tools that it runs then the framework tells."""
    interrupted = start(AgentRun(agent_name="a"))
    with interrupted:
        step = start(Step(step_name="ask")) if has_steps else None
        with step or nullcontext():
            ask(WEATHER)
        if step is not None:
            step.end()
    end_with_outcome(interrupted, "interrupted")
    with run():
        ask(results=[ToolResult("1", is_error=True)])
    asked = "step ask(chat m)" if has_steps else "chat m"
    assert fake.trees() == [f"invoke_agent a({asked})", "invoke_agent a(chat m)"]
    assert not tool_windows.windows.waiting


def test_several_tools_in_the_order_of_the_calls(fake: FakeSink) -> None:
    with run():
        ask(WEATHER, HOTEL, ("3", "weather"))
        embed()
        ask(results=["3", "2", "1"])
    expected = "chat m embeddings e execute_tool weather execute_tool hotel execute_tool weather chat m"
    assert fake.trees() == [f"invoke_agent a({expected})"]


def test_results_that_come_again_make_no_second_span(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        failed = start(request(results=["1"]))
        failed.end(ConnectionError())
        ask(results=["1"])
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather chat m chat m chat m)"]


def test_what_happens_meanwhile_is_inside(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        embed()
        place = propagation.current_ids()[1]
        ask(results=["1"])
        outside = propagation.current_ids()[1]
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather(embeddings e) chat m)"]
    assert place == fake.of("execute_tool weather").span_id
    assert outside == fake.of("invoke_agent a").span_id


def test_a_tool_that_asks_a_model_itself(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        ask(model="plain", offered_tools=None)
        ask(HOTEL, model="inner", offered_tools=["hotel"])
        embed()
        ask(model="inner", results=["2"], offered_tools=["hotel"])
        embed()
        ask(results=["1"])
    inside = "chat plain chat inner execute_tool hotel(embeddings e) chat inner embeddings e"
    assert fake.trees() == [f"invoke_agent a(chat m execute_tool weather({inside}) chat m)"]


def test_a_loop_that_sends_no_results_does_not_nest(fake: FakeSink) -> None:
    with run():
        for _ in range(3):
            ask(WEATHER)
    assert fake.trees() == ["invoke_agent a(chat m chat m chat m)"]


def test_an_agent_that_wants_no_more_than_a_tools_arguments(fake: FakeSink) -> None:
    """It is known by its silence, until results come for the same tools."""
    with run():
        for _ in range(3):
            ask(WEATHER)
            embed()
        ask(WEATHER, results=["1"])
        embed()
        ask(results=["1"])
    unconfirmed = "chat m execute_tool weather(embeddings e)"
    silent = "chat m embeddings e chat m embeddings e"
    answered = "execute_tool weather chat m execute_tool weather(embeddings e) chat m"
    assert fake.trees() == [f"invoke_agent a({unconfirmed} {silent} {answered})"]


def test_questions_that_follow_each_other_are_no_deep_tree(fake: FakeSink) -> None:
    with run():
        for number in range(20):
            ask((None, f"tool{number}"), offered_tools=[f"tool{number}"])
        open_recordings.end_all(Ending("exit"))
    deepest = depth = 0
    for character in fake.trees()[0]:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    assert deepest <= 5


def test_an_answer_in_the_form_of_a_tool_is_none(fake: FakeSink) -> None:
    with run():
        ask(WEATHER, must_call_tool=True)
        embed()
        ask(HOTEL, offered_tools=["hotel"], must_call_tool=True)
        embed()
    assert fake.trees() == ["invoke_agent a(chat m embeddings e chat m embeddings e)"]


def test_an_answer_that_is_said_by_a_tool_is_none_also_where_it_is_refused(fake: FakeSink) -> None:
    with run():
        call = start(request())
        call.operation.output_tools = frozenset({"hotel"})  # type: ignore[attr-defined]
        answer(call, WEATHER, HOTEL)
        ask(results=["1", "2"])
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather chat m)"]


def test_a_tool_that_was_forced_is_one_once_its_result_comes(fake: FakeSink) -> None:
    with run():
        ask(WEATHER, must_call_tool=True)
        embed()
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m embeddings e execute_tool weather chat m)"]


def test_without_results_what_has_children_is_unconfirmed(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        embed()
        ask()
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather(embeddings e) chat m)"]
    assert fake.of("execute_tool weather").record.attributes["obs.tool.unconfirmed"] is True
    assert not len(tool_windows.windows.waiting)


def test_unconfirmed_at_the_end_of_the_run(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        embed()
        open_recordings.end_all(Ending("exit"))
    record = fake.of("execute_tool weather").record
    assert record.attributes["obs.tool.unconfirmed"] is True
    assert record.attributes["obs.span.unfinished"] is True


def test_a_tool_that_is_told_of_amid_the_answer_is_not_inferred(fake: FakeSink) -> None:
    with run():
        asking = start(request())
        told("weather", "its own id")
        answer(asking, WEATHER)
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather chat m)"]


def test_a_told_tools_result_is_not_that_of_another_conversation(fake: FakeSink) -> None:
    """Whose ids are the same, as those of a faked model; each is in a thread of its own."""
    first, second = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    inside = [pool.submit(start, AgentRun(agent_name=name)).result() for pool, name in ((first, "a"), (second, "b"))]
    for pool, recording in zip((first, second), inside, strict=True):
        pool.submit(recording.__enter__).result()
        pool.submit(ask, WEATHER).result()
    second.submit(told, "weather", "1").result()
    second.submit(ask, results=["1"]).result()
    first.submit(told, "weather", "1").result()
    first.submit(ask, results=["1"]).result()
    for pool, recording in zip((first, second), inside, strict=True):
        pool.submit(recording.__exit__).result()
        recording.end()
        pool.shutdown()
    assert sorted(fake.trees()) == [f"invoke_agent {name}(chat m execute_tool weather chat m)" for name in "ab"]


def test_where_no_span_is_current_nothing_is_put_inside(fake: FakeSink) -> None:
    """A thread of a server that makes no spans works on one request after the other."""
    ask(WEATHER)
    embed()
    ask(HOTEL)
    assert fake.trees() == ["chat m", "embeddings e", "chat m"]


@pytest.mark.parametrize("call_id", ["1", None])
def test_who_tells_of_a_tool_himself_is_believed(fake: FakeSink, call_id: str | None) -> None:
    with run():
        ask(WEATHER)
        told("weather", call_id)
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather chat m)"]
    assert "obs.tool.inferred" not in fake.of("execute_tool weather").record.attributes


def test_each_told_tool_takes_the_place_of_one(fake: FakeSink) -> None:
    with run():
        ask(("1", "weather"), ("2", "weather"), ("3", "weather"))
        told("weather", "2")
        told("weather")
        told("news")
        ask(results=["3", "2", "1"])
    assert sorted(fake.inferred()) == ["3"]


def test_a_call_of_mcp_tells_of_the_tool(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        start(McpCall("tools/call", tool_name="weather")).end()
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m tools/call weather chat m)"]


def test_told_when_there_are_children_already(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        embed()
        told("weather")
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m step weather(embeddings e execute_tool weather) chat m)"]
    step = fake.of("step weather").record
    assert step.kind == "Step"
    assert "obs.tool.unconfirmed" not in step.attributes


def test_the_same_ids_in_each_turn(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        for _ in range(3):
            embed()
            ask(WEATHER, results=["1"])
    turn = "execute_tool weather(embeddings e) chat m"
    assert fake.trees() == [f"invoke_agent a(chat m {turn} {turn} {turn})"]


def test_no_ids_but_names_or_the_order(fake: FakeSink) -> None:
    with run():
        ask((None, "weather"), (None, "hotel"), (None, "weather"))
        results = [
            ToolResult(None, "weather", result="third"),
            ToolResult(None, "hotel", result="second"),
            ToolResult(None, result="first"),
        ]
        ask(results=results)
    tools = [each.record for each in fake.ended if each.name.startswith("execute_tool")]
    given = [(tool.attributes["gen_ai.tool.name"], tool.content["gen_ai.tool.call.result"]) for tool in tools]
    assert given == [("weather", "first"), ("hotel", "second"), ("weather", "third")]


def test_conversations_beside_each_other(fake: FakeSink) -> None:
    """Each thread has its own, also where a server gives the same ids in all."""
    both = threading.Barrier(2)

    def converse(name: str) -> None:
        with run(name):
            ask(WEATHER)
            both.wait()
            embed()
            both.wait()
            ask(results=["1"])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(converse, ["a", "b"]))
    turn = "chat m execute_tool weather(embeddings e) chat m"
    assert sorted(fake.trees()) == [f"invoke_agent a({turn})", f"invoke_agent b({turn})"]


def test_conversations_of_tasks_under_one_span(fake: FakeSink) -> None:
    async def converse(name: str) -> None:
        ask(WEATHER, model=name)
        await asyncio.sleep(0)
        await asyncio.gather(later(name))
        ask(model=name, results=["1"])

    async def later(name: str) -> None:
        await asyncio.sleep(0)
        start(Embedding("embeddings", request_model=name)).end()

    async def all_of_them() -> None:
        await asyncio.gather(*[converse(name) for name in "abc"])

    with run():
        asyncio.run(all_of_them())
    tree = fake.trees()[0]
    assert [tree.count(f"execute_tool weather(embeddings {name})") for name in "abc"] == [1, 1, 1]


def test_results_from_another_thread(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
    thread = threading.Thread(target=lambda: ask(results=["1"]))
    thread.start()
    thread.join()
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather)", "chat m"]


def test_a_response_that_is_fetched_asks_for_tools_too(fake: FakeSink) -> None:
    with run():
        answer(start(FetchedResponse(response_id="r")), WEATHER)
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(fetch_response execute_tool weather chat m)"]


@pytest.mark.parametrize("error", [ConnectionError(), KeyboardInterrupt()])
def test_an_answer_that_failed_asks_for_nothing(fake: FakeSink, error: BaseException) -> None:
    with run():
        call = start(request())
        call.operation.tool_calls = ["weather"]  # type: ignore[attr-defined]
        call.end(error)
        embed()
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m embeddings e chat m)"]


def test_switched_off(fake: FakeSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_INFER_TOOLS", "false")
    with run():
        ask(WEATHER)
        ask(results=["1"])
    assert fake.trees() == ["invoke_agent a(chat m chat m)"]


def test_a_child_process_begins_with_none(fake: FakeSink) -> None:
    assert fake.trees() == []
    with run():
        ask(WEATHER)
        child = os.fork()
        if not child:
            ask(results=["1"])
            names = [each.name for each in fake.ended]
            os._exit(0 if names == ["chat m", "chat m"] and not tool_windows.windows.waiting else 1)
        assert os.waitpid(child, 0)[1] == 0
        ask(results=["1"])


def test_memory_is_bounded(fake: FakeSink) -> None:
    with run():
        for number in range(1000):
            ask((str(number), f"tool{number}"), offered_tools=None)
            embed()
        assert len(tool_windows.windows.waiting) <= 256
        assert len(open_recordings) <= 10
        open_recordings.end_all(Ending("exit"))
    assert fake.lost() == []


def test_a_long_loop_leaves_nothing(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        for _ in range(1000):
            ask(WEATHER, results=["1"])
        ask(results=["1"])
    assert len(tool_windows.windows.waiting) == 0
    assert fake.trees()[0].count("execute_tool") == 1001
