"""What AG2's newer agents do besides the story: agents as tools, hubs, a real client, their own spans, and hygiene."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.ag2.library import ANSWER, CLIENTS_MODEL, INPUT_TOKENS, LIBRARY, MODEL, OUTPUT_TOKENS, SYSTEM
from tests.instrumentors.frameworks import stopping, story
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_shapes, assert_trees
from tests.semconv import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAT = Node(f"chat {MODEL}", kind="CLIENT", status="UNSET")


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    stub.reset()
    driver: Any = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


def test_a_budget_stops_a_run(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping.assert_stops_a_run(its, telemetry, monkeypatch)


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_the_client_tells_each_call_once(way: str, its: Any, telemetry: Any) -> None:
    agent = its.using(is_faked=False).named(story.AGENT, story.weather, config=its.model(streaming=way == "stream"))
    its.ask(agent)
    told = {
        "gen_ai.response.model": f"{CLIENTS_MODEL}-2025-08-07",
        "openai.api.type": "chat_completions",
        "gen_ai.request.stream": True if way == "stream" else None,
    }
    chat = Node(f"chat {CLIENTS_MODEL}", kind="CLIENT", status="UNSET", attributes=told)
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool weather"]
    assert tool.attributes["gen_ai.tool.call.id"]
    assert_trees(telemetry.spans(), story.agent(chat, story.tool("weather"), chat))


@pytest.mark.usefixtures("with_content")
def test_what_a_model_is_asked_and_answers(its: Any, telemetry: Any) -> None:
    its.ask(its.agent(story.weather))
    _, chat = [span for span in telemetry.spans() if span.name == f"chat {MODEL}"]
    call = '{"type":"tool_call","id":"call_weather","name":"weather","arguments":"{\\"city\\": \\"Lisbon\\"}"}'
    result = '{"type":"tool_call_response","id":"call_weather","response":"rain in Lisbon"}'
    asked = (
        f'[{{"role":"user","parts":[{{"type":"text","content":"{story.PROMPT}"}}]}},'
        f'{{"role":"assistant","parts":[{call}]}},{{"role":"tool","parts":[{result}]}}]'
    )
    assert chat.attributes["gen_ai.input.messages"] == asked
    assert chat.attributes["gen_ai.system_instructions"] == f'[{{"type":"text","content":"{SYSTEM}"}}]'
    assert '"name":"weather"' in chat.attributes["gen_ai.tool.definitions"]
    assert ANSWER in chat.attributes["gen_ai.output.messages"]
    assert chat.attributes["gen_ai.response.model"] == f"{MODEL}-today"
    assert list(chat.attributes["gen_ai.response.finish_reasons"]) == ["stop"]
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool weather"]
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"city": "Lisbon"}'
    assert tool.attributes["gen_ai.tool.call.result"] == "rain in Lisbon"


def test_what_else_a_call_used(its: Any, telemetry: Any) -> None:
    events = its.events
    counts = {"cache_read_input_tokens": 4.0, "cache_creation_input_tokens": 2.0, "thinking_tokens": 3.0}
    usage = events.Usage(prompt_tokens=12.0, completion_tokens=5.0, **counts)
    config = import_module(f"{its.package}.testing").TestConfig(
        events.ModelResponse(events.ModelMessage(ANSWER), usage=usage)
    )
    its.ask(its.named(story.AGENT, config=config))
    (chat,) = [span for span in telemetry.spans() if span.name.startswith("chat")]
    told = {name: value for name, value in chat.attributes.items() if "usage" in name}
    told = {name: value for name, value in told.items() if name not in exceptions.VIEWERS}
    assert told == {
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_write.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 3,
    }


def test_a_conversation_goes_on(its: Any, telemetry: Any) -> None:
    agent = its.agent()

    async def ask() -> None:
        reply = await agent.ask(story.PROMPT)
        await reply.ask("And tomorrow?")

    its.run(ask())
    runs = [span for span in telemetry.spans() if span.name.startswith("invoke_agent")]
    assert len(runs) == 2
    assert len({span.attributes["gen_ai.conversation.id"] for span in runs}) == 1
    assert_trees(telemetry.spans(), story.agent(CHAT), story.agent(CHAT))


def test_an_agent_that_is_a_tool_is_inside_of_it(its: Any, telemetry: Any) -> None:
    inner = its.named("inner")
    its.ask(its.named(story.AGENT, inner.as_tool(description="Knows the weather.")))
    tool = Node("execute_tool task_inner", Node("invoke_agent inner", CHAT), status="UNSET")
    assert_trees(telemetry.spans(), story.agent(CHAT, tool, CHAT))


def test_subtasks_of_a_model_are_agents_of_one_name(its: Any, telemetry: Any) -> None:
    events, testing = its.events, import_module(f"{its.package}.testing")
    asked = events.ToolCallEvent("run_subtasks", arguments='{"tasks": ["a", "b"]}')
    tasks = its.library.TaskConfig(config=its.model())
    its.ask(its.named(story.AGENT, config=testing.TestConfig(asked, ANSWER), tasks=tasks))
    subtask = story.agent(story.chat(), name="subtask")
    tool = Node("execute_tool run_subtasks", subtask, subtask, status="UNSET")
    assert_shapes(telemetry.spans(), story.agent(story.chat("run_subtasks"), tool, story.chat()))


def test_a_model_that_fails_fails_the_agent(its: Any, telemetry: Any) -> None:
    with pytest.raises(ValueError, match="busy"):
        its.ask(its.named(story.AGENT, config=its.model(error=ValueError("busy"))))
    failed = {"error.type": "ValueError"}
    chat = Node("chat", status="ERROR", attributes=failed)
    assert_shapes(telemetry.spans(), Node(f"invoke_agent {story.AGENT}", chat, status="ERROR", attributes=failed))


def test_a_tool_that_nobody_has(its: Any, telemetry: Any) -> None:
    its.ask(its.named(story.AGENT, config=its.model(asks_for=("nothing",))))
    tool = Node("execute_tool nothing", status="ERROR")
    assert_shapes(telemetry.spans(), story.agent(Node("chat"), tool, Node("chat")))


def test_middleware_of_the_agents_is_inside_of_its_run(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    library = import_module(f"{its.package}.middleware")

    class Twice(library.BaseMiddleware):  # type: ignore[misc, name-defined]  # a class of the library's
        async def on_turn(self, call_next: Any, event: Any, context: Any) -> Any:
            with trace.get_tracer("mine").start_as_current_span("guard"):
                return await call_next(event, context)

        async def on_llm_call(self, call_next: Any, events: Any, context: Any) -> Any:
            await call_next(events, context)
            return await call_next(events, context)

    its.ask(its.named(story.AGENT, middleware=[library.Middleware(Twice)]))
    assert_trees(telemetry.spans(), story.agent(Node("guard", CHAT, CHAT)))


@pytest.mark.parametrize("whose", ["the process's", "the user's"])
def test_the_librarys_own_spans(whose: str, its: Any, telemetry: Any) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    mine = TracerProvider()
    mine.add_span_processor(SimpleSpanProcessor(kept))
    kind = import_module(f"{its.package}.middleware.builtin.telemetry").TelemetryMiddleware
    middleware = kind() if whose == "the process's" else kind(tracer_provider=mine)
    its.ask(its.named(story.AGENT, story.weather, middleware=[middleware]))
    if whose == "the process's":
        assert_shapes(telemetry.spans(), story.ONE_TOOL)
    names = [f"chat {MODEL}", f"chat {MODEL}", "execute_tool weather", f"invoke_agent {story.AGENT}"]
    assert sorted(span.name for span in telemetry.spans()) == names
    assert bool(kept.get_finished_spans()) is (whose == "the user's")


def test_two_tasks_read_the_events_of_a_turn(its: Any, telemetry: Any) -> None:
    """As a server does that sends the events on while the turn goes on by itself."""
    from opentelemetry import trace

    agent = its.agent(story.weather)

    async def serve() -> Any:
        async with agent.run(story.PROMPT) as run:
            with run.stream.join() as events:
                run.start()
                async for event in events:
                    assert not trace.get_current_span().get_span_context().is_valid
                    if type(event).__name__ == "ModelResponse" and not event.tool_calls:
                        break
            return (await run.result()).body

    assert its.run(serve()) == ANSWER
    assert_shapes(telemetry.spans(), story.ONE_TOOL)


def test_a_turn_that_is_left_is_cancelled(its: Any, telemetry: Any) -> None:
    waiting = story.Waiting()
    agent = its.agent(waiting.tool())

    async def leave() -> None:
        async with agent.run(story.PROMPT) as run:
            run.start()
            await asyncio.wait_for(waiting.has_started.wait(), story.TIMEOUT)

    its.run(leave())
    assert_shapes(telemetry.spans(), story.CANCELLED)


def test_a_turn_that_never_begins_is_none(its: Any, telemetry: Any) -> None:
    async def look() -> None:
        async with its.agent().run(story.PROMPT):
            pass

    its.run(look())
    assert telemetry.spans() == []


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    its: Any = LIBRARY.driver("async", stub)

    async def rest() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    def leave() -> None:
        its.abandon(its.stream(its.agent(story.weather)))
        # A tool in a thread is waited for.
        its.run(rest())

    def fail() -> None:
        with contextlib.suppress(ValueError):
            its.ask(its.named(story.AGENT, config=its.model(error=ValueError("busy"))))

    def cancel() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            its.ask_and_cancel()

    ways = [
        lambda: its.ask(its.agent(story.weather)),
        lambda: its.read(its.stream(its.agent(story.weather, story.population))),
        lambda: its.ask(its.agent(story.broken)),
        its.ask_twice_at_once,
        its.ask_and_allow,
        leave,
        fail,
        cancel,
    ]
    assert_leave_nothing(ways, (), telemetry, times=200, library_grows=True)
    its.close()


def test_what_is_used_is_counted_once(its: Any, telemetry: Any) -> None:
    its.ask(its.named(story.AGENT, its.named("inner").as_tool(description="Knows the weather.")))
    (outer,) = [span for span in telemetry.spans() if span.name == f"invoke_agent {story.AGENT}"]
    assert outer.attributes["gen_ai.usage.input_tokens"] == 3 * INPUT_TOKENS
    assert outer.attributes["gen_ai.usage.output_tokens"] == 3 * OUTPUT_TOKENS
