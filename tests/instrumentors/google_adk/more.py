"""What Google's ADK can do besides the story: real clients, workflows, memory, plugins, switches, and hygiene."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.frameworks import stopping, story
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing
from tests.instrumentors.google_adk.library import INPUT_TOKENS, LIBRARY, MODEL, OUTPUT_TOKENS, shown
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_shapes, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

GEMINI = "gemini-2.5-flash"
GPT = "gpt-5-mini"


@pytest.fixture
def its(stub: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    assert telemetry is not None
    monkeypatch.setenv("GOOGLE_API_KEY", "none")
    stub.reset()
    driver: Any = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


def ask(its: Any, agent: Any, *said: Any, **more: Any) -> list[Any]:
    """Run an agent and return what its events say."""
    return shown(its.run(its.events(its.runner(agent, **more), *said)))


def chat(model: str = MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


def flow(name: str, *children: Node, **more: Any) -> Node:
    return Node(f"invoke_workflow {name}", *children, kind="INTERNAL", **more)


def run(name: str, *children: Node, **more: Any) -> Node:
    return Node(f"invoke_agent {name}", *children, **more)


def test_a_budget_stops_a_run(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping.assert_stops_a_run(its, telemetry, monkeypatch)


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_litellm_tells_each_call_once(way: str, its: Any, telemetry: Any) -> None:
    model = import_module("google.adk.models.lite_llm").LiteLlm
    agent = its.using(lambda: model(f"openai/{GPT}", api_base=its.stub.url, api_key="none")).agent(story.weather)
    before = telemetry.total("gen_ai.client.inference.usage.input_tokens")
    if way == "stream":
        its.read(its.stream(agent))
    else:
        its.ask(agent)
    told = {
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": f"{GPT}-2025-08-07",
        "gen_ai.request.stream": True if way == "stream" else None,
        "gen_ai.conversation.id": story.CONVERSATION,
    }
    tree = run(story.AGENT, chat(GPT, **told), story.tool("weather"), chat(GPT, **told))
    assert_trees(telemetry.spans(), flow(story.AGENT, tree))
    by_name = {span.name: span.attributes for span in telemetry.spans()}
    used = sum(span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.spans() if span.name == f"chat {GPT}")
    assert used
    assert by_name[f"invoke_agent {story.AGENT}"]["gen_ai.usage.input_tokens"] == used
    assert telemetry.total("gen_ai.client.inference.usage.input_tokens") == before + used


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_googles_client_tells_each_call_once(way: str, its: Any, telemetry: Any) -> None:
    model = import_module("google.adk.models.google_llm").Gemini
    agent = its.using(lambda: model(model=GEMINI, base_url=its.stub.origin)).agent(story.weather)
    if way == "stream":
        its.read(its.stream(agent))
    else:
        its.ask(agent)
    told = {
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.response.model": GEMINI,
        "gen_ai.request.stream": True if way == "stream" else None,
    }
    call = Node(f"generate_content {GEMINI}", kind="CLIENT", status="UNSET", attributes=told)
    assert_trees(telemetry.spans(), flow(story.AGENT, run(story.AGENT, call, story.tool("weather"), call)))


def test_an_agent_as_a_tool_is_inside_of_it(its: Any, telemetry: Any) -> None:
    agent_tool = import_module("google.adk.tools.agent_tool").AgentTool
    ask(its, its.named(story.AGENT, tools=[agent_tool(its.named("inner"))]))
    assert_shapes(
        telemetry.spans(),
        story.agent(
            story.chat("inner"),
            Node("execute_tool inner", Node("invoke_agent inner", story.chat())),
            story.chat(),
        ),
    )
    outer = next(span for span in telemetry.spans() if span.name == f"invoke_agent {story.AGENT}")
    assert outer.attributes["gen_ai.usage.output_tokens"] == 3 * OUTPUT_TOKENS


@pytest.mark.filterwarnings("ignore")  # newer releases have another way for it
@pytest.mark.parametrize("kind", ["SequentialAgent", "ParallelAgent", "LoopAgent"])
def test_agents_one_after_the_other_at_once_and_again(kind: str, its: Any, telemetry: Any) -> None:
    agents = [its.named(name) for name in ("a", "b")]
    more = {"max_iterations": 2} if kind == "LoopAgent" else {}
    ask(its, getattr(its.agents, kind)(name="team", sub_agents=agents, **more))
    children = [run("a", chat()), run("b", chat())] * (2 if more else 1)
    team = next(span for span in telemetry.spans() if span.name == "invoke_agent team")
    assert team.attributes["gen_ai.usage.input_tokens"] == len(children) * INPUT_TOKENS
    assert_trees(telemetry.spans(), flow("team", run("team", *children)))


def test_a_graph_of_nodes(its: Any, telemetry: Any) -> None:
    workflow = import_module("google.adk.workflow")

    def shout(node_input: Any) -> str:
        return str(node_input).upper()

    graph = workflow.Workflow(name="trip", edges=[("START", its.named("a"), shout)])
    ask(its, None, node=graph)
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    names = {span.name for span in telemetry.spans()}
    assert root.name in ("invoke_workflow trip", "invoke_workflow")
    assert {"invoke_workflow trip", "invoke_agent a", f"chat {MODEL}", "step shout"} <= names


def test_a_tool_that_goes_on_after_the_run(its: Any, telemetry: Any) -> None:
    long_running = import_module("google.adk.tools.long_running_tool").LongRunningFunctionTool

    def approve(city: str) -> None:
        """Ask somebody for an approval."""
        assert city

    agent = its.named(story.AGENT, tools=[long_running(approve)])
    runner = its.runner(agent)
    events = its.run(its.events(runner))
    (call,) = [call for event in events for call in event.get_function_calls()]
    given = its.types.FunctionResponse(id=call.id, name=call.name, response={"approved": True})
    its.run(its.events(runner, its.types.Part(function_response=given)))
    waiting = story.tool("approve", obs__outcome="interrupted", gen_ai__tool__call__id="call_approve")
    assert_shapes(
        telemetry.spans(),
        story.agent(story.chat("approve"), waiting, obs__outcome="interrupted"),
        story.agent(story.chat(), obs__resumed=True),
    )


def test_memory_is_told_once_whoever_asks(its: Any, telemetry: Any) -> None:
    service = import_module("google.adk.memory").InMemoryMemoryService()

    async def remember(city: str, tool_context: Any) -> int:
        """Remember what was said of a city."""
        return len((await tool_context.search_memory(city)).memories)

    remember.__annotations__["tool_context"] = import_module("google.adk.tools.tool_context").ToolContext

    async def keep(callback_context: Any) -> None:
        await callback_context.add_session_to_memory()

    agent = its.named(story.AGENT, tools=[remember], after_agent_callback=keep)
    its.run(its.events(its.runner(agent, memory_service=service)))
    found = its.run(service.search_memory(app_name="trips", user_id="somebody", query="Lisbon"))
    assert found.memories
    names = [span.name for span in sorted(telemetry.spans(), key=lambda span: span.start_time)]
    assert [name for name in names if "memory" in name or "remember" in name] == [
        "execute_tool remember",
        "search_memory",
        "upsert_memory",
        "search_memory",
    ]
    counts = [span.attributes.get("gen_ai.memory.record.count") for span in telemetry.spans() if "search" in span.name]
    assert counts == [0, len(found.memories)]


def test_what_plugins_answer_in_place_of_models_and_tools(its: Any, telemetry: Any) -> None:
    plugin = import_module("google.adk.plugins.base_plugin").BasePlugin

    class Early(plugin):  # type: ignore[misc, valid-type]  # a class of the library's
        async def before_tool_callback(self, **_: Any) -> dict[str, str]:
            return {"result": "sun"}

    def answer(callback_context: Any, llm_request: Any) -> Any:
        assert callback_context
        assert llm_request
        text = its.types.Content(role="model", parts=[its.types.Part(text="No.")])
        return import_module("google.adk.models.llm_response").LlmResponse(content=text)

    its.run(its.events(its.runner(its.agent(story.broken), plugins=[Early("early")])))
    its.run(its.events(its.runner(its.named("silent", before_model_callback=answer))))
    assert_shapes(
        telemetry.spans(),
        story.agent(story.chat("broken"), story.tool("broken"), story.chat()),
        Node("invoke_agent silent", status="UNSET"),
    )


def test_a_callback_that_raises_fails_what_it_belongs_to(its: Any, telemetry: Any) -> None:
    def refuse(**_: Any) -> None:
        raise PermissionError("not this one")

    with pytest.raises(PermissionError):
        its.run(its.events(its.runner(its.named(story.AGENT, tools=[story.weather], before_tool_callback=refuse))))
    failed = {"error__type": "PermissionError"}
    assert_shapes(
        telemetry.spans(),
        story.agent(story.chat("weather"), story.tool("weather", "ERROR", **failed), status="ERROR", **failed),
    )
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


def test_a_model_that_fails(its: Any, telemetry: Any) -> None:
    base = import_module("google.adk.models.base_llm").BaseLlm

    class Down(base):  # type: ignore[misc, valid-type]  # a class of the library's
        async def generate_content_async(self, *_: Any, **__: Any) -> Any:
            raise ConnectionError("down")
            yield

    with pytest.raises(ConnectionError):
        its.run(its.events(its.runner(its.named(story.AGENT, model=Down(model=MODEL)))))
    failed = {"error.type": "ConnectionError"}
    call = Node(f"chat {MODEL}", status="ERROR", attributes=failed)
    assert_trees(
        telemetry.spans(), flow(story.AGENT, run(story.AGENT, call, status="ERROR", attributes=failed), status="ERROR")
    )


@pytest.mark.parametrize("schema", ["1", "2"])
def test_the_story_does_not_depend_on_the_librarys_switches(
    schema: str, its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = import_module("google.adk.telemetry.context")
    telling = context.TelemetryConfig(capture_message_content=context.ContentCapturingMode.SPAN_AND_EVENT)
    config = import_module("google.adk.agents.run_config").RunConfig(telemetry=telling)
    monkeypatch.setenv("ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN", schema)
    its.run(its.events(its.runner(its.agent(story.weather, story.population)), run_config=config))
    assert_shapes(telemetry.spans(), story.TWO_TOOLS)
    # What may be recorded is the user's word to us alone.
    assert "Lisbon" not in str([dict(span.attributes) for span in telemetry.spans()])
    assert "Lisbon" not in str(telemetry.events("gen_ai.user.message"))
    assert not telemetry.events("gen_ai.client.inference.operation.details")


def test_all_of_a_run_has_its_conversation_and_the_agents_spans_their_tool(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    def note(city: str) -> str:
        """Note something."""
        trace.get_current_span().set_attribute("app.city", city)
        return city

    ask(its, its.agent(note))
    assert {span.attributes["gen_ai.conversation.id"] for span in telemetry.spans()} == {story.CONVERSATION}
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool note"]
    assert tool.attributes["app.city"] == "Lisbon"


def test_content_of_calls_and_tools(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    its.read(its.stream(its.agent(story.weather)))
    calls = [span for span in telemetry.spans() if span.name == f"chat {MODEL}"]
    first, second = (dict(span.attributes) for span in sorted(calls, key=lambda span: span.start_time))
    assert '"weather"' in first["gen_ai.output.messages"]
    assert "Tell the weather" in first["gen_ai.tool.definitions"]
    assert "Travel." in first["gen_ai.system_instructions"]
    assert '"It rains."' in second["gen_ai.output.messages"]
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool weather"]
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"city":"Lisbon"}'
    assert "rain in Lisbon" in tool.attributes["gen_ai.tool.call.result"]


def test_a_run_that_is_left_has_not_failed(its: Any, telemetry: Any) -> None:
    async def leave() -> None:
        run = its.run_of(its.runner(its.agent(story.weather)))
        async for _ in run:
            break
        await run.aclose()

    its.run(leave())
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}
    outcomes = {span.name: span.attributes.get("obs.outcome") for span in telemetry.spans()}
    assert outcomes[f"invoke_agent {story.AGENT}"] == "abandoned"


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
@pytest.mark.parametrize("mode", ["NONE", "SSE"])
def test_a_run_that_is_left_at_its_last_answer_is_complete(mode: str, its: Any, telemetry: Any) -> None:
    run_config = import_module("google.adk.agents.run_config")
    config = run_config.RunConfig(streaming_mode=run_config.StreamingMode[mode])
    runner = its.runner(its.agent(story.weather))

    async def leave() -> None:
        events = its.run_of(runner, run_config=config)
        async for event in events:
            if event.is_final_response() and not event.partial:
                break
        await events.aclose()

    its.run(leave())
    assert_shapes(telemetry.spans(), story.ONE_TOOL)
    assert {span.attributes.get("obs.outcome") for span in telemetry.spans()} == {None}


def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any, caplog: pytest.LogCaptureFixture) -> None:
    # pytest keeps what is logged, with the frames of what was raised.
    caplog.set_level("CRITICAL", "google_adk")
    its: Any = LIBRARY.driver("async", stub)
    sync: Any = LIBRARY.driver("sync", stub)

    def leave() -> None:
        async def left() -> None:
            # Of one that asks for tools it is remembered for a while that they may come.
            async for _ in its.stream(its.agent()):
                break

        its.run(left())

    def fail() -> None:
        with contextlib.suppress(ValueError):
            its.ask(its.agent(story.broken, handles_errors=False))

    def cancel() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            its.ask_and_cancel()

    ways = [
        lambda: its.ask(its.agent(story.weather)),
        lambda: sync.ask(sync.agent(story.weather)),
        lambda: its.read(its.stream(its.agent(story.weather, story.population))),
        lambda: its.ask(its.agent(story.broken)),
        lambda: its.ask(its.team()),
        its.ask_twice_at_once,
        its.ask_and_allow,
        leave,
        fail,
        cancel,
    ]
    assert_leave_nothing(ways, (), telemetry, times=400, library_grows=True)
    its.close()
