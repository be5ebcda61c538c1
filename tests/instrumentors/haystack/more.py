"""What Haystack can do besides the story: components, a real client, tracers of the agent's own, and hygiene."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import BudgetTests
from tests.instrumentors.frameworks.answers import CLIENTS_MODEL, MODEL
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT = {"gen_ai.response.model": f"{CLIENTS_MODEL}-2025-08-07", "openai.api.type": "chat_completions"}


its = driver_fixture("sync", "async")


def chat(model: str = MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


def step(*children: Node, name: str = "step", number: int | None = None) -> Node:
    told = {"obs.step.type": "component" if number is None else "step", "obs.step.number": number}
    return Node(f"step {name}", *children, kind="INTERNAL", attributes=told)


def run(its: Any, pipeline: Any, data: Any, **more: Any) -> Any:
    """Run a pipeline in the driver's way."""
    return pipeline.run(data, **more) if its.kind == "sync" else its.run(pipeline.run_async(data, **more))


def answering(its: Any) -> Any:
    """Return a pipeline that finds something and has a model answer."""
    in_memory = import_module("haystack.document_stores.in_memory").InMemoryDocumentStore()
    in_memory.write_documents([its.library.Document(content="It rains in Lisbon.", id="one")])
    retriever = import_module("haystack.components.retrievers.in_memory").InMemoryBM25Retriever(in_memory, top_k=3)
    builder = import_module("haystack.components.builders").ChatPromptBuilder(
        [its.message.from_user("{% for each in documents %}{{ each.content }}{% endfor %} What is it like?")],
        required_variables=["documents"],
    )
    pipeline = its.library.Pipeline(metadata={"name": "answers"})
    pipeline.add_component("finder", retriever)
    pipeline.add_component("prompt", builder)
    pipeline.add_component("model", its.generator())
    pipeline.connect("finder.documents", "prompt.documents")
    pipeline.connect("prompt.prompt", "model.messages")
    return pipeline


class TestAgents(BudgetTests):
    pass


@pytest.mark.parametrize("model", ["faked", "client"])
def test_components_are_what_they_do(model: str, its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    run(its, answering(its.using(is_faked=model == "faked")), {"finder": {"query": "Lisbon"}})
    found = {
        "gen_ai.data_source.id": "finder",
        "gen_ai.retrieval.top_k": 3,
        "db.response.returned_rows": 1,
        "gen_ai.retrieval.query.text": "Lisbon",
    }
    by_us: dict[str, Any] = {"gen_ai.usage.input_tokens": 12}
    answer = chat(**by_us) if model == "faked" else chat(CLIENTS_MODEL, **CLIENT)
    assert_trees(
        telemetry.spans(),
        Node(
            "invoke_workflow answers",
            Node("retrieval finder", attributes=found),
            step(name="prompt"),
            answer,
            kind="INTERNAL",
        ),
    )
    (workflow,) = [span for span in telemetry.spans() if span.parent is None]
    assert "Lisbon" in workflow.attributes["gen_ai.input.messages"]


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_the_client_tells_each_call_once(way: str, its: Any, telemetry: Any) -> None:
    agent = its.using(is_faked=False).agent_alone(story.weather)
    asked = [its.message.from_user(story.PROMPT)]
    pieces: list[Any] = []

    async def keep(piece: Any) -> None:
        pieces.append(piece)

    callback = {"streaming_callback": pieces.append if its.kind == "sync" else keep} if way == "stream" else {}
    its.run(agent.run(asked, **callback) if its.kind == "sync" else agent.run_async(asked, **callback))
    assert bool(pieces) is (way == "stream")
    told = chat(CLIENTS_MODEL, **CLIENT, **{"gen_ai.request.stream": True if way == "stream" else None})
    steps = step(told, Node("execute_tool weather"), number=1), step(told, number=2)
    assert_trees(telemetry.spans(), Node("invoke_agent", *steps))


def test_an_agent_as_a_tool_is_inside_of_it(its: Any, telemetry: Any) -> None:
    inner = its.agent_alone()
    tool = import_module("haystack.tools").ComponentTool(inner, name="ask", description="Ask another agent.")
    outer = import_module("haystack.components.agents").Agent(
        chat_generator=import_module("haystack.components.generators.chat").MockChatGenerator(
            [
                its.message.from_assistant(
                    tool_calls=[
                        import_module("haystack.dataclasses").ToolCall(
                            "ask", {"messages": [its.message.from_user("Well?").to_dict()]}
                        )
                    ]
                ),
                "Well.",
            ],
            model=MODEL,
        ),
        tools=[tool],
    )
    asked = [its.message.from_user(story.PROMPT)]
    its.run(outer.run(asked) if its.kind == "sync" else outer.run_async(asked))
    inside = Node("execute_tool ask", Node("invoke_agent", step(chat(), number=1)))
    assert_trees(telemetry.spans(), Node("invoke_agent", step(chat(), inside, number=1), step(chat(), number=2)))


def test_a_breakpoint_is_no_error_and_the_run_goes_on(its: Any, telemetry: Any) -> None:
    if its.kind == "async":
        # The library stops sync runs only.
        return
    breakpoints = import_module("haystack.dataclasses.breakpoints")
    pipeline = answering(its)
    point = breakpoints.Breakpoint(component_name="prompt", visit_count=0)
    with pytest.raises(Exception) as caught:  # noqa: PT011 (it is the library's)
        pipeline.run({"finder": {"query": "Lisbon"}}, break_point=point)
    stopped: Any = caught.value
    pipeline.run({}, pipeline_snapshot=stopped.pipeline_snapshot)
    first = {"obs.outcome": "interrupted", "obs.resumed": None}
    assert_trees(
        telemetry.spans(),
        Node("invoke_workflow answers", Node("retrieval finder"), status="UNSET", attributes=first),
        Node("invoke_workflow answers", step(name="prompt"), chat(), attributes={"obs.resumed": True}),
    )


def test_the_agents_own_tracer_is_told_as_without_us(its: Any, telemetry: Any) -> None:
    tracing = import_module("haystack.tracing")
    told: list[tuple[str, Any]] = []

    class Span(tracing.Span):  # type: ignore[misc, name-defined]  # a class of the library's
        def set_tag(self, key: str, value: Any) -> None:
            told.append((key, value))

        def set_content_tag(self, key: str, value: Any) -> None:
            told.append((key, value))

    class Tracer(tracing.Tracer):  # type: ignore[misc, name-defined]  # a class of the library's
        @contextlib.contextmanager
        def trace(self, operation_name: str, parent_span: Any = None, **_: Any) -> Iterator[Any]:
            assert parent_span is None or isinstance(parent_span, Span)
            told.append((operation_name, None))
            yield Span()

        def current_span(self) -> Any:
            return None

    tracing.enable_tracing(Tracer())
    try:
        its.ask(its.agent(story.weather))
    finally:
        tracing.disable_tracing()
    assert {"haystack.pipeline.run", "haystack.agent.step.llm", "haystack.agent.step.tool.output"} <= {
        name for name, _ in told
    }
    chats = [span for span in telemetry.spans() if span.name == f"chat {MODEL}"]
    assert [span.attributes["gen_ai.usage.input_tokens"] for span in chats] == [12, 12]


def test_the_official_tracer_does_not_tell_it_twice(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    tracing = import_module("haystack.tracing")

    class OpenTelemetryTracer(tracing.Tracer):  # type: ignore[misc, name-defined]  # as the distribution has it
        def __init__(self, tracer: Any) -> None:
            self._tracer = tracer

        @contextlib.contextmanager
        def trace(self, operation_name: str, **_: Any) -> Iterator[Any]:
            with self._tracer.start_as_current_span(operation_name):
                yield tracing.tracer.NullSpan()

        def current_span(self) -> Any:
            return None

    tracing.enable_tracing(OpenTelemetryTracer(trace.get_tracer("haystack")))
    try:
        its.ask(its.agent(story.weather))
    finally:
        tracing.disable_tracing()
    assert not [span.name for span in telemetry.spans() if span.name.startswith("haystack")]


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_runs_of_all_kinds_leave_nothing(
    kind: str, stub: Any, telemetry: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # pytest keeps what is logged, with the frames of what was raised.
    caplog.set_level("CRITICAL", "haystack")
    with driver(kind, stub) as its:

        def fail() -> None:
            with contextlib.suppress(Exception):
                its.ask(its.agent(story.broken, handles_errors=False))

        def leave() -> None:
            async def left() -> None:
                async for _ in its.agent(story.weather).run_async_generator(its.asked(), {story.AGENT}):
                    break

            its.run(left())
            # The loop closes what was left when it runs again.
            gc.collect()
            its.run(asyncio.sleep(0))

        ways = [lambda: run(its, answering(its), {"finder": {"query": "Lisbon"}}), fail]
        if kind == "async":
            ways += [*ways_of(its), leave]
        else:
            ways += [lambda: its.ask(its.agent(story.weather)), its.ask_twice_at_once]
        assert_leave_nothing(ways, (), telemetry, times=200, library_grows=True)
