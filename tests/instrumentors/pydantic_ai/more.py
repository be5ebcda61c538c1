"""What Pydantic AI can do besides the story: a real client, settings of the agent's own, and hygiene."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import AgentTests
from tests.instrumentors.frameworks.answers import MODEL
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.trees import Node, assert_trees

its = driver_fixture("async")


def chat(model: str = MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


class TestAgents(AgentTests):
    pass


def test_an_agent_asked_by_a_tool_is_inside_of_it(its: Any, telemetry: Any) -> None:
    inner = its.named("inner")

    async def ask(city: str) -> str:
        """Ask another agent."""
        return str((await inner.run(city)).output)

    its.ask(its.agent(ask))
    tool = Node("execute_tool ask", Node("invoke_agent inner", chat()))
    assert_trees(telemetry.spans(), story.agent(chat(), tool, chat()))


def test_an_answer_that_a_validator_refuses_is_no_tool(its: Any, telemetry: Any) -> None:
    retry = import_module("pydantic_ai").ModelRetry
    refused: list[Any] = []
    agent = its.using(is_faked=False).named(story.AGENT, output_type=list[str], retries=2)
    agent.tool_plain(story.weather)

    def refuse_once(answer: Any) -> Any:
        if not refused:
            refused.append(answer)
            raise retry("once more")
        return answer

    agent.output_validator(refuse_once)
    its.run(its.result(agent, f"{story.PROMPT} [stub:tool-rounds=4]"))
    tools = [span for span in telemetry.spans() if span.name.startswith("execute_tool ")]
    assert {span.name for span in tools} == {"execute_tool weather"}
    assert not any(span.attributes.get("obs.tool.inferred") for span in tools)


def test_what_tools_set_on_the_current_span_is_on_the_tools(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    def note(city: str) -> str:
        """Note something."""
        span = trace.get_current_span()
        span.set_attribute("app.city", city)
        span.add_event("noted")
        return city

    its.ask(its.agent(note))
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool note"]
    assert tool.attributes["app.city"] == "Lisbon"
    assert [event.name for event in tool.events] == ["noted"]


@pytest.mark.parametrize("setting", ["all", "one agent"])
def test_an_agent_that_switches_it_on_itself(setting: str, its: Any, telemetry: Any) -> None:
    kind = import_module("pydantic_ai.models.instrumented").InstrumentationSettings
    agent = its.library.Agent
    made = its.agent(story.weather)
    before = agent._instrument_default
    try:
        if setting == "all":
            agent.instrument_all()
        else:
            made.instrument = kind(include_content=True)
        its.ask(made)
    finally:
        agent.instrument_all(before)
    assert_trees(telemetry.spans(), story.agent(chat(), story.tool("weather"), chat()))
    # What may be recorded is the user's word to us alone.
    assert not [name for span in telemetry.spans() for name in span.attributes if "messages" in name]


def test_an_agent_with_a_provider_of_its_own_keeps_it(its: Any, telemetry: Any) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    own = TracerProvider()
    own.add_span_processor(SimpleSpanProcessor(exporter))
    agent = its.agent(story.weather)
    agent.instrument = import_module("pydantic_ai.models.instrumented").InstrumentationSettings(tracer_provider=own)
    its.ask(agent)
    assert f"chat {MODEL}" in [span.name for span in exporter.get_finished_spans()]
    assert telemetry.spans() == []


def test_a_stream_that_is_left_has_not_failed(its: Any, telemetry: Any) -> None:
    async def leave() -> None:
        async with its.agent().run_stream(story.PROMPT) as streamed:
            async for _ in streamed.stream_text():
                break

    its.run(leave())
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}
    assert [span.name for span in telemetry.spans() if span.parent is None] == [f"invoke_agent {story.AGENT}"]


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    with driver("async", stub) as its:

        async def leave() -> None:
            async with its.agent().run_stream(story.PROMPT) as streamed:
                async for _ in streamed.stream_text():
                    break

        def fail() -> None:
            with contextlib.suppress(ValueError):
                its.ask(its.agent(story.broken, handles_errors=False))

        more = [its.ask_and_allow, lambda: its.run(leave()), fail]
        assert_leave_nothing([*ways_of(its), *more], (), telemetry, times=400, library_grows=True)
