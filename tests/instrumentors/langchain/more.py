"""What LangChain and LangGraph can do besides the story: whole trees of graphs, models of both kinds, and hygiene."""

from __future__ import annotations

import contextlib
import json
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.frameworks import stopping, story
from tests.instrumentors.langchain import fakes
from tests.instrumentors.langchain.library import CONFIG, LIBRARY, MODEL
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = {"messages": [("user", story.PROMPT)]}


@pytest.fixture(autouse=True)
def _hooks(telemetry: Any) -> Iterator[None]:
    assert telemetry is not None
    with instrumented():
        yield


@pytest.fixture(params=["sync", "async"])
def its(request: pytest.FixtureRequest, stub: Any) -> Iterator[Any]:
    stub.reset()
    driver = LIBRARY.driver(request.param, stub)
    yield driver
    driver.close()


@pytest.fixture
def sync(stub: Any) -> Iterator[Any]:
    driver = LIBRARY.driver("sync", stub)
    yield driver
    driver.close()


def step(name: str, number: int, *children: Node, **attributes: Any) -> Node:
    told = {"obs.step.name": name, "obs.step.number": number, "gen_ai.conversation.id": story.CONVERSATION}
    return Node(f"step {name}", *children, attributes={**told, **attributes})


def chat(model: str = fakes.MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


def tool(name: str, *children: Node, **attributes: Any) -> Node:
    return Node(f"execute_tool {name}", *children, attributes={"gen_ai.agent.name": story.AGENT, **attributes})


def by_name(telemetry: Any, name: str) -> list[Any]:
    return [span for span in telemetry.spans() if span.name == name]


def graph_of(its: Any, name: str, **nodes: Any) -> Any:
    """Return a graph that runs its nodes one after the other."""
    graph = its.graph.StateGraph(its.graph.MessagesState)
    for node, function in nodes.items():
        graph.add_node(node, function)
    for before, after in zip([its.graph.START, *nodes], nodes, strict=False):
        graph.add_edge(before, after)
    return graph.compile(name=name)


@pytest.mark.parametrize("way", ["invoke", "stream", "messages", "events"])
def test_the_client_tells_each_call_once(way: str, its: Any, telemetry: Any) -> None:
    if way == "events" and its.kind == "sync":
        return
    agent = its.using("create_react_agent", faked=False).agent(story.weather)
    if way == "invoke":
        its.ask(agent)
    elif way == "events":
        its.read(agent.astream_events(ASKED, CONFIG, version="v2"))
    else:
        stream = agent.stream if its.kind == "sync" else agent.astream
        its.read(stream(ASKED, CONFIG, stream_mode="messages" if way == "messages" else "updates"))
    told = {
        "gen_ai.response.model": f"{MODEL}-2025-08-07",
        "openai.api.type": "chat_completions",
        "gen_ai.conversation.id": story.CONVERSATION,
        "gen_ai.request.stream": True if way in ("messages", "events") else None,
    }
    steps = (
        step("agent", 1, chat(MODEL, **told)),
        step("tools", 2, tool("weather")),
        step("agent", 3, chat(MODEL, **told)),
    )
    assert_trees(telemetry.spans(), story.agent(*steps))
    chats = by_name(telemetry, f"chat {MODEL}")
    root = by_name(telemetry, f"invoke_agent {story.AGENT}")[0]
    for name in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
        assert root.attributes[name] == sum(one.attributes[name] for one in chats) > 0
    costs = sum(one.attributes["obs.cost.total"] for one in chats)
    assert root.attributes["obs.cost.subtree"] == pytest.approx(costs)


def test_what_a_tool_was_called_with(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    its.ask(its.agent(story.weather))
    span = by_name(telemetry, "execute_tool weather")[0]
    assert json.loads(span.attributes["gen_ai.tool.call.arguments"]) == {"city": "Lisbon"}
    assert span.attributes["gen_ai.tool.call.result"] == "rain in Lisbon"
    assert span.attributes["gen_ai.tool.call.id"] == "call_weather"
    assert span.attributes["gen_ai.tool.description"] == "Tell the weather of a city."
    first, second = by_name(telemetry, f"chat {fakes.MODEL}")
    asked = json.loads(second.attributes["gen_ai.input.messages"])
    assert [part["type"] for message in asked for part in message["parts"]] == [
        "text",
        "tool_call",
        "tool_call_response",
    ]
    assert json.loads(first.attributes["gen_ai.tool.definitions"]) == [{"type": "function", "name": "weather"}]


@pytest.mark.parametrize("faked", [False, True], ids=["client", "no client"])
def test_what_the_framework_tells_of_a_tool_is_not_inferred_again(*, faked: bool, its: Any, telemetry: Any) -> None:
    from obs_run.core.tool_windows import windows

    its.ask(its.using("create_react_agent", faked=faked).agent(story.weather, story.population))
    tools = [span for span in telemetry.spans() if span.name.startswith("execute_tool")]
    assert sorted(span.name for span in tools) == ["execute_tool population", "execute_tool weather"]
    assert not [span.name for span in telemetry.spans() if "obs.tool.inferred" in span.attributes]
    assert not windows.waiting


@pytest.mark.parametrize("told", [False, True], ids=["by hand", "by langchain"])
def test_a_loop_of_the_agents_own_around_a_model(*, told: bool, its: Any, telemetry: Any) -> None:
    """Only what it runs without the framework is inferred."""
    messages = import_module("langchain_core.messages")
    weather = fakes.tool(story.weather)
    model = its.using("", faked=False).model().bind_tools([weather])

    def ask(said: list[Any]) -> Any:
        return its.run(model.invoke(said) if its.kind == "sync" else model.ainvoke(said))

    said: list[Any] = [messages.HumanMessage(story.PROMPT)]
    said.append(ask(said))
    (call,) = said[-1].tool_calls
    said.append(
        weather.invoke(call) if told else messages.ToolMessage(story.weather(**call["args"]), tool_call_id=call["id"])
    )
    ask(said)
    inferred = None if told else True
    asked = Node("execute_tool weather", attributes={"obs.tool.inferred": inferred, "gen_ai.tool.call.id": call["id"]})
    assert_trees(telemetry.spans(), chat(MODEL), asked, chat(MODEL))


@pytest.mark.parametrize("way", ["stream", "events", "batch", "broken off"])
def test_a_model_by_itself(way: str, its: Any, telemetry: Any) -> None:
    model = its.using("", faked=False).model()
    if way == "batch":
        its.run(model.batch(["a", "b"]) if its.kind == "sync" else model.abatch(["a", "b"]))
    elif way == "broken off":
        its.abandon(model.stream("a") if its.kind == "sync" else model.astream("a"))
    elif way == "stream" or its.kind == "sync":
        its.read(model.stream("a") if its.kind == "sync" else model.astream("a"))
    else:
        its.read(model.astream_events("a", version="v2"))
    ended = "abandoned" if way == "broken off" else None
    one = chat(MODEL, **{"openai.api.type": "chat_completions", "obs.response.stream_end": ended})
    assert_trees(telemetry.spans(), *([one] * (2 if way == "batch" else 1)))


def test_the_newest_way_to_stream(its: Any, telemetry: Any) -> None:
    model = its.using("", faked=False).model()
    if not hasattr(model, "_iter_v2_events"):
        return

    async def read() -> Any:
        return await (await model.astream_events("a", version="v3")).output

    assert model.stream_events("a", version="v3").output if its.kind == "sync" else its.run(read())
    assert_trees(telemetry.spans(), chat(MODEL))


@pytest.mark.parametrize("faked", [False, True], ids=["client", "no client"])
def test_a_budget_stops_a_run(*, faked: bool, its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping.assert_stops_a_run(its.using("create_react_agent", faked=faked), telemetry, monkeypatch)


@pytest.mark.parametrize("times", [1, 2])
def test_a_model_that_asks_another(times: int, sync: Any, telemetry: Any) -> None:
    base: Any = import_module("langchain_core.language_models.llms").LLM
    inner = sync.using("", faked=False).model()

    class Asking(base):  # type: ignore[misc]  # a class of the library's
        @property
        def _llm_type(self) -> str:
            return "openai"

        def _call(self, prompt: str, **_: Any) -> str:
            return str([inner.invoke(prompt).content for _ in range(times)])

    Asking().invoke("a")
    names = [span.name for span in telemetry.spans()]
    # The wrapper is no chat of its own kind, and tells nothing that the chats inside do not.
    assert names.count(f"chat {MODEL}") == times


def test_a_try_after_a_failure(sync: Any, telemetry: Any) -> None:
    base: Any = import_module("langchain_core.language_models.chat_models").BaseChatModel
    inner = sync.using("", faked=False).model()

    class Trying(base):  # type: ignore[misc]  # a class of the library's
        @property
        def _llm_type(self) -> str:
            return "openai"

        def _generate(self, asked: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:  # noqa: ARG002
            with contextlib.suppress(Exception):
                inner._generate(asked, model=f"{MODEL}+500")
            return inner._generate(asked)

    Trying().invoke("a")
    assert_trees(telemetry.spans(), chat(MODEL, **{"obs.request.retries": 1, "error.type": None}))


def test_a_graph_of_graphs(its: Any, telemetry: Any) -> None:
    inner = graph_of(its, "inner", leaf=lambda _: {})
    its.run(its.asking(graph_of(its, "outer", first=inner, second=lambda _: {})))
    assert_trees(
        telemetry.spans(),
        Node(
            "invoke_workflow outer",
            step("first", 1, Node("invoke_workflow inner", step("leaf", 1))),
            step("second", 2),
        ),
    )


def test_a_node_that_hands_over(its: Any, telemetry: Any) -> None:
    command = its.types.Command
    first, second = its.named(story.AGENT, []), its.named(story.SECOND, [])

    def give(state: Any) -> Any:
        return command(goto="take", update=first.invoke(state))

    def take(state: Any) -> Any:
        return second.invoke(state)

    graph = its.graph.StateGraph(its.graph.MessagesState)
    graph.add_node("give", give, destinations=("take",))
    graph.add_node("take", take)
    graph.add_edge(its.graph.START, "give")
    its.ask(graph.compile(name="team"))
    handed = {"gen_ai.agent.name": story.AGENT, "obs.handoff.to_agent": story.SECOND}
    assert_trees(
        telemetry.spans(),
        Node(
            "invoke_workflow team",
            step("give", 1, story.agent(step("agent", 1, chat()))),
            step(
                "take",
                2,
                Node(f"handoff {story.SECOND}", attributes=handed),
                story.agent(step("agent", 1, chat()), name=story.SECOND),
            ),
        ),
    )


def test_an_agent_in_a_tool_of_an_agent(its: Any, telemetry: Any) -> None:
    second = its.named(story.SECOND, [])

    def weather(city: str) -> str:
        """Ask another agent."""
        return str(second.invoke({"messages": [("user", city)]})["messages"][-1].content)

    its.ask(its.agent(weather))
    inner = story.agent(step("agent", 1, chat()), name=story.SECOND)
    assert_trees(
        telemetry.spans(),
        story.agent(step("agent", 1, chat()), step("tools", 2, tool("weather", inner)), step("agent", 3, chat())),
    )


def test_spans_of_the_agents_own_in_a_tool(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    model = its.using("", faked=False).model()

    def weather(city: str) -> str:
        """Look it up."""
        with trace.get_tracer("mine").start_as_current_span("mine"):
            return str(model.invoke(city).content) if its.kind == "sync" else city

    its.ask(its.using("create_react_agent", faked=True).agent(weather))
    mine = Node("mine", *([chat(MODEL)] if its.kind == "sync" else []))
    assert_trees(
        telemetry.spans(),
        story.agent(step("agent", 1, chat()), step("tools", 2, tool("weather", mine)), step("agent", 3, chat())),
    )


def test_tasks_of_the_functional_kind(sync: Any, telemetry: Any) -> None:
    functional = import_module("langgraph.func")
    double = functional.task(lambda number: number * 2, name="double")

    def flow(number: int) -> int:
        return int(double(number).result())

    assert functional.entrypoint()(flow).invoke(1, CONFIG) == 2
    tree = Node("invoke_workflow", step("flow", 0, step("double", 0, **{"obs.step.type": "task"})))
    assert_trees(telemetry.spans(), tree)
    assert sync is not None


def test_a_chain_with_a_retriever(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    document = import_module("langchain_core.documents").Document
    base: Any = import_module("langchain_core.retrievers").BaseRetriever
    prompts = import_module("langchain_core.prompts")
    runnables = import_module("langchain_core.runnables")

    class Guide(base):  # type: ignore[misc]  # a class of the library's
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:  # noqa: ARG002
            return [document(f"about {query}", id="1"), document("more")]

    start = {"context": Guide(), "question": runnables.RunnablePassthrough()}
    prompt = prompts.ChatPromptTemplate.from_template("{context} {question}")
    chain = start | prompt | its.model()
    its.run(chain.invoke("Lisbon") if its.kind == "sync" else chain.ainvoke("Lisbon"))
    assert_trees(telemetry.spans(), Node("invoke_workflow", Node("retrieval Guide", kind="CLIENT"), chat()))
    span = by_name(telemetry, "retrieval Guide")[0]
    assert span.attributes["gen_ai.retrieval.query.text"] == "Lisbon"
    assert json.loads(span.attributes["gen_ai.retrieval.documents"]) == [
        {"id": "1", "content": "about Lisbon"},
        {"id": "1", "content": "more"},
    ]


def test_a_model_that_a_retriever_asks_is_inside_of_the_search(its: Any, telemetry: Any) -> None:
    base: Any = import_module("langchain_core.retrievers").BaseRetriever
    runnables = import_module("langchain_core.runnables")

    class Rewriting(base):  # type: ignore[misc]  # a class of the library's
        model: Any

        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:  # noqa: ARG002
            self.model.invoke(query)
            return []

    chain = Rewriting(model=its.model()) | runnables.RunnableLambda(str)
    its.run(chain.invoke("Lisbon") if its.kind == "sync" else chain.ainvoke("Lisbon"))
    searching = Node("retrieval Rewriting", chat(), kind="CLIENT")
    assert_trees(telemetry.spans(), Node("invoke_workflow", searching))


def test_what_a_retriever_does_is_inside_of_the_search(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    base: Any = import_module("langchain_core.retrievers").BaseRetriever
    tracer = trace.get_tracer("mine")

    class Guide(base):  # type: ignore[misc]  # a class of the library's
        more: Any = None

        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:  # noqa: ARG002
            with tracer.start_as_current_span(f"embed {self.name}"):
                pass
            return [] if self.more is None else self.more.invoke(query) + self.more.invoke(query)

    class Broken(base):  # type: ignore[misc]  # as above
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:  # noqa: ARG002
            raise ValueError(query)

    both = Guide(name="outer", more=Guide(name="inner"))
    with contextlib.suppress(ValueError):
        its.run(Broken().invoke("Lisbon") if its.kind == "sync" else Broken().ainvoke("Lisbon"))

    async def ask() -> None:
        with tracer.start_as_current_span("around"):
            await both.ainvoke("Lisbon")
            assert trace.get_current_span().name == "around"  # type: ignore[attr-defined]
            with tracer.start_as_current_span("after"):
                pass

    if its.kind == "async":
        its.run(ask())
    else:
        with tracer.start_as_current_span("around"):
            both.invoke("Lisbon")
            with tracer.start_as_current_span("after"):
                pass
    inner = Node("retrieval inner", Node("embed inner"))
    assert_trees(
        telemetry.spans(),
        Node("retrieval Broken", status="ERROR"),
        Node("around", Node("retrieval outer", Node("embed outer"), inner, inner), Node("after")),
    )


def test_memory(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    store = import_module("langgraph.store.memory").InMemoryStore()
    place = ("users", "ann")

    async def use() -> None:
        await store.aput(place, "likes", {"food": "soup"})
        await store.aget(place, "likes")
        await store.asearch(place, query="food")
        await store.adelete(place, "likes")

    if its.kind == "async":
        its.run(use())
    else:
        store.put(place, "likes", {"food": "soup"})
        store.get(place, "likes")
        store.search(place, query="food")
        store.delete(place, "likes")
    names = ["upsert_memory", "search_memory", "search_memory", "delete_memory"]
    told = {"gen_ai.memory.store.id": "users/ann"}
    assert_trees(telemetry.spans(), *(Node(name, attributes=told) for name in names))
    found = by_name(telemetry, "search_memory")
    records = [json.loads(span.attributes["gen_ai.memory.records"]) for span in found]
    assert records == [[{"id": "likes", "content": '{"food":"soup"}'}]] * 2


def test_the_agent_leaves_a_stream(its: Any, telemetry: Any) -> None:
    its.abandon(its.stream(its.agent(story.weather)))
    tree = story.agent(step("agent", 1, chat()), obs__outcome="abandoned")
    assert_trees(telemetry.spans(), tree)


def test_an_agent_executor(sync: Any, telemetry: Any) -> None:
    try:
        agents: Any = import_module("langchain_classic.agents")
    except ImportError:
        agents = import_module("langchain.agents")
    prompts = import_module("langchain_core.prompts")
    prompt = prompts.ChatPromptTemplate.from_messages([("user", "{input}"), ("placeholder", "{agent_scratchpad}")])
    tools = [fakes.tool(story.weather)]
    executor = agents.AgentExecutor(
        agent=agents.create_tool_calling_agent(sync.model(), tools, prompt),
        tools=tools,
    )
    assert executor.invoke({"input": story.PROMPT})["output"] == "It rains."
    weather = Node("execute_tool weather")
    assert_trees(telemetry.spans(), Node("invoke_agent", chat(), weather, chat()))


def test_what_langsmith_mirrors_is_said_once(
    telemetry: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from obs_instrumentors import langchain

    from obs_run.base import guard

    telemetry.may_fail = True
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    langchain._say_if_mirrored()
    assert caplog.records == []
    monkeypatch.setenv("LANGSMITH_OTEL_ENABLED", "true")
    with caplog.at_level(logging.WARNING, "obs_run"):
        langchain._say_if_mirrored()
        langchain._say_if_mirrored()
    assert [record.getMessage()[:17] for record in caplog.records] == ["obs-run: LangSmit"]
