"""What OpenAI's Agents SDK can do besides the story: its own models, agents as tools, guardrails, and hygiene."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import BudgetTests
from tests.instrumentors.frameworks.drivers import driver
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, cancel
from tests.instrumentors.mcp.library import PROGRAM
from tests.instrumentors.openai_agents import fakes
from tests.instrumentors.openai_agents.library import MODEL, OLDEST
from tests.instrumentors.run_scenarios import ENVIRONMENT, instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[False, True], ids=["tracing on", "tracing off"])
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    stub.reset()
    with driver("async", stub) as made, instrumented():
        yield made.using(tracing_is_off=request.param)


def without_turns(spans: list[Any]) -> list[Any]:
    """Return the spans with what is in a turn put into its agent: the oldest release has no turns."""
    turns = {span.context.span_id: span.parent for span in spans if span.name == "step turn"}
    return [_Moved(span, turns) for span in spans if span.context.span_id not in turns]


class _Moved:
    """A span whose parent is the one around the turn."""

    def __init__(self, span: Any, turns: dict[int, Any]) -> None:
        self._span = span
        self.parent = span.parent
        while self.parent is not None and self.parent.span_id in turns:
            self.parent = turns[self.parent.span_id]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)


def chat(model: str, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


def workflow(*children: Node, **attributes: Any) -> Node:
    return Node("invoke_workflow", *children, kind="INTERNAL", status="UNSET", attributes=attributes)


class TestAgents(BudgetTests):
    pass


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_the_client_tells_each_call_once(api: str, way: str, its: Any, telemetry: Any) -> None:
    its.api = api
    agent = its.agent(story.weather)
    if way == "stream":
        its.read(its.stream(agent))
    else:
        its.ask(agent)
    told = {
        "gen_ai.response.model": f"{MODEL}-2025-08-07",
        "openai.api.type": "chat_completions" if api == "chat" else "responses",
        "gen_ai.conversation.id": story.CONVERSATION,
        "gen_ai.request.stream": True if way == "stream" else None,
    }
    tool = Node("execute_tool weather", attributes={"gen_ai.agent.name": story.AGENT, "gen_ai.tool.type": "function"})
    assert_trees(
        without_turns(telemetry.spans()), workflow(story.agent(chat(MODEL, **told), tool, chat(MODEL, **told)))
    )
    if ENVIRONMENT == OLDEST and (api, way) == ("chat", "stream"):
        # This release loses the id itself.
        return
    call = next(span for span in telemetry.spans() if span.name == "execute_tool weather")
    assert call.attributes["gen_ai.tool.call.id"].startswith("call_")


def test_an_agent_as_a_tool_is_inside_of_the_tool(its: Any, telemetry: Any) -> None:
    inner = its.named("inner")
    its.ask(its.named(story.AGENT, tools=[inner.as_tool("ask_inner", "Ask another agent.")]))
    assert_trees(
        without_turns(telemetry.spans()),
        workflow(
            story.agent(
                chat(fakes.MODEL),
                Node("execute_tool ask_inner", Node("invoke_agent inner", chat(fakes.MODEL))),
                chat(fakes.MODEL),
            )
        ),
    )


def test_a_tool_of_an_mcp_server_is_one_span(its: Any, telemetry: Any) -> None:
    server_type = importlib.import_module("agents.mcp").MCPServerStdio
    params = {"command": sys.executable, "args": [PROGRAM, "mcp", "weather", "fail"]}

    async def asking() -> None:
        async with server_type(params=params) as server:
            await its.asking(its.named(story.AGENT, mcp_servers=[server]))

    its.run(asking())
    told = {span.name: span for span in telemetry.spans()}
    assert {name for name in told if name.startswith("tools/call")} == set()
    tool = told["execute_tool weather"]
    assert tool.attributes["mcp.method.name"] == "tools/call"
    assert tool.status.status_code.name == "UNSET"
    assert told["execute_tool fail"].attributes["error.type"] == "tool_error"


def test_a_guardrail_that_stops_a_run_is_no_error(its: Any, telemetry: Any) -> None:
    agents = its.agents

    def stop(*_: Any) -> Any:
        return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    agent = its.named(story.AGENT, input_guardrails=[agents.InputGuardrail(guardrail_function=stop)])
    with pytest.raises(agents.InputGuardrailTripwireTriggered):
        its.ask(agent)
    told = {span.name: span for span in telemetry.spans()}
    for name in ("step stop", f"invoke_agent {story.AGENT}", "invoke_workflow"):
        assert told[name].attributes["obs.outcome"] == "blocked"
        assert told[name].status.status_code.name == "UNSET"


def test_runs_in_a_trace_of_the_agents_are_one_workflow(its: Any, telemetry: Any) -> None:
    with its.agents.trace("two runs", group_id="g-7"):
        for _ in range(2):
            its.ask(its.named(story.AGENT))
    if not its.tracing_is_off:
        runs = [story.agent(chat(fakes.MODEL))] * 2
        told = {"gen_ai.conversation.id": "g-7", "obs.usage.input_tokens": 2 * fakes.INPUT_TOKENS}
        assert_trees(
            without_turns(telemetry.spans()),
            Node("invoke_workflow two runs", *runs, kind="INTERNAL", attributes=told),
        )
    else:
        assert len([span for span in telemetry.spans() if span.name.startswith("invoke_agent")]) == len("ab")


def test_a_run_that_is_let_go_of_is_closed_elsewhere(its: Any) -> None:
    """The fixture ``telemetry`` fails where our guard had to catch something."""

    async def starting() -> Any:
        waiting = story.Waiting()
        run = its.asking(its.agent(waiting.tool()))
        # Some other task begins it, and this one closes it.
        task = asyncio.ensure_future(_started(run))
        await task
        with pytest.raises(ValueError, match="different Context"):  # the library's own
            run.close()

    its.run(starting())


async def _started(run: Any) -> None:
    run.send(None)


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    from obs_instrumentors.openai_agents import events

    with driver("async", stub) as its:

        def switched(way: Any, *, is_off: bool) -> Any:
            return lambda: (its.using(tracing_is_off=is_off), way())

        ways = [
            lambda: its.ask(its.agent(story.weather)),
            lambda: its.abandon(its.stream(its.agent(story.weather))),
            lambda: its.ask(its.team()),
            its.ask_twice_at_once,
            lambda: cancel(its),
        ]
        both = [switched(way, is_off=is_off) for way in ways for is_off in (False, True)]
        assert_leave_nothing(both, events.ongoing, telemetry, times=200)
