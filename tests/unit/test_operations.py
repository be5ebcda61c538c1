"""Operations by themselves: what stands beside their fields, what they inherit, and what a run adds up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import pytest

from obs_run.core import operations, semconv
from obs_run.core.operations import (
    AgentRun,
    DatabaseCall,
    Handoff,
    Inference,
    McpCall,
    Operation,
    RemoteAgentRun,
    Step,
    ToolCall,
    Usage,
    attribute,
)
from tests.semconv import samples


@dataclass
class Answer(Inference):
    """As instrumentors make them: another default, a field of its own, and one that is told."""

    name: str = "chat"
    pieces: int = 0
    prompt_name: str | None = attribute(semconv.PROMPT_NAME)


def test_a_subclass_keeps_attributes_and_adds_its_own() -> None:
    told = Answer(provider="openai", pieces=3, prompt_name="greeting").attributes()
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.prompt.name": "greeting",
    }
    assert "prompt_name" not in Inference.ATTRIBUTES


def test_a_name_is_required_where_there_is_no_usual_one() -> None:
    with pytest.raises(TypeError, match="name"):
        Inference()  # type: ignore[call-arg]


def test_unknown_operation() -> None:
    with pytest.raises(AttributeError, match="'Flight'"):
        operations.Flight  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("operation", samples.operations(), ids=lambda each: type(each).__name__)
def test_content_stays_apart(operation: Operation) -> None:
    assert operation.attributes().keys().isdisjoint(operation.content())
    assert set(operation.content()) <= semconv.CONTENT
    assert set(operation.content()) <= set(operation.CONTENT.values())
    assert None not in operation.content().values()


def test_a_representation_shows_what_is_known() -> None:
    assert repr(ToolCall(tool_name="weather")) == "ToolCall(name='execute_tool', tool_name='weather', extra={})"


def test_pricing() -> None:
    usage = Usage(100, 5, cache_write_tokens=30, cache_write_5m_tokens=20, cache_write_1h_tokens=0)
    call = Inference("chat", usage=usage, price_context={"speed": "fast"})
    assert call.pricing() == {
        "cache_write_5m_tokens": 20,
        "cache_write_1h_tokens": 0,
        "context": {"speed": "fast"},
    }
    assert Inference("chat", usage=Usage(1, 1)).pricing() == {}
    assert Inference("chat").pricing() == {}
    assert AgentRun().pricing() == {}


def run_inside(*chain: Operation) -> Operation:
    """Return the last operation, each one inside of that before it."""
    for outer, inner in pairwise(chain):
        inner.inherit(outer)
    return chain[-1]


def agent_run() -> AgentRun:
    return AgentRun(agent_id="a1", agent_name="planner", conversation_id="c1")


def test_what_happens_inside_inherits_conversation_and_agent() -> None:
    tool = run_inside(agent_run(), Step(step_name="search"), ToolCall(tool_name="weather"))
    assert tool.attributes()["gen_ai.conversation.id"] == "c1"
    assert tool.attributes()["gen_ai.agent.name"] == "planner"
    call = run_inside(tool, Inference("chat"))
    assert call.attributes() == {"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "c1"}
    assert (call.agent_id, call.agent_name) == ("a1", "planner")


def test_inheritance_passes_through_what_shows_nothing_of_it() -> None:
    store = DatabaseCall("fetch", system="chromadb")
    protocol = McpCall("tools/call", tool_name="weather")
    tool = run_inside(agent_run(), store, protocol, ToolCall())
    assert "gen_ai.conversation.id" not in {**store.attributes(), **protocol.attributes()}
    assert tool.attributes()["gen_ai.conversation.id"] == "c1"
    assert tool.attributes()["gen_ai.agent.name"] == "planner"


def test_what_is_known_is_kept() -> None:
    tool = run_inside(agent_run(), ToolCall(agent_name="guide", conversation_id="c2"))
    assert (tool.agent_id, tool.agent_name, tool.conversation_id) == (None, "guide", "c2")


@pytest.mark.parametrize("inner", [AgentRun, RemoteAgentRun])
def test_an_agent_inside_of_another_is_not_the_other(inner: type[AgentRun | RemoteAgentRun]) -> None:
    run = run_inside(agent_run(), inner())
    assert run.span_name() == "invoke_agent"
    assert (run.agent_id, run.agent_name, run.conversation_id) == (None, None, "c1")


def test_a_hand_off_is_from_the_agent_that_it_happens_in() -> None:
    handoff = run_inside(agent_run(), Handoff(to_agent="guide"))
    assert handoff.span_name() == "handoff guide"
    assert handoff.attributes()["gen_ai.agent.name"] == "planner"
    assert handoff.attributes()["obs.handoff.to_agent"] == "guide"


def tokens(run: AgentRun) -> dict[str, int]:
    return {name.rpartition(".")[2]: value for name, value in run.attributes().items() if ".usage." in name}


def test_a_run_adds_up_what_is_used_inside() -> None:
    run = agent_run()
    assert tokens(run) == {}
    run.statistics.end_model_call(0, None, None)
    assert tokens(run) == {}
    run.statistics.end_model_call(0, 10, None)
    run.statistics.end_model_call(0, 5, 0)
    assert tokens(run) == {"input_tokens": 15, "output_tokens": 0}
    run.usage = Usage(20, 7, cache_read_tokens=4)
    assert tokens(run) == {"input_tokens": 20, "output_tokens": 7}


def test_calls_that_end_at_once_are_all_counted() -> None:
    run = agent_run()

    def end_calls(_: int) -> None:
        for _call in range(2000):
            run.statistics.end_model_call(0, 1, 2)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(end_calls, range(4)))
    assert tokens(run) == {"input_tokens": 8000, "output_tokens": 16000}


def test_calls_of_tools_over_mcp_are_found_among_all() -> None:
    assert McpCall("tools/call", tool_name="weather").attributes()["gen_ai.operation.name"] == "execute_tool"
    assert "gen_ai.operation.name" not in McpCall("tools/list").attributes()
    assert McpCall("prompts/get", prompt_name="greeting").span_name() == "prompts/get greeting"
    assert McpCall("resources/read", resource_uri="file:///a").span_name() == "resources/read"
