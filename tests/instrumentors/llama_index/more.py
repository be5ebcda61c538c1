"""What LlamaIndex can do besides the story: a real client, engines, workflows of one's own, memory, and hygiene."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import BudgetTests
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.llama_index import fakes, flows
from tests.instrumentors.llama_index.library import MODEL, OLDEST
from tests.instrumentors.run_scenarios import ENVIRONMENT
from tests.instrumentors.trees import Node, assert_trees

_TEXTS = ("Lisbon is in Portugal.", "Oslo is in Norway.")
_DIMENSIONS = 8


its = driver_fixture("async")


def chat(model: str = fakes.MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


def step(name: str, number: int, *children: Node, **attributes: Any) -> Node:
    return Node(f"step {name}", *children, kind="INTERNAL", attributes={"obs.step.number": number, **attributes})


def turn(number: int, *children: Node) -> Node:
    """Return what an agent does between two tools."""
    return step("run_agent_step", number, *children)


def index(its: Any) -> Any:
    """Return an index of two texts, made before anything is recorded."""
    documents = [its.core.Document(text=text, id_=text) for text in _TEXTS]
    return its.core.VectorStoreIndex.from_documents(documents, embed_model=fakes.embedding(_DIMENSIONS))


def search(query: str = story.PROMPT) -> Node:
    told = {"gen_ai.retrieval.query.text": query, "gen_ai.operation.name": "retrieval"}
    embeddings = Node("embeddings", kind="CLIENT", attributes={"gen_ai.embeddings.dimension.count": _DIMENSIONS})
    return Node("retrieval VectorIndexRetriever", embeddings, kind="CLIENT", attributes=told)


class TestAgents(BudgetTests):
    pass


@pytest.mark.parametrize("kind", ["FunctionAgent", "ReActAgent"])
@pytest.mark.parametrize("is_streaming", [True, False], ids=["stream", "whole"])
def test_the_client_tells_each_call_once(kind: str, is_streaming: bool, its: Any, telemetry: Any) -> None:  # noqa: FBT001
    agent = its.using(is_faked=False).named(story.AGENT, story.weather, kind=kind, streaming=is_streaming)
    its.ask(agent)
    chats = [span for span in telemetry.spans() if span.name.startswith("chat")]
    assert chats
    for span in chats:
        assert span.name == f"chat {MODEL}"
        assert span.attributes["openai.api.type"] == "chat_completions"
        assert span.attributes["gen_ai.response.model"] == f"{MODEL}-2025-08-07"
        assert span.attributes.get("gen_ai.request.stream") == (True if is_streaming else None)
    run = next(span for span in telemetry.spans() if span.name == f"invoke_agent {story.AGENT}")
    assert run.parent is None
    assert run.attributes["gen_ai.usage.input_tokens"] == sum(
        span.attributes["gen_ai.usage.input_tokens"] for span in chats
    )
    assert [span.name for span in telemetry.spans() if span.parent is None] == [run.name]


def test_streams_that_nobody_reads_or_reads_to_the_end_are_told_once(its: Any, telemetry: Any) -> None:
    model = its.using(is_faked=False).model()
    message = import_module("llama_index.core.llms").ChatMessage(role="user", content="Hello.")
    for how in ("stream_chat", "stream_complete"):
        telemetry.clear()
        asked = [message] if how == "stream_chat" else "Hello."
        pieces = getattr(model, how)(asked)
        assert len(list(pieces)) > 1
        left = getattr(model, how)(asked)
        next(left)
        left.close()
        unread = getattr(model, how)(asked)
        del unread, left, pieces
        told = [span.attributes.get("obs.response.stream_end") for span in telemetry.spans()]
        assert told == [None, "abandoned", "abandoned"]
        assert {span.name for span in telemetry.spans()} <= {f"chat {MODEL}", f"text_completion {MODEL}"}
        assert all(span.parent is None for span in telemetry.spans())


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "stream"])
def test_a_query_is_a_workflow_with_search_and_answer(is_streaming: bool, its: Any, telemetry: Any) -> None:  # noqa: FBT001
    engine = index(its).as_query_engine(llm=its.model(), streaming=is_streaming)
    telemetry.clear()
    answer = engine.query(story.PROMPT)
    text = "".join(answer.response_gen) if is_streaming else str(answer)
    assert text == fakes.ANSWER
    told = {
        "gen_ai.input.messages": f'[{{"role":"user","parts":[{{"type":"text","content":"{story.PROMPT}"}}]}}]',
        "obs.usage.input_tokens": fakes.INPUT_TOKENS,
    }
    assert_trees(
        telemetry.spans(), Node("invoke_workflow", search(), chat(), kind="INTERNAL", status="UNSET", attributes=told)
    )
    found = next(span for span in telemetry.spans() if span.name.startswith("retrieval"))
    assert all(text in found.attributes["gen_ai.retrieval.documents"] for text in _TEXTS)
    workflow = next(span for span in telemetry.spans() if span.name == "invoke_workflow")
    assert fakes.ANSWER in workflow.attributes["gen_ai.output.messages"]


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "stream"])
def test_a_chat_engine_is_a_workflow_with_its_memorys_conversation(
    is_streaming: bool,  # noqa: FBT001
    its: Any,
    telemetry: Any,
) -> None:
    memory = its.core.memory.Memory.from_defaults(session_id="s-1")
    engine = index(its).as_chat_engine(chat_mode="context", llm=its.model(), memory=memory)
    telemetry.clear()
    if is_streaming:
        assert "".join(engine.stream_chat(story.PROMPT).response_gen) == fakes.ANSWER
        # The library notes the answer in a thread of its own.
        its.run(asyncio.sleep(0.1))
    else:
        engine.chat(story.PROMPT)
    told = {"gen_ai.conversation.id": "s-1", "obs.usage.input_tokens": fakes.INPUT_TOKENS}
    searched = Node("retrieval VectorIndexRetriever", Node("embeddings"))
    assert_trees(telemetry.spans(), Node("invoke_workflow", searched, chat(), attributes=told))


def test_an_engine_as_a_tool_is_a_step_of_it(its: Any, telemetry: Any) -> None:
    made = import_module("llama_index.core.tools").QueryEngineTool.from_defaults(
        index(its).as_query_engine(llm=its.model()), name="ask", description="Knows cities."
    )
    telemetry.clear()
    made.call("Lisbon")
    searched = Node("retrieval VectorIndexRetriever", Node("embeddings"))
    asked = Node("step query", searched, chat(), attributes={"obs.step.type": "engine"})
    assert_trees(telemetry.spans(), Node("execute_tool ask", asked, status="UNSET"))


def test_embeddings_in_batches_by_a_client(its: Any, telemetry: Any) -> None:
    if ENVIRONMENT == OLDEST:
        return
    kind = import_module("llama_index.embeddings.openai").OpenAIEmbedding
    model = kind(api_base=its.stub.url, api_key="none", embed_batch_size=2)
    model.get_text_embedding_batch(["a", "b", "c"])
    its.run(model.aget_text_embedding_batch(["a", "b", "c"]))
    counts = [span.attributes["obs.request.input_count"] for span in telemetry.spans()]
    assert sorted(counts) == [1, 1, 2, 2]
    assert {span.name for span in telemetry.spans()} == {"embeddings text-embedding-ada-002"}
    assert all(span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.spans())


def test_a_workflow_of_ones_own_has_its_name_and_steps(its: Any, telemetry: Any) -> None:
    assert its.run(flows.answer(flows.Trip, topic="sun")) == "sun, yes"
    interrupted = {"obs.outcome": "interrupted"}
    assert_trees(
        telemetry.spans(),
        Node(
            "invoke_workflow Trip",
            step("begin", 1, **{"obs.step.type": "step"}),
            step("ask", 2, **interrupted),
            step("ask", 3, **{"obs.outcome": None}),
            kind="INTERNAL",
            status="UNSET",
            attributes={"gen_ai.workflow.name": "Trip", "obs.outcome": None},
        ),
    )


def test_a_workflow_with_an_agent_inside_that_is_asked_in_a_step(its: Any, telemetry: Any) -> None:
    agent = its.named("inner", story.weather)
    its.run(flows.answer(flows.Delegation, agent=agent))
    tool = Node("execute_tool weather", kind="INTERNAL")
    assert_trees(
        telemetry.spans(),
        Node(
            "invoke_workflow Delegation",
            step("delegate", 1, Node("invoke_agent inner", turn(1, chat()), tool, turn(2, chat()))),
        ),
    )


def test_a_step_that_fails_is_an_error_of_the_workflow_with_one_exception(its: Any, telemetry: Any) -> None:
    with pytest.raises(ValueError, match="nobody knows"):
        its.run(flows.answer(flows.Failing))
    told = {span.name: span for span in telemetry.spans()}
    for name in ("step fail", "invoke_workflow Failing"):
        assert told[name].status.status_code.name == "ERROR"
        assert told[name].attributes["error.type"] == "ValueError"


def test_steps_at_the_same_time_are_siblings(its: Any, telemetry: Any) -> None:
    its.run(flows.answer(flows.Fan))
    workers = [span for span in telemetry.spans() if span.name == "step work"]
    assert len(workers) == flows.WORKERS
    workflow = next(span for span in telemetry.spans() if span.name == "invoke_workflow Fan")
    assert {span.parent.span_id for span in telemetry.spans() if span.parent} == {workflow.context.span_id}


def test_blocks_of_memory_are_searched_and_written(its: Any, telemetry: Any) -> None:
    memory = import_module("llama_index.core.memory")
    block = memory.StaticMemoryBlock(name="facts", static_content="She likes rain.")
    kept = memory.Memory.from_defaults(session_id="s-1", memory_blocks=[block])
    message = import_module("llama_index.core.llms").ChatMessage(role="user", content="Hello.")
    its.run(kept.aput(message))
    its.run(kept.aget())
    its.run(block.aput([message]))
    told = {span.name: span.attributes for span in telemetry.spans()}
    assert set(told) == {"search_memory", "upsert_memory"}
    assert told["search_memory"]["gen_ai.memory.store.id"] == "facts"
    assert told["upsert_memory"]["gen_ai.memory.record.count"] == 1


def test_the_official_exporter_tells_nothing_a_second_time(its: Any, telemetry: Any) -> None:
    if ENVIRONMENT == OLDEST:
        return
    from opentelemetry import trace

    dispatchers = import_module("llama_index_instrumentation")
    root = dispatchers.get_dispatcher()
    before = list(root.span_handlers), list(root.event_handlers)
    exporter = import_module("llama_index.observability.otel").LlamaIndexOpenTelemetry
    memory = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    exporter(
        span_exporter=memory, span_processor="simple", tracer_provider=trace.get_tracer_provider()
    ).start_registering()
    try:
        its.ask(its.agent(story.weather))
    finally:
        root.span_handlers, root.event_handlers = before
        memory.shutdown()
    tool = Node("execute_tool weather", kind="INTERNAL")
    assert_trees(telemetry.spans(), story.agent(turn(1, chat()), tool, turn(2, chat())))


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    from obs_instrumentors.llama_index import recordings

    with driver("async", stub) as its:
        engine = index(its).as_query_engine(llm=its.model(), streaming=True)

        def fail() -> None:
            with contextlib.suppress(ValueError):
                its.run(flows.answer(flows.Failing))

        # That release lets the tasks of cancelled runs go on, and the loop complains of each.
        ways = [
            *ways_of(its, cancels=ENVIRONMENT != OLDEST),
            lambda: its.ask(its.team()),
            lambda: list(engine.query(story.PROMPT).response_gen),
            lambda: next(iter(engine.query(story.PROMPT).response_gen)),
            lambda: its.run(flows.answer(flows.Trip, topic="sun")),
            fail,
        ]
        assert_leave_nothing(ways, recordings.ongoing, telemetry, times=200, library_grows=True)
