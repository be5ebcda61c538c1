"""Tools that no hook sees, of conversations that are mixed, end early, or give the same ids to different calls."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest

from obs_run.core import tool_windows
from obs_run.core.operations import AgentRun, FetchedResponse, ToolResult
from tests.unit.core.conversations import HOTEL, WEATHER, answer, ask, embed, request, run, start, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.core.conftest import FakeSink

pytestmark = pytest.mark.usefixtures("none_waits")


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def given(fake: FakeSink) -> list[tuple[str, str | None]]:
    """Return the agent and the result of each tool."""
    tools = [each.record for each in fake.ended if each.name.startswith("execute_tool")]
    return [(tool.attributes["gen_ai.agent.name"], tool.content.get("gen_ai.tool.call.result")) for tool in tools]


def alive() -> int:
    gc.collect()
    return sum(isinstance(each, tool_windows.Window) for each in gc.get_objects())


def test_agents_that_take_turns_in_one_thread(fake: FakeSink) -> None:
    """Each has a span of its own, and the server gives the same ids to both."""
    agents = {name: start(AgentRun(agent_name=name)) for name in "ab"}
    for turn in range(3):
        for name, agent in agents.items():
            with agent:
                ask(WEATHER, model=name, results=[ToolResult("1", result=name)] if turn else ())
        for agent in agents.values():
            with agent:
                embed()
    for name, agent in agents.items():
        with agent:
            ask(model=name, results=[ToolResult("1", result=name)])
        agent.end()
    turn_of = "execute_tool weather(embeddings e) chat {0}"
    expected = [f"invoke_agent {name}(chat {name} {' '.join([turn_of.format(name)] * 3)})" for name in "ab"]
    assert fake.trees() == expected
    assert given(fake) == [("a", "a"), ("b", "b")] * 3


def test_the_tools_that_a_request_offers_tell_conversations_apart(fake: FakeSink) -> None:
    with run():
        ask(("1", "weather"), offered_tools=["weather"])
        ask(("1", "hotel"), offered_tools=["hotel"])
        ask(results=[ToolResult("1", result="rain")], offered_tools=["weather"])
        ask(results=[ToolResult("1", result="full")], offered_tools=["hotel"])
    tools = [each for each in fake.ended if each.name.startswith("execute_tool")]
    results = {each.name: each.record.content.get("gen_ai.tool.call.result") for each in tools}
    assert results == {"execute_tool weather": "rain", "execute_tool hotel": "full"}


def test_an_id_that_many_conversations_have_tells_none_elsewhere(fake: FakeSink) -> None:
    """As of a server that counts, whose conversations go on in whatever thread: rather none than another's."""
    for name in "abc":
        with run(name):
            ask(WEATHER)
    in_a_thread(lambda: ask(results=["1"]))
    assert fake.inferred() == []


def test_an_id_that_many_conversations_have_tells_none_in_one_trace(fake: FakeSink) -> None:
    """As the same, in a process whose run is one trace."""
    with run("all"):
        for name in "ab":
            with run(name):
                ask(WEATHER)
        for name in "ab":
            with run(name):
                ask(results=["1"])
    assert fake.inferred() == []


def test_a_name_tells_a_conversation_that_goes_on_elsewhere_in_the_trace(fake: FakeSink) -> None:
    """A format without ids, and each call of the model in a span of its own."""
    with run():
        with run("turn"):
            ask((None, "weather"))
        with run("turn"):
            ask(results=[ToolResult(None, "weather")])
    assert len(fake.inferred()) == 1


def test_history_of_another_process_is_no_tool(fake: FakeSink) -> None:
    with run():
        ask(results=["x", "y"])
        ask((None, "weather"))
    with run("other"):
        ask(results=[ToolResult("x", "weather"), ToolResult(None, "news"), ToolResult(None)])
    assert fake.inferred() == []


def test_a_response_that_is_fetched_again_asks_for_the_same_tools(fake: FakeSink) -> None:
    with run():
        for _ in range(3):
            answer(start(FetchedResponse(response_id="r")), WEATHER)
        ask(results=["1"])
        ask(results=["1"])
    assert fake.inferred() == ["1"]
    assert not tool_windows.windows.waiting


def test_a_tool_that_is_told_of_in_another_conversation(fake: FakeSink) -> None:
    """The server gives the same id to a call there."""

    def other() -> None:
        with run("b"):
            ask(WEATHER)
            told("weather", "1")
            ask(results=["1"])

    with run("a"):
        ask(WEATHER)
        in_a_thread(other)
        ask(results=["1"])
    assert sorted(given(fake)) == [("a", None), ("b", None)]
    assert fake.inferred() == ["1"]


def test_a_tool_that_is_told_of_twice_is_one(fake: FakeSink) -> None:
    """As by a framework, and by MCP's client inside of its tool."""
    with run():
        ask(("1", "weather"), ("2", "weather"))
        told("weather", "1")
        told("weather", "1")
        ask(results=["2", "1"])
    assert fake.inferred() == ["2"]


def test_what_others_tell_of_is_not_waited_for(fake: FakeSink) -> None:
    """As with a framework whose model no client of ours asks: nobody says which results come."""
    for _ in range(5):
        with run():
            ask(WEATHER, HOTEL, offered_tools=None)
            told("weather", "1")
            told("hotel", "2")
            ask(offered_tools=None)
    assert not tool_windows.windows.waiting
    assert fake.inferred() == []


def test_conversations_that_never_end_are_forgotten(fake: FakeSink) -> None:
    for number in range(1000):
        with run(str(number)):
            ask((str(number), f"tool{number}"), offered_tools=[f"tool{number}"])
    assert len(tool_windows.windows.waiting) <= 256
    assert alive() < 300
    assert fake.inferred() == []


def test_questions_that_follow_each_other_are_forgotten(fake: FakeSink) -> None:
    with run():
        for number in range(1000):
            ask((str(number), f"tool{number}"), offered_tools=[f"tool{number}"])
            embed()
        tool_windows.windows.forget()
        assert alive() < 10
    fake.ended.clear()


def test_a_thousand_conversations_that_overlap(fake: FakeSink) -> None:
    with run():
        ask(("0", "tool0"), offered_tools=["tool0"])
        for number in range(1, 1000):
            ask((str(number), f"tool{number}"), offered_tools=[f"tool{number}"])
            ask(results=[str(number - 1)], offered_tools=[f"tool{number - 1}"])
        assert alive() < 10
    assert len(fake.inferred()) == 999


def test_results_one_request_at_a_time(fake: FakeSink) -> None:
    with run():
        ask(WEATHER, HOTEL)
        ask(results=["1"])
        ask(results=["2", "1"])
    assert fake.trees() == ["invoke_agent a(chat m execute_tool weather chat m execute_tool hotel chat m)"]


def test_a_request_that_is_tried_again_once_the_tools_are_known(fake: FakeSink) -> None:
    with run():
        ask(WEATHER)
        embed()
        for _ in range(3):
            start(request(results=["1"])).end(ConnectionError())
        ask(HOTEL, results=["1"])
        embed()
        ask(results=["2", "1"])
    turns = "execute_tool weather(embeddings e) chat m chat m chat m chat m execute_tool hotel(embeddings e) chat m"
    assert fake.trees() == [f"invoke_agent a(chat m {turns})"]
