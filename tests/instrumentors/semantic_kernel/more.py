"""What Semantic Kernel can do besides the story: orchestrations, functions, a real client, and hygiene."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import Any

import pytest

from obs_run import tracing
from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import AgentTests
from tests.instrumentors.frameworks.answers import ANSWER, CLIENTS_MODEL, MODEL
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.semantic_kernel.library import PLUGIN
from tests.instrumentors.trees import Node, assert_trees

CHAT = Node(f"chat {MODEL}", kind="CLIENT", status="UNSET")
TOOL = f"execute_tool {PLUGIN}-weather"


its = driver_fixture("async")


def workflow(*children: Node, **attributes: Any) -> Node:
    told = {each.replace("__", "."): value for each, value in attributes.items()}
    return Node("invoke_workflow", *children, kind="INTERNAL", attributes=told)


def member(name: str, *children: Node, **attributes: Any) -> Node:
    told = {each.replace("__", "."): value for each, value in attributes.items()}
    return Node(f"invoke_agent {name}", *(children or (CHAT,)), status="UNSET", attributes=told)


def orchestrate(its: Any, kind: str, members: list[Any], **more: Any) -> Any:
    """Run an orchestration on a runtime that was started before, and return its answer."""
    runtime_kind = import_module("semantic_kernel.agents.runtime").InProcessRuntime

    async def ask() -> Any:
        runtime = runtime_kind()
        runtime.start()
        asked = await getattr(its.agents, kind)(members=members, **more).invoke(story.PROMPT, runtime)
        try:
            return await asked.get(timeout=story.TIMEOUT)
        finally:
            await runtime.stop_when_idle()

    return its.run(ask())


class TestAgents(AgentTests):
    pass


@pytest.mark.parametrize("way", ["get_response", "invoke", "invoke_stream"])
def test_a_run_is_one_conversation_whatever_asks(way: str, its: Any, telemetry: Any) -> None:
    agent = its.using(is_faked=False).named(story.AGENT, story.weather)

    async def ask() -> None:
        asked = getattr(agent, way)(messages=story.PROMPT)
        if way == "get_response":
            await asked
        else:
            assert [item async for item in asked]

    its.run(ask())
    chat = Node(f"chat {CLIENTS_MODEL}", attributes={"openai.api.type": "chat_completions"})
    assert_trees(telemetry.spans(), member(story.AGENT, chat, Node(TOOL), chat))
    spans = [span for span in telemetry.spans() if span.name != TOOL]
    assert len({span.attributes["gen_ai.conversation.id"] for span in spans}) == 1


@pytest.mark.usefixtures("with_content")
def test_a_function_has_its_arguments_and_result(its: Any, telemetry: Any) -> None:
    its.ask(its.named(story.AGENT, story.weather))
    told = {
        "gen_ai.tool.call.arguments": '{"city":"Lisbon"}',
        "gen_ai.tool.call.result": "rain in Lisbon",
        "gen_ai.tool.call.id": f"call_{PLUGIN}-weather",
        "gen_ai.tool.description": "Tell the weather of a city.",
    }
    assert_trees(telemetry.spans(), member(story.AGENT, CHAT, Node(TOOL, attributes=told), CHAT))


def test_the_same_call_again_is_known_whether_or_not_content_is_recorded(its: Any, telemetry: Any) -> None:
    kernel = its.library.Kernel()
    kernel.add_plugin(its.plugin(story.weather))

    async def ask() -> None:
        with tracing.trace_agent(story.AGENT):
            for city in ("Lisbon", "Lisbon", "Porto"):
                await kernel.invoke(plugin_name=PLUGIN, function_name="weather", city=city)

    its.run(ask())
    tool = Node(TOOL, attributes={"gen_ai.tool.call.arguments": None})
    counted = {"obs.run.tool_calls": 3, "obs.run.repeated_tool_calls": 1}
    assert_trees(telemetry.spans(), Node(f"invoke_agent {story.AGENT}", tool, tool, tool, attributes=counted))


def test_functions_that_the_agents_own_code_calls(its: Any, telemetry: Any) -> None:
    kernel = its.library.Kernel()
    kernel.add_service(its.model())
    kernel.add_plugin(its.plugin(story.weather))
    its.run(kernel.invoke(plugin_name=PLUGIN, function_name="weather", city="Lisbon"))
    its.run(kernel.invoke_prompt("How is {{$city}}?", function_name="ask", plugin_name="prompts", city="Lisbon"))
    assert_trees(telemetry.spans(), Node(TOOL), Node("invoke_workflow prompts-ask", CHAT, kind="INTERNAL"))


def test_a_prompt_that_is_streamed(its: Any, telemetry: Any) -> None:
    kernel = its.library.Kernel()
    kernel.add_service(its.model())
    its.read(kernel.invoke_prompt_stream("How is it?", function_name="ask", plugin_name="prompts"))
    assert_trees(telemetry.spans(), Node("invoke_workflow prompts-ask", CHAT, kind="INTERNAL"))


def test_names_that_nobody_gave_are_not_told(its: Any, telemetry: Any) -> None:
    kernel = its.library.Kernel()
    kernel.add_service(its.model())
    its.run(kernel.invoke_prompt("How is it?"))
    agent = its.agents.ChatCompletionAgent(service=its.model(), id="an-id")
    its.run(agent.get_response(messages=story.PROMPT))
    unnamed = Node("invoke_agent", CHAT, attributes={"gen_ai.agent.id": "an-id", "gen_ai.agent.name": None})
    assert_trees(telemetry.spans(), Node("invoke_workflow", CHAT, kind="INTERNAL"), unnamed)


@pytest.mark.parametrize("way", ["invoke", "invoke_stream"])
def test_a_chat_of_a_group(way: str, its: Any, telemetry: Any) -> None:
    group = its.agents.AgentGroupChat(agents=[its.named("a"), its.named("b")])
    group.termination_strategy.maximum_iterations = 2

    async def ask() -> None:
        await group.add_chat_message(story.PROMPT)
        assert [piece async for piece in getattr(group, way)()]
        assert [piece async for piece in getattr(group, way)(agent=group.agents[0])]

    its.run(ask())
    assert_trees(telemetry.spans(), workflow(member("a"), member("b")), member("a"))


def test_a_hand_off_between_agents(its: Any, telemetry: Any) -> None:
    handoffs = import_module("semantic_kernel.agents.orchestration.handoffs").OrchestrationHandoffs()
    members = [its.named(story.AGENT), its.named(story.SECOND)]
    handoffs.add(story.AGENT, story.SECOND, "Books.")
    with contextlib.suppress(RuntimeError, TimeoutError):
        # Nobody says that the task is done.
        orchestrate(its, "HandoffOrchestration", members, handoffs=handoffs)
    transfer = Node("execute_tool Handoff-transfer_to_booker", Node(f"handoff {story.SECOND}"))
    (first,) = [span for span in telemetry.spans() if span.name == f"invoke_agent {story.AGENT}"]
    assert first.attributes["obs.outcome"] == "handoff"
    shown = workflow(member(story.AGENT, CHAT, transfer), member(story.SECOND), obs__usage__input_tokens=24)
    assert_trees(telemetry.spans(), shown)


def test_agents_one_after_the_other(its: Any, telemetry: Any) -> None:
    assert str(orchestrate(its, "SequentialOrchestration", [its.named("a"), its.named("b")])) == ANSWER
    assert_trees(telemetry.spans(), workflow(member("a"), member("b"), obs__outcome=None))


def test_agents_at_once_have_the_name_that_was_given(its: Any, telemetry: Any) -> None:
    orchestrate(its, "ConcurrentOrchestration", [its.named("a"), its.named("b")], name="both")
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    assert root.name == "invoke_workflow both"
    agents = {span.name: span.parent.span_id for span in telemetry.spans() if span.name.startswith("invoke_agent")}
    assert agents == dict.fromkeys(["invoke_agent a", "invoke_agent b"], root.context.span_id)


@pytest.mark.usefixtures("with_content")
def test_an_orchestration_says_what_it_was_asked_and_what_came_of_it(its: Any, telemetry: Any) -> None:
    orchestrate(its, "SequentialOrchestration", [its.named("a")])
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    assert story.PROMPT in root.attributes["gen_ai.input.messages"]
    assert ANSWER in root.attributes["gen_ai.output.messages"]


def test_an_orchestration_that_is_cancelled(its: Any, telemetry: Any) -> None:
    runtime_kind = import_module("semantic_kernel.agents.runtime").InProcessRuntime
    waiting = story.Waiting()
    agent = its.named("a", waiting.tool())

    async def ask() -> None:
        runtime = runtime_kind()
        runtime.start()
        asked = await its.agents.SequentialOrchestration(members=[agent]).invoke(story.PROMPT, runtime)
        await asyncio.wait_for(waiting.has_started.wait(), story.TIMEOUT)
        asked.cancel()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    its.run(ask())
    outcomes = {span.name: span.attributes.get("obs.outcome") for span in telemetry.spans()}
    assert outcomes["invoke_workflow"] == "cancelled"
    assert outcomes["invoke_agent a"] == "cancelled"
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}


def test_an_agent_that_is_another_ones_function(its: Any, telemetry: Any) -> None:
    inner = its.named("inner")
    outer = its.agents.ChatCompletionAgent(service=its.model(), name=story.AGENT, plugins=[inner])
    its.run(outer.get_response(messages=story.PROMPT))
    tool = Node("execute_tool inner-inner", member("inner"))
    assert_trees(telemetry.spans(), member(story.AGENT, CHAT, tool, CHAT))


@pytest.mark.parametrize("is_sensitive", [True, False], ids=["sensitive", "plain"])
def test_what_the_agent_switches_on_itself_is_not_told_twice(
    is_sensitive: str, its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("model", "agent"):
        module = import_module(f"semantic_kernel.utils.telemetry.{kind}_diagnostics.decorators")
        settings = getattr(module, "MODEL_DIAGNOSTICS_SETTINGS", None)
        if settings is not None:
            monkeypatch.setattr(settings, "enable_otel_diagnostics", True)
            monkeypatch.setattr(settings, "enable_otel_diagnostics_sensitive", is_sensitive)
    its.ask(its.named(story.AGENT, story.weather))
    its.read(its.stream(its.named(story.AGENT, story.weather)))
    told = member(story.AGENT, CHAT, Node(TOOL), CHAT)
    assert_trees(telemetry.spans(), told, told)
    assert not [span.name for span in telemetry.spans() if story.PROMPT in str(dict(span.attributes))]


def test_a_stream_that_is_left_is_abandoned(its: Any, telemetry: Any) -> None:
    async def leave() -> None:
        async with contextlib.aclosing(its.agent().invoke_stream(messages=story.PROMPT)) as pieces:
            async for _ in pieces:
                break

    its.run(leave())
    (agent,) = [span for span in telemetry.spans() if span.parent is None]
    assert agent.attributes["obs.outcome"] == "abandoned"
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}


def test_nothing_is_current_where_a_stream_is_read(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    group = its.agents.AgentGroupChat(agents=[its.named("a", story.weather), its.named("b")])
    group.termination_strategy.maximum_iterations = 2

    async def read() -> None:
        await group.add_chat_message(story.PROMPT)
        async for _ in group.invoke_stream():
            assert not trace.get_current_span().get_span_context().is_valid
        async for _ in its.agent(story.weather).invoke_stream(messages=story.PROMPT):
            assert not trace.get_current_span().get_span_context().is_valid
        assert not trace.get_current_span().get_span_context().is_valid

    its.run(read())
    assert len([span for span in telemetry.spans() if span.parent is None]) == 2


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    from obs_instrumentors.semantic_kernel import orchestrations

    with driver("async", stub) as its:

        def fail() -> None:
            agent = its.named(story.AGENT)
            with contextlib.suppress(Exception):
                its.run(agent.get_response(messages=story.PROMPT, thread=object()))

        more = [
            lambda: orchestrate(its, "SequentialOrchestration", [its.named("a")]),
            lambda: its.abandon(its.agent().invoke_stream(messages=story.PROMPT)),
            fail,
        ]
        ways = [*ways_of(its), *more]
        assert_leave_nothing(ways, orchestrations.ongoing, telemetry, times=200, library_grows=True)
