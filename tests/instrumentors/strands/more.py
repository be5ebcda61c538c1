"""What Strands can do besides the story: a real client, graphs, swarms, sessions, interrupts of teams, and hygiene."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import AgentTests
from tests.instrumentors.frameworks.answers import MODEL
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.run_scenarios import ENVIRONMENT
from tests.instrumentors.strands.library import OLDEST, faked_model, told
from tests.instrumentors.trees import Node, assert_shapes

its = driver_fixture("async")


def cycle(number: int, *children: Node, **attributes: Any) -> Node:
    return Node("step cycle", *children, attributes={"obs.step.number": number, **attributes})


class TestAgents(AgentTests):
    def streams(self, way: str) -> bool:
        return bool(way)  # the library's agents always do

    def tree_of(self, chat: Node) -> tuple[Node, ...]:
        return (story.agent(cycle(1, chat, story.tool("weather")), cycle(2, chat)),)


def test_an_agent_asked_by_a_tool_is_inside_of_it(its: Any, telemetry: Any) -> None:
    inner = its.named("inner")

    async def ask(city: str) -> str:
        """Ask another agent."""
        return str(await inner.invoke_async(city))

    its.ask(its.agent(ask))
    within = Node("execute_tool ask", story.agent(story.chat(), name="inner"))
    assert_shapes(telemetry.spans(), story.agent(story.chat("ask"), within, story.chat()))


def test_the_session_of_a_session_manager_is_the_conversation(its: Any, telemetry: Any, tmp_path: Any) -> None:
    kind = import_module("strands.session.file_session_manager").FileSessionManager
    sessions = kind(session_id="session-9", storage_dir=str(tmp_path))
    its.ask(its.named(story.AGENT, story.weather, session_manager=sessions, trace_attributes={"app.team": "travel"}))
    spans = telemetry.spans()
    assert {span.attributes["gen_ai.conversation.id"] for span in spans} == {"session-9"}
    assert {span.attributes["app.team"] for span in spans} == {"travel"}


def graph(its: Any, *tools: Any) -> Any:
    builder = import_module("strands.multiagent").GraphBuilder()
    builder.set_graph_id("journey")
    for name in ("first", "second"):
        agent = its.named(name)
        if name == "first" and tools:
            agent.tool_registry.process_tools(list(tools))
        builder.add_node(agent, name)
    builder.add_edge("first", "second")
    return builder.build()


def test_a_graph_of_agents(its: Any, telemetry: Any) -> None:
    its.run(graph(its).invoke_async(story.PROMPT))
    assert_shapes(
        telemetry.spans(),
        Node(
            "invoke_workflow",
            story.agent(story.chat(), name="first"),
            story.agent(story.chat(), name="second"),
            kind="INTERNAL",
            status="UNSET",
            attributes={"gen_ai.workflow.name": "journey"},
        ),
    )


def test_a_graph_that_waits_for_a_person(its: Any, telemetry: Any) -> None:
    def book(tool_context: Any, city: str) -> str:
        """Book a journey."""
        return f"booked {city}: {tool_context.interrupt('allow', reason=city)}"

    book.__annotations__["tool_context"] = import_module("strands.types.tools").ToolContext
    made = graph(its, its.library.tool(context=True)(book))
    first = its.run(made.invoke_async(story.PROMPT))
    answers = [{"interruptResponse": {"interruptId": each.id, "response": "yes"}} for each in first.interrupts]
    its.run(made.invoke_async(answers))
    waiting = story.tool("book", obs__outcome="interrupted")
    assert_shapes(
        telemetry.spans(),
        story.agent(story.chat("book"), waiting, name="first", obs__outcome="interrupted"),
        Node(
            "invoke_workflow",
            story.agent(story.tool("book"), story.chat(), name="first", obs__resumed=True),
            story.agent(story.chat(), name="second"),
            attributes={"obs.resumed": True, "obs.outcome": None},
        ),
    )
    (interrupted,) = [span for span in telemetry.spans() if span.attributes.get("obs.outcome") and span.parent is None]
    assert interrupted.name == "invoke_workflow journey"


def swarm(its: Any) -> Any:
    given = json.dumps({"agent_name": story.SECOND, "message": "book it"})
    agents = [
        its.named(story.AGENT, model=faked_model(handoff_to_agent=given)),
        its.named(story.SECOND, model=its.using(is_faked=False).model()),
    ]
    its.using(is_faked=True)
    agents[1].model.client_args["base_url"] = its.stub.url
    return import_module("strands.multiagent").Swarm(agents, max_handoffs=3)


def test_a_swarm_tells_who_hands_over(its: Any, telemetry: Any) -> None:
    its.run(swarm(its).invoke_async(story.PROMPT))
    handoff = Node(
        f"handoff {story.SECOND}",
        kind="INTERNAL",
        attributes={"gen_ai.agent.name": story.AGENT, "obs.handoff.to_agent": story.SECOND},
    )
    roots = [span for span in telemetry.spans() if span.parent is None]
    assert [span.name for span in roots] == ["invoke_workflow"]
    names = [span.name for span in telemetry.spans()]
    assert handoff.name in names
    (given,) = [span for span in telemetry.spans() if span.name == handoff.name]
    assert handoff.attributes.items() <= dict(given.attributes).items()
    first = next(span for span in telemetry.spans() if span.name == f"invoke_agent {story.AGENT}")
    assert first.attributes["obs.outcome"] == "handoff"
    assert f"invoke_agent {story.SECOND}" in names


def test_nothing_of_a_stream_is_current_where_it_is_read(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    async def read() -> set[Any]:
        stream = its.agent(story.weather).stream_async(story.PROMPT)
        return {trace.get_current_span() async for _ in stream}

    assert its.run(read()) == {trace.INVALID_SPAN}
    assert_shapes(telemetry.spans(), story.ONE_TOOL)


def test_a_stream_that_is_left_has_not_failed(its: Any, telemetry: Any) -> None:
    its.run(leave(its))
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    assert (root.name, root.attributes["obs.outcome"]) == (f"invoke_agent {story.AGENT}", "abandoned")


async def leave(its: Any) -> None:
    stream = its.agent(story.weather).stream_async(story.PROMPT)
    async for event in stream:
        if "event" in event:
            break
    await stream.aclose()


@pytest.mark.parametrize("what", ["agent", "graph"])
def test_a_stream_that_is_left_at_its_result_is_read(what: str, its: Any, telemetry: Any) -> None:
    asked = its.agent(story.weather) if what == "agent" else graph(its)

    async def leave() -> None:
        stream = asked.stream_async(story.PROMPT)
        async for event in stream:
            if "result" in event:
                break
        await stream.aclose()

    its.run(leave())
    assert {span.attributes.get("obs.outcome") for span in telemetry.spans()} == {None}
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}


def test_what_tools_set_on_the_current_span_is_on_the_tools(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    def note(city: str) -> str:
        """Note something."""
        trace.get_current_span().set_attribute("app.city", city)
        return city

    its.ask(its.agent(note))
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool note"]
    assert tool.attributes["app.city"] == "Lisbon"


def test_a_model_that_fails_is_the_agents_failure_told_once(its: Any, telemetry: Any) -> None:
    class Failing(type(faked_model())):  # type: ignore[misc]  # a class of the library's
        """A model that fails."""

        async def stream(self, *_: Any, **__: Any) -> Any:
            """Fail."""
            raise ValueError("no model today")
            yield

    with pytest.raises(Exception, match="no model today"):
        its.ask(its.named(story.AGENT, model=Failing(model_id=MODEL)))
    chat = Node("chat", status="ERROR", attributes={"error.type": "ValueError"})
    assert_shapes(telemetry.spans(), story.agent(chat, status="ERROR"))
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    with driver("async", stub) as its, driver("sync", stub) as synchronous:
        ways = [
            *ways_of(its, cancels=ENVIRONMENT != OLDEST),
            lambda: synchronous.ask(synchronous.agent(story.weather)),
            its.ask_and_allow,
            lambda: its.run(leave(its)),
            lambda: told(its.run(its.agent().invoke_async(story.PROMPT))),
        ]
        assert_leave_nothing(ways, (), telemetry, times=200, library_grows=True)
