"""What Agent Framework can do besides the story: a real client, workflows, middleware, settings, and hygiene."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import AgentTests
from tests.instrumentors.frameworks.answers import MODEL
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.trees import Node, assert_shapes, assert_trees

its = driver_fixture("async")


class TestAgents(AgentTests):
    pass


def test_an_agent_as_a_tool_is_inside_of_it(its: Any, telemetry: Any) -> None:
    inner = its.named("inner", description="Knows.")
    its.ask(its.named(story.AGENT, inner.as_tool(name="ask", arg_name="city")))
    within = Node("execute_tool ask", story.agent(story.chat(), name="inner"))
    assert_shapes(telemetry.spans(), story.agent(story.chat("ask"), within, story.chat()))
    (outer,) = [span for span in telemetry.spans() if span.parent is None]
    assert outer.attributes["gen_ai.usage.input_tokens"] == 3 * 12


def test_a_switch_of_the_librarys_records_no_more_than_the_user_allows(its: Any, telemetry: Any) -> None:
    settings = import_module("agent_framework.observability").OBSERVABILITY_SETTINGS
    settings.enable_sensitive_data = True
    try:
        its.ask(its.agent(story.weather))
    finally:
        settings.enable_sensitive_data = False
    assert_shapes(telemetry.spans(), story.ONE_TOOL)
    texts = [str(dict(span.attributes)) for span in telemetry.spans()]
    assert not [text for text in texts if story.PROMPT in text or "rain" in text]


def test_a_tracer_that_the_agent_asks_for_is_its_own(its: Any, telemetry: Any) -> None:
    tracer = import_module("agent_framework.observability").get_tracer()
    with tracer.start_as_current_span("my scenario"):
        its.ask(its.agent())
    assert_trees(telemetry.spans(), Node("my scenario", story.agent(Node(f"chat {MODEL}"))))


def workflow(its: Any) -> Any:
    library = its.library
    first, second = its.named("first"), its.named("second")
    builder = library.WorkflowBuilder(name="journey", start_executor=first)
    return builder.add_edge(first, second).build()


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_a_workflow_of_agents(way: str, its: Any, telemetry: Any) -> None:
    async def run() -> set[Any]:
        from opentelemetry import trace

        if way == "whole":
            await workflow(its).run(story.PROMPT)
            return set()
        return {trace.get_current_span() async for _ in workflow(its).run(story.PROMPT, stream=True)}

    current = its.run(run())
    assert {span.get_span_context().is_valid for span in current} <= {False}
    made = [
        Node(
            f"step {name}", story.agent(Node(f"chat {MODEL}"), name=name), attributes={"obs.step.type": "AgentExecutor"}
        )
        for name in ("first", "second")
    ]
    named = {"gen_ai.workflow.name": "journey"}
    assert_trees(telemetry.spans(), Node("invoke_workflow journey", *made, kind="INTERNAL", attributes=named))


def test_a_workflow_that_waits_for_an_answer(its: Any, telemetry: Any) -> None:
    library = its.library

    async def begin(_: Any, said: Any, ctx: Any) -> None:
        await ctx.request_info(request_data=said, response_type=str)

    async def go_on(_: Any, asked: Any, said: Any, ctx: Any) -> None:
        await ctx.yield_output(asked + said)

    context = library.WorkflowContext[str, str]
    begin.__annotations__ = {"said": str, "ctx": context}
    go_on.__annotations__ = {"asked": str, "said": str, "ctx": context}
    handlers = {"begin": library.handler(begin), "go_on": library.response_handler(go_on)}
    asking = type("Asking", (library.Executor,), handlers)(id="asking")
    made = library.WorkflowBuilder(name="ask", start_executor=asking).build()

    async def run() -> None:
        result = await made.run("may I? ")
        (request,) = result.get_request_info_events()
        await made.run(responses={request.request_id: "yes"})

    its.run(run())
    first, second = [span for span in sorted(telemetry.spans(), key=lambda each: each.start_time) if not span.parent]
    assert [first.name, second.name] == ["invoke_workflow ask"] * 2
    assert (first.attributes.get("obs.outcome"), first.attributes.get("obs.resumed")) == ("interrupted", None)
    assert (second.attributes.get("obs.outcome"), second.attributes.get("obs.resumed")) == (None, True)


def test_function_middleware_is_around_the_tool(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    seen: list[Any] = []

    async def note(context: Any, call_next: Any) -> None:
        assert context.function.name == "weather"
        seen.append(trace.get_current_span().get_span_context().span_id)
        await call_next()

    note.__annotations__["context"] = its.library.FunctionInvocationContext
    its.ask(its.named(story.AGENT, story.weather, middleware=[note]))
    assert_shapes(telemetry.spans(), story.ONE_TOOL)
    (agent,) = [span for span in telemetry.spans() if span.parent is None]
    assert seen == [agent.context.span_id]


def test_a_client_that_fails_is_the_agents_failure_told_once(its: Any, telemetry: Any) -> None:
    agent = its.agent()

    async def fail(*_: Any) -> Any:
        raise ValueError("no model today")

    agent.client._answer = fail
    with pytest.raises(Exception, match="no model today"):
        its.ask(agent)
    chat = Node("chat", status="ERROR", attributes={"error.type": "ValueError"})
    assert_shapes(telemetry.spans(), story.agent(chat, status="ERROR"))
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


async def leave(its: Any) -> None:
    stream = its.agent(story.weather).run(story.PROMPT, stream=True)
    async for _ in stream:
        break


def test_a_stream_that_is_left_has_not_failed(its: Any, telemetry: Any) -> None:
    import gc

    its.run(leave(its))
    gc.collect()
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    assert (root.name, root.attributes["obs.outcome"]) == (f"invoke_agent {story.AGENT}", "abandoned")


async def in_a_workflow(its: Any) -> None:
    await workflow(its).run(story.PROMPT)


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    with driver("async", stub) as its:
        more = [its.ask_and_allow, lambda: its.run(leave(its)), lambda: its.run(in_a_workflow(its))]
        assert_leave_nothing([*ways_of(its), *more], (), telemetry, times=200, library_grows=True)
