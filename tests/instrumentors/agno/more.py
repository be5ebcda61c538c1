"""What Agno can do besides the story: a real client, teams, workflows, knowledge, memory, failures, and hygiene."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any, ClassVar

import pytest

from tests.instrumentors.agno import fakes
from tests.instrumentors.agno.library import MODEL, OLDEST
from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import AgentTests
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.run_scenarios import ENVIRONMENT
from tests.instrumentors.trees import Node, assert_shapes, assert_trees, trees_of

its = driver_fixture("sync", "async")


def chat(model: str = fakes.MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


class TestAgents(AgentTests):
    told_by_client: ClassVar[dict[str, Any]] = {"gen_ai.conversation.id": story.CONVERSATION}
    # Newer releases return what a run fails with.
    raises_budgets = ENVIRONMENT == OLDEST

    def tree_of(self, chat: Node) -> tuple[Node, ...]:
        told = {"gen_ai.agent.name": story.AGENT, "gen_ai.tool.description": "Tell the weather of a city."}
        return (story.agent(chat, Node("execute_tool weather", attributes=told), chat),)


def team(its: Any) -> Any:
    kind = import_module("agno.team").Team
    return kind(name="agency", id="agency", members=[its.named("booker")], model=its.model(), telemetry=False)


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_a_member_is_inside_of_the_tool_that_its_team_asks_by(way: str, its: Any, telemetry: Any) -> None:
    if way == "stream":
        its.read(its.stream(team(its)))
    else:
        its.ask(team(its))
    delegating = story.tool("delegate_task_to_member")
    delegating.children = (story.agent(story.chat(), name="booker"),)
    assert_shapes(
        telemetry.spans(),
        story.agent(story.chat("delegate_task_to_member"), delegating, story.chat(), name="agency"),
    )
    root = next(span.attributes for span in telemetry.spans() if span.parent is None)
    assert root["gen_ai.usage.input_tokens"] == 3 * fakes.INPUT_TOKENS
    assert {span.attributes.get("gen_ai.conversation.id") for span in telemetry.spans()} == {story.CONVERSATION}


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_a_workflow_has_its_steps_and_those_at_the_same_time_side_by_side(way: str, its: Any, telemetry: Any) -> None:
    from obs_run.context import threads

    # Older releases run them in threads, into which the launcher has the context carried.
    threads.install()
    made = import_module("agno.workflow")
    steps = [made.Step(name=name, agent=its.named(name)) for name in ("look", "compare", "book")]
    flow = made.Workflow(name="trip", steps=[steps[0], made.Parallel(*steps[1:], name="both")], telemetry=False)
    if way == "stream":
        its.read(its.stream(flow))
    else:
        its.ask(flow)

    steps_told = [Node(f"step {name}", Node(f"invoke_agent {name}", chat())) for name in ("book", "compare", "look")]
    (root,) = trees_of(telemetry.spans())
    # Those at the same time begin in any order.
    root.children = tuple(sorted(root.children, key=lambda node: node.name))
    assert shown(root) == shown(Node("invoke_workflow trip", *steps_told))
    assert root.attributes["obs.usage.input_tokens"] == 3 * fakes.INPUT_TOKENS

    assert {span.attributes.get("obs.outcome") for span in telemetry.spans()} == {None}


def test_a_stream_that_is_left_at_its_output_is_read(its: Any, telemetry: Any) -> None:
    ask = its.agent(story.weather).arun if its.is_async else its.agent(story.weather).run
    stream = ask(story.PROMPT, stream=True, stream_events=True)

    async def leave() -> None:
        async for event in stream:
            if event.event == "RunCompleted":
                break
        await stream.aclose()

    if its.is_async:
        its.run(leave())
    else:
        next(event for event in stream if event.event == "RunCompleted")
        stream.close()
    assert {span.attributes.get("obs.outcome") for span in telemetry.spans()} == {None}


def shown(node: Node) -> Any:
    return node.name, [shown(child) for child in node.children]


def test_what_a_model_fails_with_is_told(its: Any, telemetry: Any) -> None:
    agent = its.using(is_faked=False).agent()
    asked = f"{story.PROMPT} [stub:400]"
    with contextlib.suppress(Exception):
        # Newer releases give the error in what they return.
        its.run(its.running(agent, asked))
    told = {span.name: span.attributes["error.type"] for span in telemetry.spans()}
    assert set(told) == {f"chat {MODEL}", f"invoke_agent {story.AGENT}"}
    assert told[f"chat {MODEL}"] == "invalid_value"
    assert {span.status.status_code.name for span in telemetry.spans()} == {"ERROR"}
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


def test_a_guardrail_that_lets_nothing_pass_is_no_error(its: Any, telemetry: Any) -> None:
    error = import_module("agno.exceptions").InputCheckError

    def check(run_input: Any) -> None:
        raise error(f"not {run_input.input_content}")

    with contextlib.suppress(error):
        its.ask(its.named(story.AGENT, pre_hooks=[check]))
    assert_trees(telemetry.spans(), story.agent(obs__outcome="blocked"))


def test_a_tool_that_stops_the_agent_is_no_error(its: Any, telemetry: Any) -> None:
    error = import_module("agno.exceptions").StopAgentRun

    def stop(city: str) -> str:
        """Stop."""
        raise error(f"enough of {city}")

    its.ask(its.agent(stop))
    stopped = next(span for span in telemetry.spans() if span.name == "execute_tool stop")
    assert stopped.attributes["obs.outcome"] == "stopped"
    assert stopped.status.status_code.name == "UNSET"


def test_knowledge_is_a_retrieval_inside_of_the_tool(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    document = import_module("agno.knowledge.document").Document
    base: Any = import_module("agno.vectordb.base").VectorDb

    async def asearch(_self: Any, query: str, **_: Any) -> list[Any]:
        return [document(content=f"About {query}.", id="1")]

    methods: dict[str, Any] = {name: lambda *_, **__: True for name in base.__abstractmethods__}
    methods["search"] = lambda _self, query, **_: [document(content=f"About {query}.", id="1")]
    methods["async_search"] = asearch
    methods["__init__"] = lambda _self: None
    store = type("Store", (base,), methods)()
    knowledge = import_module("agno.knowledge.knowledge").Knowledge(name="guide", vector_db=store)
    its.ask(its.named(story.AGENT, knowledge=knowledge, search_knowledge=True))
    searching = Node("execute_tool search_knowledge_base", Node("retrieval guide"))
    assert_trees(telemetry.spans(), story.agent(chat(), searching, chat()))
    found = next(span.attributes for span in telemetry.spans() if span.name == "retrieval guide")
    assert found["db.response.returned_rows"] == 1
    assert found["gen_ai.retrieval.query.text"] == "rain"
    assert "About rain." in found["gen_ai.retrieval.documents"]


def test_what_memory_keeps_of_a_user_is_inside_of_the_run(its: Any, telemetry: Any) -> None:
    from obs_run.context import threads

    # The library keeps it in a thread, into which the launcher has the context carried.
    threads.install()
    db = import_module("agno.db.in_memory").InMemoryDb()
    memory = "enable_user_memories"
    agent = its.named(story.AGENT, db=db)
    setattr(agent, memory if hasattr(agent, memory) else "update_memory_on_run", True)
    its.run(its.asking(agent, user_id="somebody"))
    kept = [span for span in telemetry.spans() if span.name == "upsert_memory"]
    assert len(kept) == 1
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    assert root.name == f"invoke_agent {story.AGENT}"
    adding = next(span for span in telemetry.spans() if span.name == "execute_tool add_memory")
    assert adding.parent.span_id == kept[0].context.span_id


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    with driver("sync", stub) as sync, driver("async", stub) as its:
        ways = [
            *ways_of(its),
            lambda: sync.ask(sync.agent(story.weather)),
            lambda: sync.abandon(sync.stream(sync.agent(story.weather))),
            lambda: its.abandon(its.stream(its.agent(story.weather))),
            lambda: its.read(its.stream(team(its))),
            sync.ask_in_a_thread,
            sync.ask_and_allow,
        ]
        assert_leave_nothing(ways, (), telemetry, times=220, library_grows=True)
